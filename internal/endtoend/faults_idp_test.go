package endtoend_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/lab/fault"
	"github.com/fourways-id/fourways/internal/lab/world"
)

// away signs somebody in at the identity provider and says who has a session then, "" for nobody. An error is that of a
// browser that gets no answer.
func (h *house) away(upn string) (session string, _ error) {
	h.t.Helper()
	p := newPerson(h.t, h.url)
	page, err := p.Get(h.t.Context(), p.url+"/?switch=1")
	for _, values := range []map[string]string{{"username": upn}, {"username": upn, "password": world.Password}} {
		if err == nil {
			page, err = page.Submit(h.t.Context(), values)
		}
	}
	for err == nil && waits(page) {
		page, err = page.Submit(h.t.Context(), nil)
	}
	return p.session(), err
}

// signsIn fails unless somebody can sign in at the identity provider.
func (h *house) signsIn(upn, when string) {
	h.t.Helper()
	if session, err := h.away(upn); err != nil || session != upn {
		h.t.Errorf("%s: %s is not signed in but %q: %v; %+v", when, upn, session, err, h.lastOf(upn))
	}
}

// ends is how an attempt ended.
type ends struct {
	Verdict authn.Verdict
	Reason  authn.Reason
	Check   authn.StepID
}

// lastOf is the newest finished attempt of somebody.
func (h *house) lastOf(upn string) ends {
	h.t.Helper()
	last := h.records(upn)
	r := last[len(last)-1]
	if r.Locked {
		h.t.Errorf("%s was locked", upn)
	}
	return ends{r.Verdict, r.Reason, r.Check}
}

func (h *house) records(upn string) []authn.Record {
	h.t.Helper()
	rows, err := h.console.SignIns(h.t.Context(), 50)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, row := range rows {
		if row.UserPrincipalName == upn {
			trace, err := h.console.Trace(h.t.Context(), authn.AttemptID(row.ID))
			if err != nil {
				h.t.Fatal(err)
			}
			return trace.Records
		}
	}
	h.t.Fatalf("no attempt of %s is in the log", upn)
	return nil
}

func (h *house) breaks(s fault.Setting) {
	h.t.Helper()
	if _, err := h.lab.Board().Set(s); err != nil {
		h.t.Fatal(err)
	}
}

// federated are the domains whose people sign in elsewhere, by protocol.
func federated() map[string]string {
	return map[string]string{"saml": world.SAMLDomain, "oidc": world.OIDCDomain}
}

func denied(r authn.Reason, check authn.StepID) ends { return ends{authn.Denied, r, check} }

func TestWhatAnIdentityProviderDoesWrongIsFoundOut(t *testing.T) {
	h := openHouse(t, nil)
	h.populate()
	for name, want := range map[string]ends{ // by SAML and by OpenID Connect alike
		"idp-wrong-signature":   denied(authn.SignatureInvalid, authn.F4Signature),
		"idp-expired-assertion": denied(authn.AssertionTime, authn.F4Time),
		"idp-wrong-audience":    denied(authn.AudienceMismatch, authn.F4Audience),
		// What was sent before answers another request: that is found before anybody asks whether it was used.
		"idp-replay":        denied(authn.StateMismatch, authn.F4InResponse),
		"idp-wrong-subject": denied(authn.ImmutableIDMismatch, authn.F4Subject),
	} {
		for protocol, domain := range federated() {
			t.Run(name+"/"+protocol, func(t *testing.T) { h.in(t).meets(name, domain, want) })
		}
	}
}

// OpenID Connect fetches the new key when it meets it (OpenID Connect Core 10.1.1); SAML knows what its metadata said. A
// house of its own, since a gateway that met many wrong signatures fetches keys less often.
func TestARolledOverKeyIsFoundByOpenIDConnectAlone(t *testing.T) {
	h := openHouse(t, nil)
	h.populate()
	h.meets("idp-cert-rotated", world.SAMLDomain, denied(authn.SignatureInvalid, authn.F4Signature))
	h.meets("idp-cert-rotated", world.OIDCDomain, ends{Verdict: authn.Allowed})
}

// meets breaks something for one person, for one answer and for everybody, and mends it.
func (h *house) meets(name, domain string, want ends) {
	h.t.Helper()
	alice, rita := "alice@"+domain, "rita@"+domain
	struck := func(upn string, s fault.Setting) {
		h.t.Helper()
		s.Name = name
		h.breaks(s)
		session, err := h.away(upn)
		if got := h.lastOf(upn); err != nil || got != want || (session != "") != (want.Verdict == authn.Allowed) {
			h.t.Errorf("%+v: %+v, session %q, %v; want %+v", s, got, session, err, want)
		}
	}
	h.signsIn(alice, "before")
	struck(alice, fault.Setting{Scope: "user=" + alice})
	h.signsIn(rita, "who is not meant")
	struck(alice, fault.Setting{Scope: "domain=" + domain, Next: 1})
	h.signsIn(alice, "the one after the next")
	struck(rita, fault.Setting{})
	h.lab.Board().ClearAll()
	h.signsIn(alice, "after")
	h.signsIn(rita, "after")
}

// in is the house for a subtest.
func (h *house) in(t *testing.T) *house {
	h2 := *h
	h2.t = t
	return &h2
}

