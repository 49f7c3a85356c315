package saml

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
)

// TestProviderKeepsThePromisesOfAll runs the suite that every path runs.
func TestProviderKeepsThePromisesOfAll(t *testing.T) {
	account, realm := alice()
	authntest.TestProvider(t, authntest.Harness{Provider: testProvider(t, nil), Account: account, Realm: realm})
}

// TestHonestProductsAreLetIn holds what real identity providers send and the checks must not refuse.
func TestHonestProductsAreLetIn(t *testing.T) {
	curve := func(c *Config) { c.IdP.Certificates = []*x509.Certificate{curveKey().cert} }
	for _, c := range []struct {
		name   string
		change func(*Config)
		forge  forgery
	}{
		{"as Microsoft documents it", nil, forgery{}},
		{"SHA-384", nil, forgery{signing: signing{method: dsig.RSASHA384SignatureMethod, hash: crypto.SHA384, digest: "http://www.w3.org/2001/04/xmldsig-more#sha384"}}},
		{"SHA-512", nil, forgery{signing: signing{method: dsig.RSASHA512SignatureMethod, hash: crypto.SHA512, digest: "http://www.w3.org/2001/04/xmlenc#sha512"}}},
		{"ECDSA", curve, forgery{by: curveKey()}},
		{"ECDSA in DER", curve, forgery{by: curveKey(), signing: signing{derECDSA: true}}},
		{"no KeyInfo", nil, forgery{signing: signing{noKeyInfo: true}}},
		{"another certificate in KeyInfo, of no weight", nil, forgery{by: keyPair{idpKey().key, foreignKey().cert}}},
		{"a list of inclusive prefixes", nil, forgery{edit: set("Assertion", "xmlns:xs", "http://www.w3.org/2001/XMLSchema"), signing: signing{prefixList: "xs"}}},
		{"XML declaration", nil, forgery{raw: func(b []byte) []byte { return append([]byte(`<?xml version="1.0" encoding="UTF-8"?>`+"\n"), b...) }}},
		{"no Destination on an unsigned response", nil, forgery{edit: unset("", "Destination")}},
		{"no Issuer on the response", nil, forgery{edit: remove("Issuer")}},
		{"no NotBefore", nil, forgery{edit: unset(conds, "NotBefore")}},
		{"no SessionNotOnOrAfter", nil, forgery{edit: unset(authnStmt, "SessionNotOnOrAfter")}},
		{"OneTimeUse", nil, forgery{edit: insert(conds, `<saml:OneTimeUse`+samlNS+`/>`)}},
		{"our audience twice", nil, forgery{edit: insert(conds, `<saml:AudienceRestriction`+samlNS+`><saml:Audience>`+ourName+`</saml:Audience></saml:AudienceRestriction>`)}},
		{"our name as the qualifier", nil, forgery{edit: set(subject+"/NameID", "SPNameQualifier", ourName)}},
		{"a clock that is a minute fast", nil, forgery{edit: all(shift("", "IssueInstant", time.Minute), shift("Assertion", "IssueInstant", time.Minute), shift(conds, "NotBefore", time.Minute))}},
		{"a clock that is a minute slow", nil, forgery{edit: all(shift("", "IssueInstant", -time.Minute), shift("Assertion", "IssueInstant", -time.Minute), shift(confData, "NotOnOrAfter", -time.Minute))}},
		{"a name encoded for HTML", nil, forgery{edit: setText(subject+"/NameID", strings.NewReplacer("/", ".2F", "=", ".3D").Replace(anchorOf))}},
		{"as many elements as are taken", nil, forgery{edit: func(t testing.TB, r *etree.Element) {
			values := find(t, r, "Assertion/AttributeStatement").CreateElement("saml:Attribute")
			const signature = 14 // its elements
			already := len(r.FindElements(".//*")) + 1
			for range responseLimits.elements - already - signature {
				values.CreateElement("saml:AttributeValue").SetText("g")
			}
		}}},
		{"typed attribute values", nil, forgery{edit: all(
			set("Assertion/AttributeStatement/Attribute/AttributeValue", "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
			set("Assertion/AttributeStatement/Attribute/AttributeValue", "xsi:type", "xs:string"),
			set("Assertion/AttributeStatement/Attribute/AttributeValue", "xmlns:xs", "http://www.w3.org/2001/XMLSchema"))}},
		{"no prefixes at all", nil, forgery{edit: func(_ testing.TB, r *etree.Element) {
			for _, el := range append([]*etree.Element{r}, r.FindElements(".//*")...) {
				if el.Space == "samlp" && el.Tag == "Response" {
					el.CreateAttr("xmlns", nsProtocol)
				}
				if el.Space == "saml" && (el.Tag == "Assertion" || el.Parent() == r) {
					el.CreateAttr("xmlns", nsAssertion)
				}
				el.Space = ""
			}
		}}},
	} {
		t.Run(c.name, func(t *testing.T) { allowed(t, c.forge.play(t, testProvider(t, c.change))) })
	}
}

func TestAllowedTellsHowAndUntilWhen(t *testing.T) {
	p := testProvider(t, nil)
	out := forgery{}.play(t, p)
	allowed(t, out)
	if !slices.Equal(out.Proof.Methods, []string{"pwd"}) || !strings.HasSuffix(out.Proof.Context, "PasswordProtectedTransport") || !strings.HasPrefix(out.Proof.IdPSession, "_s") {
		t.Errorf("proof %+v", out.Proof)
	}
	// Stored times stand on the policy clock, a year from the real one: the session ends an hour from now there.
	near := func(name string, got, want time.Time) {
		if d := got.Sub(want).Abs(); d > 30*time.Second {
			t.Errorf("%s is %s, want about %s", name, got, want)
		}
	}
	near("sign-in", out.Proof.At, policyNow)
	near("end of session", out.Proof.NotAfter, policyNow.Add(time.Hour))
	if len(out.Once) != 1 || out.Once[0].Kind != "assertion" || !strings.HasPrefix(out.Once[0].ID, idpIssuer+" _a") {
		t.Fatalf("once %+v", out.Once)
	}
	near("end of the replay memory", out.Once[0].Until, policyNow.Add(5*time.Minute+defaultSkew))
}

func TestEvidenceOfASignIn(t *testing.T) {
	p := testProvider(t, nil)
	asked := p.Step(t.Context(), attempt(authn.Nothing{}))
	if ids(asked.Steps) != "F1" {
		t.Errorf("asking leaves %s", ids(asked.Steps))
	}
	for fact, want := range map[authn.Fact]string{authn.FactIdP: "harbour", authn.FactProtocol: "saml", authn.FactBinding: "redirect", authn.FactIssuer: idpIssuer} {
		if got := asked.Steps[0].Facts[fact]; got != want {
			t.Errorf("F1 %s is %q, want %q", fact, got, want)
		}
	}
	out := forgery{}.play(t, p)
	allowed(t, out)
	const want = "F2 F3 F4.structure F4.signature F4.issuer F4.audience F4.recipient F4.in_response_to F4.time F4.replay F4.subject"
	if got := ids(out.Steps); got != want {
		t.Errorf("evidence %s\n    want %s", got, want)
	}
	by := map[authn.StepID]authn.Step{}
	for _, s := range out.Steps {
		by[s.ID] = s
	}
	if s := by[authn.F2]; s.From != authn.IdP || s.Facts[authn.FactGot] == "" {
		t.Errorf("the time away is drawn as seen: %+v", s)
	}
	if s := by[authn.F3]; s.Held[authn.Gateway] != authn.FormAssertion {
		t.Errorf("the arrival holds %v", s.Held)
	}
	if s := by[authn.F4Signature]; s.Facts[authn.FactAlgorithm] != "rsa-sha256" {
		t.Errorf("signature facts %v", s.Facts)
	}
	if s := by[authn.F4Subject]; s.Facts[authn.FactGot] != anchorOf || s.Held[authn.Gateway] != authn.FormNone {
		t.Errorf("subject %+v", s)
	}
	text, err := json.Marshal(out.Steps)
	if err != nil || len(text) > 8<<10 {
		t.Errorf("%d bytes of evidence, %v", len(text), err)
	}
}

func ids(steps []authn.Step) string {
	var all []string
	for _, s := range steps {
		all = append(all, string(s.ID))
	}
	return strings.Join(all, " ")
}

func TestMatchByNameNeedsTheAttribute(t *testing.T) {
	byName := func(a *authn.Attempt, _ *authn.Callback) { a.Realm.Match = authn.MatchUPN }
	p := testProvider(t, nil)
	allowed(t, forgery{attempt: byName}.play(t, p))
	allowed(t, forgery{attempt: byName, edit: setText("Assertion/AttributeStatement/Attribute/AttributeValue", upnOf)}.play(t, p))
	denied(t, forgery{attempt: byName, edit: remove("Assertion/AttributeStatement")}.play(t, p), authn.SubjectUnknown, authn.F4Subject)
	out := forgery{edit: remove("Assertion/AttributeStatement")}.play(t, p) // by anchor nobody needs it
	if out.Verdict != authn.Allowed || out.Subject.UPN != "" {
		t.Errorf("%v %+v: %v", out.Verdict, out.Subject, out.Err)
	}
}

// TestOneAssertionOneSignIn goes through the flow: the second use of an assertion is refused where it is stored.
func TestOneAssertionOneSignIn(t *testing.T) {
	p := testProvider(t, nil)
	account, realm := alice()
	w := &authntest.World{
		Clock: authntest.NewClock(policyNow), Provider: p,
		People: map[string]authn.Account{upnOf: account}, RealmOf: map[string]authn.Realm{"saml.example.test": realm},
	}
	flow := w.Flow()
	begun := flow.SignIn(t.Context(), authn.Request{Typed: upnOf, Answer: authn.Nothing{}})
	if begun.Pending == nil {
		t.Fatalf("%v %v", begun.Outcome.Verdict, begun.Outcome.Err)
	}
	var k kept
	if err := json.Unmarshal(begun.Pending.Kept, &k); err != nil {
		t.Fatal(err)
	}
	cb := authn.Callback{IdP: "harbour", Binding: "post", Values: map[string][]string{"SAMLResponse": {forgery{}.encode(t, k.Request)}, "RelayState": {k.Relay}}}
	first := flow.Continue(t.Context(), *begun.Pending, cb, authn.Place{})
	if first.Outcome.Verdict != authn.Allowed || first.Account.ID != account.ID {
		t.Fatalf("first use: %v %v: %v", first.Outcome.Verdict, first.Outcome.Reason, first.Outcome.Err)
	}
	second := flow.Continue(t.Context(), *begun.Pending, cb, authn.Place{})
	if second.Outcome.Verdict != authn.Denied || second.Outcome.Reason != authn.Replay || second.Outcome.Check != authn.F4Replay {
		t.Errorf("second use: %v %v", second.Outcome.Verdict, second.Outcome.Reason)
	}
	other := forgery{edit: setText(subject+"/NameID", otherOf)}
	cb.Values["SAMLResponse"] = []string{other.encode(t, k.Request)}
	if out := flow.Continue(t.Context(), *begun.Pending, cb, authn.Place{}).Outcome; out.Reason != authn.ImmutableIDMismatch {
		t.Errorf("another person's assertion: %v %v", out.Verdict, out.Reason)
	}
}

func TestTheIdentityProvidersNoIsToldApart(t *testing.T) {
	no := all(remove("Assertion"), func(t testing.TB, r *etree.Element) {
		code := find(t, r, "Status/StatusCode")
		code.CreateAttr("Value", "urn:oasis:names:tc:SAML:2.0:status:Responder")
		code.CreateElement("samlp:StatusCode").CreateAttr("Value", "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed")
	})
	p := testProvider(t, nil)
	out := forgery{edit: no}.play(t, p)
	denied(t, out, authn.IdPError, authn.F3)
	if got := out.Steps[1].Facts[authn.FactCode]; got != "Responder/AuthnFailed" {
		t.Errorf("status code %q", got)
	}
	stray := forgery{edit: all(no, set("", "InResponseTo", "id-other"))}.play(t, p)
	denied(t, stray, authn.StateMismatch, authn.F4InResponse)
	half := forgery{edit: set("Status/StatusCode", "Value", "urn:oasis:names:tc:SAML:2.0:status:Requester")}
	denied(t, half.play(t, p), authn.IdPError, authn.F3) // an assertion under a status of failure is not read
}

func TestBusyIsNotNo(t *testing.T) {
	p := testProvider(t, func(c *Config) { c.Policy.AtOnce = 1 })
	if !p.work.TryAcquire(1) {
		t.Fatal("no place at the start")
	}
	out := forgery{}.play(t, p)
	if out.Verdict != authn.Unavailable || out.Reason != authn.Overloaded {
		t.Errorf("all places taken: %v %v", out.Verdict, out.Reason)
	}
	p.work.Release(1)
	allowed(t, forgery{}.play(t, p))
}

func TestMethods(t *testing.T) {
	const classes = "urn:oasis:names:tc:SAML:2.0:ac:classes:"
	for class, want := range map[string]string{
		classes + "Password": "pwd", classes + "Smartcard": "sc", classes + "SmartcardPKI": "sc mfa", classes + "TimeSyncToken": "otp",
		"http://schemas.microsoft.com/claims/multipleauthn": "mfa", "http://schemas.microsoft.com/claims/wiaormultiauthn": "",
		classes + "unspecified": "", "": "",
	} {
		if got := strings.Join(methods(class), " "); got != want {
			t.Errorf("%s claims %q, want %q", class, got, want)
		}
	}
}

func TestAnchor(t *testing.T) {
	for name, want := range map[string]string{
		anchorOf: anchorOf, "q83vASNFZ4mrze8BI0VniQ.3D.3D": otherOf, "a.2Bb.2fc": "a+b/c", "a.41": "a.41", ".": ".",
	} {
		if got := anchor(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}

// TestLibraryTolerancesAreTheWidest: the library's package variables must never be tighter than a provider's own.
func TestLibraryTolerancesAreTheWidest(t *testing.T) {
	testProvider(t, func(c *Config) { c.Policy.Skew, c.Policy.MaxIssueDelay = longestSkew, longestIssueDelay })
	if crewjam.MaxClockSkew < longestSkew || crewjam.MaxIssueDelay < longestSkew+longestIssueDelay {
		t.Errorf("skew %s, issue delay %s", crewjam.MaxClockSkew, crewjam.MaxIssueDelay)
	}
}

var _ authn.Provider = (*Provider)(nil)
