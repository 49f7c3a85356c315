package endtoend_test

import (
	"net/http"
	"testing"

	"github.com/fourways-id/fourways/internal/client/browser"
)

// person is somebody with a browser without scripts, before one gateway.
type person struct {
	*browser.Browser
	t   *testing.T
	url string
}

func newPerson(t *testing.T, url string) *person { return newPersonOver(t, url, nil) }

func newPersonOver(t *testing.T, url string, wire http.RoundTripper) *person {
	return &person{Browser: browser.New(&http.Client{Timeout: hang, Transport: wire}), t: t, url: url}
}

// roundTrip is a RoundTripper of one function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// before does something just before the browser goes to that path.
func before(path string, do func()) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == path {
			do()
		}
		return http.DefaultTransport.RoundTrip(r)
	})
}

// types enters a name on the sign-in page and goes on: to the password's page, or to the identity provider's form.
func (p *person) types(upn string) *browser.Page {
	p.t.Helper()
	front, err := p.Get(p.t.Context(), p.url+"/?switch=1")
	if err != nil {
		p.t.Fatal(err)
	}
	return p.fill(front, map[string]string{"username": upn})
}

func (p *person) fill(page *browser.Page, values map[string]string) *browser.Page {
	p.t.Helper()
	next, err := page.Submit(p.t.Context(), values)
	if err != nil {
		p.t.Fatalf("at %s: %v\n%s", page.URL, err, page.Text())
	}
	return next
}

// carries presses on where a script would: pages of hidden fields that are posted as they are.
func (p *person) carries(page *browser.Page) *browser.Page {
	p.t.Helper()
	for waits(page) {
		page = p.fill(page, nil)
	}
	return page
}

// waits tells whether the page only waits for its hidden form to be sent.
func waits(page *browser.Page) bool {
	return len(page.Forms) > 0 && page.Forms[0].Values.Has("SAMLResponse")
}

// signsIn goes the whole way at an identity provider whose form has username and password; name is what it calls the
// person.
func (p *person) signsIn(upn, name, password string) *browser.Page {
	p.t.Helper()
	return p.carries(p.fill(p.types(upn), map[string]string{"username": name, "password": password}))
}

// session is who is signed in here; "" is nobody.
func (p *person) session() string {
	p.t.Helper()
	var s struct {
		Account struct {
			UPN string `json:"userPrincipalName"`
		} `json:"account"`
	}
	if _, err := p.GetJSON(p.t.Context(), p.url+"/session", &s); err != nil {
		p.t.Fatal(err)
	}
	return s.Account.UPN
}