func TestAShareOfTheAnswersIsHit(t *testing.T) {
	h := openHouse(t, nil)
	h.populate()
	alice := "alice@" + world.SAMLDomain
	h.breaks(fault.Setting{Name: "idp-wrong-audience", Rate: 0.5})
	refused := 0
	const all = 24 // one in eight million runs would see no difference
	for range all {
		if session, _ := h.away(alice); session == "" {
			refused++
		}
	}
	hits := h.lab.Board().Active()[0].Hits
	if refused != hits || hits == 0 || hits == all {
		t.Errorf("%d of %d were refused, %d were hit", refused, all, hits)
	}
}

func TestABrokenIdentityProviderLocksNobodyOut(t *testing.T) {
	h := openHouse(t, nil)
	h.populate()
	for _, domain := range federated() {
		alice := "alice@" + domain
		h.breaks(fault.Setting{Name: "idp-wrong-subject", Scope: "domain=" + domain})
		for range 2 * h.config.Lockout.Threshold {
			if session, err := h.away(alice); session != "" || err != nil {
				t.Fatalf("session %q, %v", session, err)
			}
			h.lastOf(alice)
		}
		h.lab.Board().ClearAll()
		h.signsIn(alice, "after many refused answers")
	}
}

func TestAnIdentityProviderThatIsDownIsDownForThoseWhoAreMeant(t *testing.T) {
	h := openHouse(t, nil)
	h.populate()
	for protocol, domain := range federated() {
		t.Run(protocol, func(t *testing.T) {
			h := h.in(t)
			alice, rita := "alice@"+domain, "rita@"+domain
			h.signsIn(alice, "before")
			h.down(alice, fault.Setting{Name: "idp-down", Scope: "user=" + alice})
			h.signsIn(rita, "who is not meant")
			h.down(alice, fault.Setting{Name: "idp-down", Scope: "domain=" + domain, Next: 1})
			h.signsIn(alice, "the one after the next")
			h.down(alice, fault.Setting{Name: "idp-down"})
			if res, err := http.Get(h.lab.IdPURL()); err == nil {
				t.Error("its socket is open")
				_ = res.Body.Close()
			}
			h.lab.Board().ClearAll()
			h.signsIn(alice, "after")
		})
	}
}

// down fails unless somebody's browser gets no answer, and the attempt stays open.
func (h *house) down(upn string, s fault.Setting) {
	h.t.Helper()
	h.breaks(s)
	a := h.post("/signin", jsonType, []byte(`{"username":"`+upn+`"}`))
	var asked struct{ Challenge struct{ URL string } }
	if err := json.Unmarshal(a.Raw, &asked); err != nil || asked.Challenge.URL == "" {
		h.t.Fatalf("%+v: %d %s", s, a.Status, a.Raw)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	if res, err := (&http.Client{Jar: jar, Timeout: hang}).Get(asked.Challenge.URL); err == nil {
		h.t.Errorf("%+v: %s answered %d", s, res.Request.URL, res.StatusCode)
		_ = res.Body.Close()
	}
	trace, err := h.console.Trace(h.t.Context(), a.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	if len(trace.Records) != 1 || trace.Records[0].Verdict != authn.Challenged {
		h.t.Errorf("%+v: the attempt isn't open: %+v", s, trace.Records)
	}
}

func TestASlowIdentityProviderIsSeenInTheTrace(t *testing.T) {
	h := openHouse(t, nil)
	h.populate()
	const late = 300 * time.Millisecond
	for _, domain := range federated() {
		alice := "alice@" + domain
		h.breaks(fault.Setting{Name: "idp-slow", Param: late.String(), Next: 1})
		h.signsIn(alice, "slowly")
		all := h.records(alice)
		steps := all[len(all)-1].Steps
		at := slices.IndexFunc(steps, func(s authn.Step) bool { return s.ID == authn.F2 })
		if at < 0 || steps[at].Took < late {
			t.Errorf("the time away isn't %s: %+v", late, steps)
		}
		if on := h.lab.Board().Active(); len(on) != 0 {
			t.Errorf("nobody was hit: %+v", on)
		}
	}
}

// Whoever forgot the new certificate reads the metadata again, and is let in under the new key and under the old one.
func TestARolledOverKeyIsTakenOnceItsMetadataIsRead(t *testing.T) {
	h := openHouse(t, nil)
	h.populate()
	alice := "alice@" + world.SAMLDomain
	h.breaks(fault.Setting{Name: "idp-cert-rotated"})
	_, _ = h.away(alice)
	if got := h.lastOf(alice); got.Reason != authn.SignatureInvalid {
		t.Errorf("before: %+v", got)
	}
	h.readMetadata(world.SAMLDomain)
	h.signsIn(alice, "with the new metadata")
	h.lab.Board().ClearAll()
	h.signsIn(alice, "under the old key again")
	h.breaks(fault.Setting{Name: "idp-cert-rotated"})
	_, _ = h.away(alice)
	if got := h.lastOf(alice); got.Reason != authn.SignatureInvalid {
		t.Errorf("rolled over once more: %+v", got)
	}
}

// readMetadata puts the identity provider's metadata of now in place, as an operator does.
func (h *house) readMetadata(domain string) {
	h.t.Helper()
	res, err := http.Get(h.lab.IdPURL() + "/saml/" + domain + "/metadata")
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(h.dir, "harbour-saml.xml"), text, 0o600); err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.console.Reload(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}
