package oidc

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/time/rate"

	"github.com/fourways-id/fourways/authn"
)

// How often keys are fetched: go-oidc asks anew for every token whose key it doesn't know, which an issuer gone bad
// could turn against itself and us. A real rotation needs one fetch.
const (
	keyFetchEvery = 10 * time.Second
	keyFetchBurst = 5
	mostKeys      = 64
	shortestRSA   = 2048 / 8 // bytes of the modulus (RFC 7518, 3.3)
)

// newKeySet makes go-oidc's remote key set, fed with those keys only that may verify a signature.
func newKeySet(ctx context.Context, url string, client *http.Client, clock authn.Clock, algorithms []string) goidc.KeySet {
	c := *client
	c.Transport = &keyTransport{
		next: client.Transport, clock: clock, algorithms: algorithms,
		limit: rate.NewLimiter(rate.Every(keyFetchEvery), keyFetchBurst),
	}
	return goidc.NewRemoteKeySet(goidc.ClientContext(ctx, &c), url)
}

// keyTransport stands between go-oidc's key set and one jwks_uri: it filters the keys and answers from memory when it
// is asked too often.
type keyTransport struct {
	next       http.RoundTripper
	clock      authn.Clock
	algorithms []string
	limit      *rate.Limiter

	mu   sync.Mutex
	last []byte
}

func (t *keyTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !t.limit.AllowN(t.clock.Now(), 1) {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.last == nil {
			return nil, errors.New("the keys were asked for too often and could not be had: wait a little")
		}
		return keysAnswer(r, t.last), nil
	}
	kept, err := t.fetch(r)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = kept
	return keysAnswer(r, kept), nil
}

// fetch makes every kind of failure an error, so that keys that can't be had are told from keys that don't fit.
func (t *keyTransport) fetch(r *http.Request) ([]byte, error) {
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the keys: %w", err)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the key set's address answered %s", resp.Status)
	}
	return filterKeys(body, t.algorithms)
}

func keysAnswer(r *http.Request, body []byte) *http.Response {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/jwk-set+json"}}, ContentLength: int64(len(body)),
		Body: io.NopCloser(bytes.NewReader(body)),
	}
}

// filterKeys leaves the keys of a JWK Set that may verify a signature of one of the algorithms.
func filterKeys(set []byte, algorithms []string) ([]byte, error) {
	var in, out struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(set, &in); err != nil {
		return nil, fmt.Errorf("the key set is not JSON: %w", err)
	}
	if len(in.Keys) > mostKeys {
		return nil, fmt.Errorf("the key set has %d keys: at most %d are read", len(in.Keys), mostKeys)
	}
	out.Keys = []json.RawMessage{}
	for _, raw := range in.Keys {
		if verifies(raw, algorithms) {
			out.Keys = append(out.Keys, raw)
		}
	}
	return json.Marshal(out)
}

// verifies reports a public signature key (RFC 7517, 4.2 to 4.4). An unreadable key is left out, as section 5 asks.
func verifies(raw json.RawMessage, algorithms []string) bool {
	var k struct {
		Type       string   `json:"kty"`
		Use        string   `json:"use"`
		Operations []string `json:"key_ops"`
		Algorithm  string   `json:"alg"`
		Modulus    string   `json:"n"`
		Private    string   `json:"d"`
	}
	if json.Unmarshal(raw, &k) != nil {
		return false
	}
	switch {
	case k.Private != "": // published for everybody to sign with
		return false
	case k.Use != "" && k.Use != "sig", len(k.Operations) > 0 && !slices.Contains(k.Operations, "verify"):
		return false
	case k.Algorithm != "" && !slices.Contains(algorithms, k.Algorithm):
		return false
	case k.Type == "RSA":
		n, err := base64.RawURLEncoding.DecodeString(k.Modulus)
		return err == nil && len(bytes.TrimLeft(n, "\x00")) >= shortestRSA
	default:
		return k.Type == "EC" || k.Type == "OKP"
	}
}
