// Package browser walks a sign-in as a browser without scripts does: cookies, redirects, forms.
//
// In come addresses and what a person would fill in; out come pages. It speaks to whatever server it is pointed at, so the
// caller decides who that may be. It never runs a script, never shows or keeps what was filled in, and gives up after a
// bounded number of redirects.
package browser

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

const (
	maxRedirects = 20      // of one request
	maxPage      = 1 << 20 // bytes of one body
)

// Browser is one person's browser. It may be used by one goroutine at a time, as a person does.
type Browser struct{ client *http.Client }

// New makes a browser with an empty cookie jar. base gives Transport and Timeout and is left unchanged; nil means
// http.DefaultClient's.
func New(base *http.Client) *Browser {
	if base == nil {
		base = http.DefaultClient
	}
	jar, _ := cookiejar.New(nil) // fails with a faulty public suffix list only, and there is none
	return &Browser{client: &http.Client{Transport: base.Transport, Timeout: base.Timeout, Jar: jar, CheckRedirect: bounded}}
}

func bounded(_ *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return fmt.Errorf("gave up after %d redirects", maxRedirects)
	}
	return nil
}

// Cookies lists the cookies that a request to u would carry.
func (b *Browser) Cookies(u *url.URL) []*http.Cookie { return b.client.Jar.Cookies(u) }

// Get opens a page, following redirects. A page with a status that tells of a failure is a page; an error means there is none.
func (b *Browser) Get(ctx context.Context, address string) (*Page, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("open page: %w", err)
	}
	return b.open(req)
}

// PostForm posts values to an address as a form does. The Challenge of a JSON answer is followed this way.
func (b *Browser) PostForm(ctx context.Context, address string, values url.Values) (*Page, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(values.Encode()))
	if err != nil {
		return nil, fmt.Errorf("post form: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.open(req)
}

// PostJSON posts v with this browser's cookies and reads the answer into out, whatever its status; out may be nil.
func (b *Browser) PostJSON(ctx context.Context, address string, v, out any) (int, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return 0, fmt.Errorf("post JSON: %w", err)
	}
	defer clear(body)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("post JSON: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	return b.exchange(req, out)
}

// GetJSON asks for JSON with this browser's cookies and reads the answer into out, whatever its status; out may be nil.
func (b *Browser) GetJSON(ctx context.Context, address string, out any) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, fmt.Errorf("get JSON: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	return b.exchange(req, out)
}

func (b *Browser) exchange(req *http.Request, out any) (int, error) {
	resp, err := b.client.Do(req)
	if err != nil {
		return 0, plain(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := readAll(resp)
	if err != nil || out == nil {
		return resp.StatusCode, err
	}
	if err := json.Unmarshal(body, out); err != nil {
		return resp.StatusCode, fmt.Errorf("%s %s answered %s with no readable JSON: %w", req.Method, req.URL.Path, resp.Status, err)
	}
	return resp.StatusCode, nil
}

func (b *Browser) open(req *http.Request) (*Page, error) {
	req.Header.Set("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
	resp, err := b.client.Do(req)
	if err != nil {
		return nil, plain(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := readAll(resp)
	if err != nil {
		return nil, err
	}
	return b.page(resp, body)
}

func readAll(resp *http.Response) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPage+1))
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	if len(body) > maxPage {
		return nil, fmt.Errorf("the answer is larger than %d bytes", maxPage)
	}
	return body, nil
}

// plain takes the address out of an error: its query may hold a token.
func plain(err error) error {
	var u *url.Error
	if !errors.As(err, &u) {
		return err
	}
	where := "server"
	if at, perr := url.Parse(u.URL); perr == nil {
		where = at.Scheme + "://" + at.Host + at.Path
	}
	return fmt.Errorf("%s %s: %w", strings.ToUpper(u.Op), where, u.Err)
}
