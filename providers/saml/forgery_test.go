package saml

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
)

// policyNow is where the policy clock stands in tests: a year away from real time, so that mixing the two shows.
var policyNow = time.Date(2031, 3, 2, 9, 0, 0, 0, time.UTC)

func testConfig() Config {
	return Config{
		ID: "harbour", EntityID: ourName, ACSURL: ourACS,
		IdP: IdP{Issuer: idpIssuer, SSOURL: idpSSO, Certificates: []*x509.Certificate{idpKey().cert}},
	}
}

func testProvider(t testing.TB, change func(*Config)) *Provider {
	t.Helper()
	c := testConfig()
	if change != nil {
		change(&c)
	}
	p, err := New(c, authntest.NewClock(policyNow))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func alice() (authn.Account, authn.Realm) {
	return authn.Account{ID: "0a", UPN: upnOf, Anchor: anchorOf},
		authn.Realm{Domain: "saml.example.test", Path: authn.PathFederated, IdP: "harbour", Protocol: "saml", Issuer: idpIssuer, Match: authn.MatchAnchor}
}

func attempt(answer authn.Answer) authn.Attempt {
	account, realm := alice()
	return authn.Attempt{ID: "00000000-0000-4000-8000-000000000001", Who: authn.ParseIdentifier(upnOf), Account: account, Realm: realm, Answer: answer}
}

// forgery is one exchange: the zero value is an honest one, each field is one way to change it.
type forgery struct {
	by       keyPair                               // zero: the identity provider's own
	signing  signing                               // of the assertion
	unsigned bool                                  // sign nothing
	edit     func(testing.TB, *etree.Element)      // the Response, before it is signed
	after    func(testing.TB, *etree.Element)      // the Response, after
	raw      func([]byte) []byte                   // its bytes
	carried  func(map[string][]string)             // what the browser brings
	attempt  func(*authn.Attempt, *authn.Callback) // how it gets to us
}

// play asks p, answers as f says, and returns what came of it.
func (f forgery) play(t testing.TB, p *Provider) authn.Outcome {
	t.Helper()
	asked := p.Step(t.Context(), attempt(authn.Nothing{}))
	if asked.Verdict != authn.Challenged {
		t.Fatalf("the provider does not ask: %v: %v", asked.Verdict, asked.Err)
	}
	var k kept
	if err := json.Unmarshal(asked.Keep, &k); err != nil {
		t.Fatal(err)
	}
	values := map[string][]string{"SAMLResponse": {f.encode(t, k.Request)}, "RelayState": {k.Relay}}
	if f.carried != nil {
		f.carried(values)
	}
	cb := authn.Callback{IdP: "harbour", Binding: "post", Values: values}
	a := attempt(nil)
	a.Kept = asked.Keep
	if f.attempt != nil {
		f.attempt(&a, &cb)
	}
	a.Answer = cb
	return p.Step(t.Context(), a)
}

func (f forgery) encode(t testing.TB, request string) string {
	if f.by.key == nil {
		f.by = idpKey()
	}
	response := message(request, time.Now())
	if f.edit != nil {
		f.edit(t, response)
	}
	if a := response.SelectElement("Assertion"); !f.unsigned && a != nil {
		f.signing.sign(a, f.by)
	}
	if f.after != nil {
		f.after(t, response)
	}
	raw := write(response)
	if f.raw != nil {
		raw = f.raw(raw)
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// denied holds out to a refusal, its evidence to the check that refused, and the checks before it to having passed.
func denied(t testing.TB, out authn.Outcome, reason authn.Reason, step authn.StepID) {
	t.Helper()
	if out.Verdict != authn.Denied || out.Reason != reason || out.Check != step {
		t.Fatalf("%v %v at %q (%v), want denied %v at %q", out.Verdict, out.Reason, out.Check, out.Err, reason, step)
	}
	if out.Err == nil {
		t.Error("the operator is not told why")
	}
	if out.Subject != (authn.Subject{}) {
		t.Errorf("a refusal names %+v", out.Subject)
	}
	if len(out.Steps) == 0 {
		t.Fatal("no evidence")
	}
	last := len(out.Steps) - 1
	for i, s := range out.Steps {
		refused := s.ID == step && (i == last || step == authn.F3)
		if (s.Result == authn.StepRefused) != refused {
			t.Errorf("step %d of %d, %s, is %s", i+1, last+1, s.ID, s.Result)
		}
	}
}

func allowed(t testing.TB, out authn.Outcome) {
	t.Helper()
	if out.Verdict != authn.Allowed {
		t.Fatalf("%v %v at %q: %v", out.Verdict, out.Reason, out.Check, out.Err)
	}
	if want := (authn.Subject{Issuer: idpIssuer, Anchor: anchorOf, UPN: upnOf}); out.Subject != want {
		t.Fatalf("named %+v, want %+v", out.Subject, want)
	}
}
