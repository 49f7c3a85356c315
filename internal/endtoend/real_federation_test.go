package endtoend_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/client/browser"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/gateway"
	"github.com/fourways-id/fourways/internal/realtest"
	"github.com/fourways-id/fourways/providers/saml"
)

const samlDomain, oidcDomain = "saml.example.test", "oidc.example.test"

// federation is a gateway whose people sign in at identity providers that others wrote.
type federation struct {
	*production
	saml *realtest.SAMLIdP
	oidc *realtest.OIDCIdP
}

func openFederation(t *testing.T) *federation {
	f := &federation{}
	f.production = openProduction(t, func(c *config.Config, url string) {
		base := url + "/federation/saml/simple"
		f.saml = realtest.SimpleSAMLphp(t, ourMetadata(t, base))
		f.oidc = realtest.OIDCProvider(t, url+"/federation/oidc/panva/callback")
		dir := t.TempDir()
		metadata, secret := filepath.Join(dir, "idp.xml"), filepath.Join(dir, "secret")
		keep(t, metadata, f.saml.Metadata)
		keep(t, secret, []byte(f.oidc.ClientSecret+"\n"))
		c.Domain = append(c.Domain,
			config.Domain{Name: samlDomain, Path: authn.PathFederated, IdP: "simple"},
			config.Domain{Name: oidcDomain, Path: authn.PathFederated, IdP: "panva"})
		skew := config.Duration(time.Minute)
		c.IdP = []config.IdP{
			{ID: "simple", Protocol: "saml", Domains: []string{samlDomain}, Match: authn.MatchAnchor, MetadataFile: metadata, Binding: "redirect", ClockSkew: skew},
			{ID: "panva", Protocol: "oidc", Domains: []string{oidcDomain}, Match: authn.MatchUPN, Issuer: f.oidc.Issuer, ClientID: f.oidc.ClientID, ClientSecretFile: secret, ClockSkew: skew},
		}
	})
	f.people(t)
	return f
}

