package harbour_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/lab/harbour"
	"github.com/fourways-id/fourways/providers/oidc"
	"github.com/fourways-id/fourways/providers/saml"
)

// saboteur says what goes wrong from now on, and remembers what it was asked.
type saboteur struct {
	mu    sync.Mutex
	now   harbour.Tampering
	asked []harbour.Login
}

func (s *saboteur) tamper(l harbour.Login) harbour.Tampering {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, l)
	way := harbour.Tampering{Down: s.now.Down, Wait: s.now.Wait, Until: s.now.Until}
	if l.Moment == harbour.Asked {
		return way
	}
	out := s.now
	out.Down, out.Wait, out.Until = false, 0, nil
	return out
}

func (s *saboteur) does(t harbour.Tampering) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now, s.asked = t, nil
}

// wasAsked is what it was asked since it was last told something.
func (s *saboteur) wasAsked() []harbour.Login {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func startTampered(t *testing.T) (*harbour.Server, *saboteur) {
	t.Helper()
	bad, d := &saboteur{}, &directory{}
	client := harbour.Client{ID: clientID, Secret: secret, RedirectURI: callback}
	s, err := harbour.Start(t.Context(), harbour.Options{
		Directory: d, People: d, KeyDir: t.TempDir(), Tamper: bad.tamper,
		Issuers: []harbour.Issuer{{Domain: samlDomain, SAML: harbour.SP{EntityID: entityID, ACSURL: acsURL}}, {Domain: oidcDomain, OIDC: client}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, bad
}

// party is the asking service of one protocol.
type party struct {
	domain string
	step   func(b *browser, upn string) authn.Outcome // one whole sign-in
}

func parties(t *testing.T, s *harbour.Server) map[string]party {
	sp, rp := serviceProvider(t, s, samlDomain, nil), relyingParty(t, s, oidcDomain, oidc.Post)
	return map[string]party{
		"saml": {samlDomain, func(b *browser, upn string) authn.Outcome { return bySAML(b, sp, upn) }},
		"oidc": {oidcDomain, func(b *browser, upn string) authn.Outcome { return byOIDC(b, rp, upn) }},
	}
}

func bySAML(b *browser, p *saml.Provider, upn string) authn.Outcome {
	a, form := ask(b.t, b, p, upn)
	done := b.signIn(form, upn, password)
	a.Answer = authn.Callback{IdP: "harbour", Binding: "post", Values: done.fields}
	return p.Step(b.t.Context(), a)
}

func byOIDC(b *browser, p *oidc.Provider, upn string) authn.Outcome {
	a := authn.Attempt{ID: "a", Who: authn.ParseIdentifier(upn), Answer: authn.Nothing{}, Want: authn.Want{Fresh: true}}
	first := p.Step(b.t.Context(), a)
	done := b.signIn(b.open(first.Challenge.URL), upn, password)
	came, err := url.Parse(done.location)
	if err != nil {
		b.t.Fatal(err)
	}
	a.Kept, a.Answer = first.Keep, authn.Callback{IdP: "harbour", Binding: "redirect", Values: came.Query()}
	return p.Step(b.t.Context(), a)
}

func TestWhatIsTamperedWithIsRefusedByTheRealProviders(t *testing.T) {
	refused := func(r authn.Reason, at authn.StepID) authn.Outcome {
		return authn.Outcome{Verdict: authn.Denied, Reason: r, Check: at}
	}
	allowed := authn.Outcome{Verdict: authn.Allowed}
	for name, c := range map[string]struct {
		does       harbour.Tampering
		saml, oidc authn.Outcome
	}{
		"another key":               {harbour.Tampering{OtherKey: true}, refused(authn.SignatureInvalid, authn.F4Signature), refused(authn.SignatureInvalid, authn.F4Signature)},
		"the next key":              {harbour.Tampering{NextKey: true}, refused(authn.SignatureInvalid, authn.F4Signature), allowed},
		"ten minutes behind":        {harbour.Tampering{Behind: 10 * time.Minute}, refused(authn.AssertionTime, authn.F4Time), refused(authn.AssertionTime, authn.F4Time)},
		"behind within the skew":    {harbour.Tampering{Behind: time.Second}, refused(authn.AssertionTime, authn.F4Time), refused(authn.AssertionTime, authn.F4Time)},
		"another audience":          {harbour.Tampering{Audience: "urn:other"}, refused(authn.AudienceMismatch, authn.F4Audience), refused(authn.AudienceMismatch, authn.F4Audience)},
		"sent before":               {harbour.Tampering{Replay: true}, refused(authn.StateMismatch, authn.F4InResponse), refused(authn.StateMismatch, authn.F4InResponse)},
		"late, but as it should be": {harbour.Tampering{Wait: time.Millisecond}, allowed, allowed},
	} {
		t.Run(name, func(t *testing.T) {
			s, bad := startTampered(t)
			for protocol, p := range parties(t, s) {
				upn, want := "alice@"+p.domain, map[string]authn.Outcome{"saml": c.saml, "oidc": c.oidc}[protocol]
				try := func(when string, want authn.Outcome) {
					t.Helper()
					out := p.step(newBrowser(t, s), upn)
					if out.Verdict != want.Verdict || out.Reason != want.Reason || out.Check != want.Check {
						t.Errorf("%s, %s: %v %v at %s: %v", protocol, when, out.Verdict, out.Reason, out.Check, out.Err)
					}
				}
				try("before", allowed)
				bad.does(c.does)
				if err := s.RollOver(); err != nil {
					t.Fatal(err)
				}
				try("during", want)
				try("once more", want)
				bad.does(harbour.Tampering{})
				try("after", allowed)
			}
		})
	}
}

func TestAnAnswerMaySpeakOfSomebodyElseOfTheDomain(t *testing.T) {
	s, bad := startTampered(t)
	for protocol, p := range parties(t, s) {
		bad.does(harbour.Tampering{Subject: "rita@" + p.domain})
		out := p.step(newBrowser(t, s), "alice@"+p.domain)
		if out.Verdict != authn.Allowed || out.Subject.UPN != "rita@"+p.domain {
			t.Errorf("%s: %v %v %+v", protocol, out.Verdict, out.Reason, out.Subject)
		}
		if e := s.Events()[len(s.Events())-1]; e.Result != harbour.Issued || e.Who != "alice@"+p.domain || e.Names != "rita@"+p.domain {
			t.Errorf("%s: logged %+v", protocol, e)
		}
	}
}

func TestNothingIsIssuedAboutAPersonWhoIsNotFound(t *testing.T) {
	s, bad := startTampered(t)
	b := newBrowser(t, s)
	form := b.open(authorizeURL(s, oidcDomain))
	bad.does(harbour.Tampering{Subject: "unread@" + oidcDomain})
	if p := b.signIn(form, "alice@"+oidcDomain, password); p.status != http.StatusServiceUnavailable || p.location != "" {
		t.Errorf("%d %q", p.status, p.location)
	}
	if e := s.Events(); len(e) != 1 || e[0].Result != harbour.SignedIn {
		t.Errorf("logged %+v", e)
	}
}

func TestAnswersAreLoggedUnderTheirRequest(t *testing.T) {
	s, bad := startTampered(t)
	seen := map[string]bool{}
	for protocol, p := range parties(t, s) {
		upn := "alice@" + p.domain
		var ids []string
		for _, does := range []harbour.Tampering{{}, {Replay: true}, {}} {
			bad.does(does)
			began := time.Now()
			out := p.step(newBrowser(t, s), upn)
			request := out.Steps[slices.IndexFunc(out.Steps, func(s authn.Step) bool { return s.ID == authn.F3 })].Facts[authn.FactRequest]
			events := s.EventsOf(request)
			if len(events) != 2 || events[0].Result != harbour.SignedIn || events[1].Result != harbour.Issued {
				t.Fatalf("%s: of request %q %+v", protocol, request, events)
			}
			e := events[1]
			if e.Assertion == "" || e.Who != upn || e.Names != upn || e.Domain != p.domain || e.Protocol != protocol || e.At.Before(began) || e.At.Before(events[0].At) {
				t.Errorf("%s: %+v", protocol, e)
			}
			ids = append(ids, e.Assertion)
			seen[request] = true
		}
		if ids[0] != ids[1] || ids[1] == ids[2] {
			t.Errorf("%s: sent %q, of which the second was the first again", protocol, ids)
		}
	}
	if len(seen) != 6 || len(s.EventsOf("nobody's")) != 0 {
		t.Errorf("%d requests", len(seen))
	}
	text, err := json.Marshal(s.Events())
	if err != nil {
		t.Fatal(err)
	}
	for _, never := range []string{password, secret, anchor} {
		if strings.Contains(string(text), never) {
			t.Errorf("the log holds %q", never)
		}
	}
}

func TestALoginThatWasHungUpOnStaysSo(t *testing.T) {
	s, bad := startTampered(t)
	healthy, renamed, b := newBrowser(t, s), newBrowser(t, s), newBrowser(t, s)
	form, other := healthy.open(authorizeURL(s, oidcDomain)), renamed.open(authorizeURL(s, oidcDomain))
	bad.does(harbour.Tampering{Down: true})
	at := lostAt(t, b, authorizeURL(s, oidcDomain))
	bad.does(harbour.Tampering{})
	lostAt(t, b, at) // browsers try again by themselves
	mended := make(chan struct{})
	bad.does(harbour.Tampering{Down: true, Until: mended})
	c := newBrowser(t, s)
	at = lostAt(t, c, authorizeURL(s, oidcDomain))
	bad.does(harbour.Tampering{})
	lostAt(t, c, at)
	close(mended)
	if p := c.open(at); p.status != http.StatusOK {
		t.Errorf("reloaded after it was mended: %d", p.status)
	}
	if p := healthy.signIn(form, "alice@"+oidcDomain, password); !strings.HasPrefix(p.location, callback) {
		t.Errorf("control: %d %s", p.status, p.text)
	}
	// Whoever types another name than the service gave is asked for anew.
	bad.does(harbour.Tampering{Down: true})
	resp, err := renamed.PostForm(other.at.String(), url.Values{"token": {other.fields.Get("token")}, "username": {"rita@" + oidcDomain}, "password": {password}})
	if !errors.Is(err, io.EOF) {
		_ = resp.Body.Close()
		t.Errorf("not hung up: %d", resp.StatusCode)
	}
	if asked := bad.wasAsked(); len(asked) != 1 || asked[0] != (harbour.Login{UPN: "rita@" + oidcDomain, Domain: oidcDomain, Protocol: "oidc", Moment: harbour.Asked}) {
		t.Errorf("asked %+v", asked)
	}
}

// lostAt is where the connection was hung up.
func lostAt(t *testing.T, b *browser, address string) string {
	t.Helper()
	resp, err := b.Get(address)
	var lost *url.Error
	if !errors.As(err, &lost) || !errors.Is(err, io.EOF) {
		if resp != nil {
			_ = resp.Body.Close()
		}
		t.Fatalf("%s was not hung up on: %v", address, err)
	}
	return lost.URL
}

func TestARolledOverKeyIsPublishedBesideTheOneInUse(t *testing.T) {
	s, _ := startTampered(t)
	published := func() (certificates, keys int) {
		var set struct{ Keys []json.RawMessage }
		if err := json.Unmarshal([]byte(newBrowser(t, s).open(s.OIDCIssuer(oidcDomain)+"/keys").text), &set); err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(s.SAMLMetadata(samlDomain)), "<X509Certificate "), len(set.Keys)
	}
	if c, k := published(); c != 1 || k != 1 {
		t.Errorf("%d certificates and %d keys before", c, k)
	}
	for range 2 { // the second withdraws the first one's
		if err := s.RollOver(); err != nil {
			t.Fatal(err)
		}
		if c, k := published(); c != 2 || k != 2 {
			t.Errorf("%d certificates and %d keys", c, k)
		}
	}
	known, err := saml.ParseMetadata(s.SAMLMetadata(samlDomain))
	if err != nil || len(known.Certificates) != 2 {
		t.Errorf("the metadata has %d certificates: %v", len(known.Certificates), err)
	}
}

// The wait may be longer than the bounds of an ordinary connection, and ends when the browser goes.
func TestAWaitEndsWithTheBrowser(t *testing.T) {
	s, bad := startTampered(t)
	bad.does(harbour.Tampering{Wait: time.Hour})
	b := newBrowser(t, s)
	b.Timeout = 50 * time.Millisecond
	if resp, err := b.Get(authorizeURL(s, oidcDomain)); err == nil {
		_ = resp.Body.Close()
		t.Fatal("it answered")
	}
	bad.does(harbour.Tampering{})
	b = newBrowser(t, s)
	if p := b.open(authorizeURL(s, oidcDomain)); p.status != http.StatusOK {
		t.Errorf("control: %d", p.status)
	}
}

func TestAWaitEndsWhenItIsMended(t *testing.T) {
	s, bad := startTampered(t)
	over := make(chan struct{})
	close(over)
	bad.does(harbour.Tampering{Wait: time.Hour, Until: over})
	if p := newBrowser(t, s).open(authorizeURL(s, oidcDomain)); p.status != http.StatusOK { // hangs when it waits on
		t.Errorf("the answer is %d", p.status)
	}
}
