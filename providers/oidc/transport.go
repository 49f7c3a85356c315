package oidc

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// The bounds of every call to an issuer.
const (
	longestBody = 1 << 20 // bytes of one answer: go-oidc reads metadata and keys without a bound of its own
	longestCall = 10 * time.Second
	longestDial = 5 * time.Second
	idleConns   = 4
)

// boundedClient makes a client that can be neither flooded, hung nor sent elsewhere by an issuer.
func boundedClient(given *http.Client) *http.Client {
	c := http.Client{}
	if given != nil {
		c = *given
	}
	if c.Transport == nil {
		c.Transport = &http.Transport{
			// No Proxy: what an environment variable says must not see codes and client secrets.
			DialContext:           (&net.Dialer{Timeout: longestDial}).DialContext,
			TLSHandshakeTimeout:   longestDial,
			ResponseHeaderTimeout: longestCall,
			MaxIdleConnsPerHost:   idleConns,
			IdleConnTimeout:       time.Minute,
			ForceAttemptHTTP2:     true,
		}
	}
	c.Transport = bodyLimit{c.Transport}
	if c.Timeout == 0 || c.Timeout > longestCall {
		c.Timeout = longestCall
	}
	// Metadata, keys and tokens come from where the configuration and the metadata say; a redirect would take the
	// code, the verifier and the client secret along (RFC 9700, section 4.12).
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// bodyLimit ends an over-long answer with an error.
type bodyLimit struct{ next http.RoundTripper }

func (b bodyLimit) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if resp.ContentLength > longestBody {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("%s answered with %d bytes: at most %d are read", r.URL.Host, resp.ContentLength, longestBody)
	}
	resp.Body = &limitedBody{ReadCloser: resp.Body, left: longestBody}
	return resp, nil
}

type limitedBody struct {
	io.ReadCloser
	left int
}

func (l *limitedBody) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p[:min(len(p), l.left+1)])
	if n > l.left {
		return l.left, fmt.Errorf("the answer is longer than %d bytes", longestBody)
	}
	l.left -= n
	return n, err
}