// people synchronises by hand: alice of the SAML domain by her anchor; bob's anchor belongs to somebody of the other
// domain; the other domain's people are matched by name.
func (f *federation) people(t *testing.T) {
	t.Helper()
	db, err := gateway.OpenStore(t.Context(), f.config)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for id, u := range map[string]directory.User{
		"1": {UPN: "alice@" + samlDomain, Onprem: directory.Onprem{Anchor: f.saml.Who(t, "alice").Anchor}},
		"2": {UPN: "carol@" + samlDomain, Onprem: directory.Onprem{Anchor: "AAAAAAAAAAAAAAAAAAAACQ=="}},
		"3": {UPN: "boss@" + oidcDomain, Onprem: directory.Onprem{Anchor: f.saml.Who(t, "bob").Anchor}},
		"4": {UPN: "alice@" + oidcDomain, Onprem: directory.Onprem{Anchor: "AAAAAAAAAAAAAAAAAAAACA=="}},
	} {
		u.ID, u.Enabled, u.Synced, u.DisplayName = authn.AccountID(id), true, true, u.UPN
		if err := db.CreateUser(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
}

// ourMetadata is what the gateway will say of itself, for an identity provider that has to know it first.
func ourMetadata(t *testing.T, base string) realtest.SPMetadata {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "unknown yet"}, NotAfter: time.Now().Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	p, err := saml.New(saml.Config{
		ID: "simple", EntityID: base + "/metadata", ACSURL: base + "/acs",
		IdP: saml.IdP{Issuer: "urn:unknown:yet", SSOURL: "http://127.0.0.1/", Certificates: []*x509.Certificate{certificate}},
	}, realClock{})
	if err != nil {
		t.Fatal(err)
	}
	return p.Metadata()
}

func keep(t *testing.T, path string, body []byte) {
	t.Helper()
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFederationWithSimpleSAMLphpAndOIDCProvider(t *testing.T) {
	realtest.Need(t, "simplesamlphp")
	realtest.Need(t, "oidc-provider")
	f := openFederation(t)
	for name, run := range map[string]func(*federation){
		"everybody signs in at their own identity provider":       (*federation).everybodySignsIn,
		"a wrong password stays at the identity provider":         (*federation).wrongPassword,
		"another person of the same identity provider is refused": (*federation).anotherPerson,
		"a person of another domain is refused":                   (*federation).anotherDomain,
		"a response is good once":                                 (*federation).replay,
	} {
		t.Run(name, func(t *testing.T) {
			f.t, f.door.t = t, t
			run(f)
		})
	}
	f.t, f.door.t = t, t
	f.outage()
}

func (f *federation) everybodySignsIn() {
	given, err := http.Get(f.url + "/federation/saml/simple/metadata")
	if err != nil || given.StatusCode != http.StatusOK {
		f.t.Errorf("our metadata: %v %v", given, err)
	}
	for upn, at := range map[string]string{"alice@" + samlDomain: f.saml.URL, "alice@" + oidcDomain: f.oidc.Issuer} {
		p := newPerson(f.t, f.url)
		form := p.types(upn)
		if !strings.HasPrefix(form.URL.String(), at) {
			f.t.Fatalf("%s was sent to %s, want %s", upn, form.URL, at)
		}
		page := p.carries(p.fill(form, map[string]string{"username": "alice", "password": realtest.Password}))
		if got := p.session(); got != upn {
			f.t.Errorf("the session names %q, want %s; the page says: %d %s", got, upn, page.Status, page.Text())
		}
		if row := f.last(upn); row.Fourways.Outcome != "success" || row.Fourways.Path != authn.PathFederated {
			f.t.Errorf("the log's row of %s: %+v", upn, row.Fourways)
		}
	}
	f.cloudGoesOn()
}

func (f *federation) wrongPassword() {
	for upn, at := range map[string]string{"alice@" + samlDomain: f.saml.URL, "alice@" + oidcDomain: f.oidc.Issuer} {
		p := newPerson(f.t, f.url)
		page := p.signsIn(upn, "alice", "not-her-password")
		if !strings.HasPrefix(page.URL.String(), at) || len(page.Forms) == 0 {
			f.t.Errorf("after a wrong password %s is at %s", upn, page.URL)
		}
		if got := p.session(); got != "" {
			f.t.Errorf("a wrong password made a session of %s", got)
		}
		if page = p.carries(p.fill(page, map[string]string{"username": "alice", "password": realtest.Password})); p.session() != upn {
			f.t.Errorf("the right password after it: %d %s", page.Status, page.Text())
		}
	}
}

func (f *federation) anotherPerson() {
	p := newPerson(f.t, f.url)
	f.refusesPage(p, p.signsIn("carol@"+samlDomain, "alice", realtest.Password), authn.ImmutableIDMismatch)
	p = newPerson(f.t, f.url)
	f.refusesPage(p, p.signsIn("alice@"+oidcDomain, "bob", realtest.Password), authn.SubjectUnknown, authn.ImmutableIDMismatch)
}

// anotherDomain has the SAML identity provider speak of somebody whom it may not speak of, in every way there is.
func (f *federation) anotherDomain() {
	p := newPerson(f.t, f.url)
	page := p.signsIn("alice@"+samlDomain, "bob", realtest.Password) // bob's anchor is the boss's
	f.refusesPage(p, page, authn.ImmutableIDMismatch, authn.SubjectUnknown)

	stranger := newPerson(f.t, f.url)
	stranger.types("boss@" + oidcDomain) // begun at the other identity provider
	carrier := newPerson(f.t, f.url)
	answer := carrier.fill(carrier.types("alice@"+samlDomain), map[string]string{"username": "bob", "password": realtest.Password})
	page, err := stranger.PostForm(f.t.Context(), answer.Forms[0].Action.String(), answer.Forms[0].Values)
	if err != nil {
		f.t.Fatal(err)
	}
	f.refusesPage(stranger, page, authn.StateMismatch, authn.IssuerMismatch, authn.RealmUnknown)
}

// refusesPage fails unless the page refuses, with a correlation id whose row in the log has one of the reasons.
func (f *federation) refusesPage(p *person, page *browser.Page, reasons ...authn.Reason) {
	f.t.Helper()
	if got := p.session(); got != "" {
		f.t.Errorf("there is a session of %s", got)
	}
	id := page.Header.Get("Fourways-Correlation-Id")
	if id == "" {
		f.t.Fatalf("the page at %s (%d) refuses nothing: %s", page.URL, page.Status, page.Text())
	}
	f.refused(answer{Status: page.Status, Header: page.Header, Raw: []byte(page.Text()), ID: authn.AttemptID(id)}, http.StatusUnauthorized, reasons...)
	if !strings.Contains(page.Text(), authn.SAMLInvalid.Public().Message) {
		f.t.Errorf("the page tells more, or less, than it should: %s", page.Text())
	}
}

// replay sends one response twice, from a browser that still has its cookie.
func (f *federation) replay() {
	p := newPerson(f.t, f.url)
	answer := p.fill(p.types("alice@"+samlDomain), map[string]string{"username": "alice", "password": realtest.Password})
	if !waits(answer) {
		f.t.Fatalf("no response at %s: %s", answer.URL, answer.Text())
	}
	acs := answer.Forms[0].Action
	cookies := p.Cookies(acs) // in another hand as well
	p.carries(answer)
	if got := p.session(); got != "alice@"+samlDomain {
		f.t.Fatalf("the first time: session of %q", got)
	}
	f.refusesPage(newPerson(f.t, f.url), f.postWith(cookies, acs, answer.Forms[0].Values), authn.Replay)
}

// postWith posts a form with cookies that were kept.
func (f *federation) postWith(cookies []*http.Cookie, to *url.URL, values url.Values) *browser.Page {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, to.String(), strings.NewReader(values.Encode()))
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Content-Type", formType)
	for _, c := range cookies {
		req.AddCookie(c)
	}
	res, err := (&http.Client{Timeout: hang}).Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return &browser.Page{URL: to, Status: res.StatusCode, Header: res.Header, Body: body}
}

// outage stops each identity provider in the middle of a sign-in, and starts it again.
func (f *federation) outage() {
	upn := "alice@" + oidcDomain
	p := newPersonOver(f.t, f.url, before("/federation/oidc/panva/callback", f.oidc.Stop))
	page := p.signsIn(upn, "alice", realtest.Password)
	f.refused(answer{
		Status: page.Status, Header: page.Header, Raw: []byte(page.Text()), ID: authn.AttemptID(page.Header.Get("Fourways-Correlation-Id")),
	}, http.StatusServiceUnavailable, authn.IdPUnreachable)
	if page.Header.Get("Retry-After") == "" || p.session() != "" {
		f.t.Errorf("want Retry-After and no session: %v, session of %q", page.Header, p.session())
	}
	f.saml.Stop()
	if _, err := newPerson(f.t, f.url).Get(f.t.Context(), f.saml.URL); err == nil {
		f.t.Fatal("the stopped identity provider answers")
	}
	if a := f.post("/signin", jsonType, []byte(`{"username":"alice@`+samlDomain+`"}`)); a.Verdict != authn.Challenged {
		f.t.Errorf("the gateway never calls the SAML identity provider, so it sends the browser there: %d %s", a.Status, a.Raw)
	}
	f.cloudGoesOn()
	f.saml.Start(f.t)
	f.oidc.Start(f.t)
	f.everybodySignsIn()
}

// last is the newest row of somebody in the sign-in log.
func (f *federation) last(upn string) api.SignIn {
	f.t.Helper()
	rows, err := f.console.SignIns(f.t.Context(), 50)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, row := range rows {
		if row.UserPrincipalName == upn {
			return row
		}
	}
	f.t.Fatalf("the sign-in log has nobody called %s", upn)
	return api.SignIn{}
}
