package harbour_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/lab/harbour"
)

const (
	samlDomain = "saml.example.test"
	oidcDomain = "oidc.example.test"
	password   = "Spring-2025!"
	anchor     = "MyIRAFVEd2aImaq7zN3u/w=="
	acsURL     = "http://localhost:8400/federation/saml/harbour/acs"
	callback   = "http://localhost:8400/federation/oidc/harbour/callback"
	entityID   = "urn:fourways:test"
	clientID   = "fourways"
	secret     = "The-Client-Secret"
)

// directory is a domain controller of one password, which a test may break.
type directory struct {
	mu     sync.Mutex
	reason authn.Reason // of whoever brings the right password
	asked  []string
}

func (d *directory) Bind(_ context.Context, upn string, pw authn.Secret) harbour.Verdict {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, upn)
	if d.reason.Verdict() == authn.Unavailable {
		return harbour.Verdict{Reason: d.reason, Cause: errors.New("connection refused")}
	}
	if string(pw.Reveal()) != password {
		return harbour.Verdict{Reason: authn.BadPassword}
	}
	return harbour.Verdict{Reason: d.reason}
}

func (d *directory) answer(r authn.Reason) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reason = r
}

func (d *directory) Person(_ context.Context, upn string) (harbour.Person, error) {
	switch {
	case strings.HasPrefix(upn, "unread@"):
		return harbour.Person{}, errors.New("connection reset")
	case strings.HasPrefix(upn, "anchorless@"):
		return harbour.Person{UPN: upn}, nil
	case strings.HasPrefix(upn, "foreign@"):
		return harbour.Person{UPN: "alice@" + samlDomain, Anchor: anchor}, nil
	}
	return harbour.Person{UPN: upn, DisplayName: "Alice <Ångström> & Co", Anchor: anchor}, nil
}

func start(t *testing.T, d *directory, keys string) *harbour.Server {
	t.Helper()
	return startWith(t, d, keys, harbour.SP{EntityID: entityID, ACSURL: acsURL})
}

