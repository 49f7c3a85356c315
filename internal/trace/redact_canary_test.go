package trace

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
)

// canary puts one person into all that a trace can hold: each text names her in another way.
func canary(a Attempt) Attempt {
	const who, name = "kanarienvogel@phs.example.test", "Zilpzalp Ortolan"
	ways := []string{
		"KANARIENVOGEL@phs.example.test", "CORP\\kanarienvogel", "uid=kanarienvogel,ou=people,dc=example", "CN=Ortolan\\, Zilpzalp,OU=People",
		"login_hint=kanarienvogel%40phs.example.test", "z.ortolan@corp.example.test", "(sAMAccountName=zortolan)", "no such user: kanarienvogel",
		"Ortolan, Zilpzalp", `"o'rtolan@corp.example.test"`, "CORP\\zortolan",
	}
	if Has(allSteps(a.Records), authn.F4Subject) { // only there is an anchor told
		ways = append(ways, "anchor WklMUFpBTFA==")
	}
	n := 0
	next := func() string {
		n++
		return ways[n%len(ways)]
	}
	records := slices.Clone(a.Records)
	for i := range records {
		r := &records[i]
		r.Who, r.Name, r.Account, r.Cause = who, name, "account-of-zilpzalp", next()
		r.Cause = strings.Join(ways, "; ")
		r.Place = authn.Place{Addr: netip.MustParseAddr("2001:db8:77::99"), UserAgent: next(), App: next()}
		r.Proof = authn.Proof{Methods: []string{next()}, Context: next(), IdPSession: next()}
		r.Realm.Rule = next()
		r.Steps = slices.Clone(r.Steps)
		for k, s := range r.Steps {
			facts := maps.Clone(s.Facts)
			for _, f := range []authn.Fact{authn.FactGot, authn.FactExpected, authn.FactServer, authn.FactIssuer, authn.FactAlgorithm, authn.FactReason, "a new one"} {
				s = s.With(f, next())
			}
			if s.ID == authn.F4Subject {
				s = s.With(authn.FactGot, "WklMUFpBTFA==")
			}
			if _, ok := facts[authn.FactRule]; ok {
				s = s.With(authn.FactRule, next())
			}
			s.Fault = next()
			r.Steps[k] = s
		}
	}
	away := []Away{{Request: "id-1", Who: "Zortolan", Result: next(), Reason: strings.Join(ways, "; ")}, {Who: "z.ortolan@corp.example.test", Result: next(), Reason: next()}}
	return Attempt{Records: records, Away: away}
}

func TestNoExportTellsWhoTheCanaryIs(t *testing.T) {
	draws := drawings()
	draws["json"] = JSON
	leaks := []string{"kanarienvogel", "zilpzalp", "ortolan", "rtolan@", "wklmufpbtfa", "2001:db8:77", "account-of"}
	for story, a := range stories(t) {
		a = canary(a)
		for name, draw := range draws {
			open := strings.ToLower(drawn(t, draw, Redact(a, Unmasked)))
			if !strings.Contains(open, "kanarienvogel") {
				t.Fatalf("%s as %s doesn't tell of her at all", story, name)
			}
			for _, how := range []Redaction{Mask, Remove} {
				out := strings.ToLower(drawn(t, draw, Redact(a, how)))
				for _, leak := range leaks {
					if i := strings.Index(out, leak); i >= 0 {
						t.Errorf("%s as %s, %s: %q in …%s…", story, name, how, leak, out[max(0, i-60):min(len(out), i+60)])
					}
				}
			}
		}
	}
}

func TestRemoveKeepsOnlyFactsThatAreKnownToBeHarmless(t *testing.T) {
	a := Attempt{Records: []authn.Record{record(authn.PathPTA, authn.Denied, authn.BadPassword, step(0, authn.P7, authn.OnpremDir, authn.Agent, 0).
		With("a new one", "whatever").With(authn.FactCode, "49").With(authn.FactAgent, "agent-1"))}}
	facts := Redact(a, Remove).Records[0].Steps[0].Facts
	if len(facts) != 2 || facts[authn.FactCode] != "49" || facts[authn.FactAgent] != "agent-1" {
		t.Errorf("%v", facts)
	}
}

func TestAPasswordInTheWrongFieldIsHiddenWhole(t *testing.T) {
	a := Attempt{Records: []authn.Record{record(authn.PathNone, authn.Denied, authn.DomainUnknown)}}
	for _, typed := range []string{"P@ssw0rd!", "hunter2", "a@b@c!"} {
		a.Records[0].Who = typed
		if got := Redact(a, Mask).Records[0].Who; got != "***" {
			t.Errorf("of %q is left %q", typed, got)
		}
	}
}

func TestAWordOfANameIsHiddenWhereItStandsAlone(t *testing.T) {
	m := &masker{how: Mask}
	m.know("al@example.test")
	for text, want := range map[string]string{"AL said": "*** said", "also local": "also local", "uid of al.": "uid of ***.", "(al)": "(***)"} {
		if got := m.text(text); got != want {
			t.Errorf("%q is masked as %q, want %q", text, got, want)
		}
	}
}