func startWith(t *testing.T, d *directory, keys string, sp harbour.SP) *harbour.Server {
	t.Helper()
	client := harbour.Client{ID: clientID, Secret: secret, RedirectURI: callback}
	s, err := harbour.Start(t.Context(), harbour.Options{
		Directory: d, People: d, KeyDir: keys,
		Issuers: []harbour.Issuer{{Domain: samlDomain, SAML: sp, OIDC: client}, {Domain: oidcDomain, SAML: sp, OIDC: client}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// browser walks pages as a person does, without scripts; it stops at the border to the asking service.
type browser struct {
	t *testing.T
	*http.Client
	s *harbour.Server
}

func newBrowser(t *testing.T, s *harbour.Server) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, s: s, Client: &http.Client{Jar: jar, Timeout: 20 * time.Second}}
	b.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if !strings.HasPrefix(r.URL.String(), s.URL()+"/") {
			return http.ErrUseLastResponse
		}
		return nil
	}
	t.Cleanup(b.CloseIdleConnections)
	return b
}

// page is what a person sees.
type page struct {
	status   int
	header   http.Header
	at       *url.URL
	text     string
	action   string
	fields   url.Values
	location string
}

func (b *browser) open(address string) page {
	b.t.Helper()
	resp, err := b.Get(address)
	return b.read(resp, err)
}

func (b *browser) submit(p page, set ...string) page {
	b.t.Helper()
	fields := url.Values{}
	for name, v := range p.fields {
		fields[name] = v
	}
	for n := 0; n < len(set); n += 2 {
		fields.Set(set[n], set[n+1])
	}
	action, err := p.at.Parse(p.action)
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := b.PostForm(action.String(), fields)
	return b.read(resp, err)
}

func (b *browser) read(resp *http.Response, err error) page {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	p := page{status: resp.StatusCode, header: resp.Header, at: resp.Request.URL, text: string(body), fields: url.Values{}, location: resp.Header.Get("Location")}
	doc, err := html.Parse(strings.NewReader(p.text))
	if err != nil {
		b.t.Fatal(err)
	}
	for n := range doc.Descendants() {
		switch n.Data {
		case "form":
			p.action = attr(n, "action")
		case "input":
			p.fields.Set(attr(n, "name"), attr(n, "value"))
		}
	}
	return p
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// signIn fills in the form.
func (b *browser) signIn(form page, user, pw string) page {
	b.t.Helper()
	if form.status != http.StatusOK || !form.fields.Has("password") {
		b.t.Fatalf("no sign-in form: %d %s", form.status, form.text)
	}
	return b.submit(form, "username", user, "password", pw)
}

// last is the last posted password.
func last(t *testing.T, s *harbour.Server) harbour.Event {
	t.Helper()
	events := slices.DeleteFunc(s.Events(), func(e harbour.Event) bool { return e.Result == harbour.Issued })
	if len(events) == 0 {
		t.Fatal("nothing was logged")
	}
	return events[len(events)-1]
}

func TestRefusedAtTheForm(t *testing.T) {
	d := &directory{}
	s := start(t, d, t.TempDir())
	for _, c := range []struct {
		name, user, password string
		directory            authn.Reason
		status               int
		says                 string
		result               harbour.Result
	}{
		{"wrong password", "alice@" + oidcDomain, "wrong", authn.None, 401, "user name or password is wrong", harbour.WrongPassword},
		{"empty password", "alice@" + oidcDomain, "", authn.None, 401, "user name or password is wrong", harbour.WrongPassword},
		{"nobody", "alice@" + oidcDomain, password, authn.UnknownUser, 401, "user name or password is wrong", harbour.WrongPassword},
		{"not a name", "Ålice@" + oidcDomain, password, authn.None, 401, "user name or password is wrong", harbour.WrongPassword},
		{"a person of another domain", "alice@" + samlDomain, password, authn.None, 401, "people of oidc.example.test only", harbour.ForeignDomain},
		{"locked", "carol@" + oidcDomain, password, authn.OnpremLocked, 403, "is locked", harbour.Refused},
		{"disabled", "bob@" + oidcDomain, password, authn.AccountDisabled, 403, "is disabled", harbour.Refused},
		{"account expired", "erin@" + oidcDomain, password, authn.AccountExpired, 403, "account has expired", harbour.Refused},
		{"password expired", "dave@" + oidcDomain, password, authn.OnpremPasswordExpired, 403, "password has expired", harbour.Refused},
		{"must change", "grace@" + oidcDomain, password, authn.OnpremMustChange, 403, "must be changed", harbour.Refused},
		{"outside hours", "frank@" + oidcDomain, password, authn.LogonHours, 403, "at this hour", harbour.Refused},
		{"person not found after the password", "unread@" + oidcDomain, password, authn.None, 503, "directory cannot be reached", harbour.Unreachable},
		{"person without anchor", "anchorless@" + oidcDomain, password, authn.None, 503, "directory cannot be reached", harbour.Unreachable},
		{"person who turns out to be another domain's", "foreign@" + oidcDomain, password, authn.None, 503, "directory cannot be reached", harbour.Unreachable},
		{"directory down", "alice@" + oidcDomain, password, authn.ADUnreachable, 503, "directory cannot be reached", harbour.Unreachable},
	} {
		t.Run(c.name, func(t *testing.T) {
			d.answer(c.directory)
			b := newBrowser(t, s)
			p := b.signIn(b.open(authorizeURL(s, oidcDomain)), c.user, c.password)
			if p.status != c.status || !strings.Contains(p.text, c.says) {
				t.Errorf("%d %s", p.status, p.text)
			}
			if p.location != "" || strings.Contains(p.text, password) {
				t.Error("the page leads on, or repeats the password")
			}
			if e := last(t, s); e.Result != c.result || e.Who != authn.ParseIdentifier(c.user).Key() || e.Domain != oidcDomain || e.Protocol != "oidc" {
				t.Errorf("logged %+v", e)
			}
			d.answer(authn.None) // the same form takes the right password afterwards
			if p := b.signIn(page{status: 200, at: p.at, action: p.action, fields: p.fields}, "alice@"+oidcDomain, password); !strings.HasPrefix(p.location, callback+"?") {
				t.Errorf("control: %d %q %s", p.status, p.location, p.text)
			}
		})
	}
}

func TestAnotherDomainsPersonNeverReachesTheDirectory(t *testing.T) {
	d := &directory{}
	s := start(t, d, t.TempDir())
	b := newBrowser(t, s)
	form := b.open(authorizeURL(s, oidcDomain))
	b.signIn(form, "alice@"+samlDomain, password)
	if len(d.asked) != 0 {
		t.Errorf("the directory was asked for %q", d.asked)
	}
	b.signIn(form, "alice@"+oidcDomain, password)
	if len(d.asked) != 1 {
		t.Errorf("control: the directory was asked for %q", d.asked)
	}
}

func TestFormBelongsToItsBrowser(t *testing.T) {
	s := start(t, &directory{}, t.TempDir())
	b := newBrowser(t, s)
	form := b.open(authorizeURL(s, oidcDomain))
	if p := newBrowser(t, s).open(form.at.String()); p.status != http.StatusNotFound {
		t.Errorf("another browser sees the form: %d", p.status)
	}
	if p := newBrowser(t, s).submit(form, "username", "alice@"+oidcDomain, "password", password); p.status != http.StatusNotFound {
		t.Errorf("another browser posts the form: %d", p.status)
	}
	if p := b.submit(form, "username", "alice@"+oidcDomain, "password", password, "token", "other"); p.status != http.StatusForbidden {
		t.Errorf("posted without the form's token: %d", p.status)
	}
	if p := b.signIn(form, "alice@"+oidcDomain, password); !strings.HasPrefix(p.location, callback) {
		t.Errorf("control: %d %s", p.status, p.text)
	}
	if p := b.signIn(form, "alice@"+oidcDomain, password); p.status != http.StatusNotFound {
		t.Errorf("the form is good twice: %d", p.status)
	}
}

func TestGuessesAtOneFormAreBounded(t *testing.T) {
	s := start(t, &directory{}, t.TempDir())
	b := newBrowser(t, s)
	form := b.open(authorizeURL(s, oidcDomain))
	for n := range 10 {
		if p := b.signIn(form, "alice@"+oidcDomain, "wrong"); p.status != http.StatusUnauthorized {
			t.Fatalf("guess %d: %d", n, p.status)
		}
	}
	if p := b.signIn(form, "alice@"+oidcDomain, password); p.status != http.StatusTooManyRequests {
		t.Errorf("one more: %d", p.status)
	}
}

func TestPagesAreAnotherCompanys(t *testing.T) {
	s := start(t, &directory{}, t.TempDir())
	b := newBrowser(t, s)
	form := b.open(authorizeURL(s, oidcDomain))
	if !strings.Contains(form.text, "You are now at another identity provider: Harbour ID") || strings.Contains(strings.ToLower(form.text), "microsoft") {
		t.Error(form.text)
	}
	if got := form.fields.Get("username"); got != "alice@"+oidcDomain {
		t.Errorf("the user name is filled in as %q", got)
	}
	csp := form.header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "form-action 'self' http://localhost:8400"} {
		if !strings.Contains(csp, part) {
			t.Errorf("policy %q lacks %q", csp, part)
		}
	}
	if strings.Contains(csp, "unsafe") || strings.Contains(form.text, "<style") || strings.Contains(form.text, "style=") || strings.Contains(form.text, "//fonts") {
		t.Error("something is inline or from elsewhere")
	}
	if p := b.open(s.URL() + "/assets/harbour.css"); p.status != http.StatusOK || !strings.HasPrefix(p.header.Get("Content-Type"), "text/css") {
		t.Errorf("style: %d %s", p.status, p.header)
	}
	for _, path := range []string{"/saml/other.example.test/metadata", "/oidc/other.example.test/authorize", "/login/x", "/oidc/" + oidcDomain + "/authorize/callback?id=x", "/oidc/" + oidcDomain + "/revoke"} {
		if p := b.open(s.URL() + path); p.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, p.status)
		}
	}
}

func TestKeysOutliveARestart(t *testing.T) {
	keys := t.TempDir()
	first := start(t, &directory{}, keys)
	before := newBrowser(t, first).open(first.OIDCIssuer(oidcDomain) + "/keys").text
	beforeOther := newBrowser(t, first).open(first.OIDCIssuer(samlDomain) + "/keys").text
	second := start(t, &directory{}, keys)
	if after := newBrowser(t, second).open(second.OIDCIssuer(oidcDomain) + "/keys").text; after != before {
		t.Errorf("keys %s became %s", before, after)
	}
	if before == beforeOther {
		t.Error("two domains share a key")
	}
	third := start(t, &directory{}, t.TempDir())
	if other := newBrowser(t, third).open(third.OIDCIssuer(oidcDomain) + "/keys").text; other == before {
		t.Error("another lab has the same key")
	}
}
