package trace

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/golden"
)

// began is when every attempt of these tests begins.
func began() time.Time { return time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC) }

// step begins ms after the attempt did.
func step(ms int, id authn.StepID, from, to authn.Lane, took time.Duration) authn.Step {
	return authn.Step{ID: id, From: from, To: to, Result: authn.StepOK, At: began().Add(time.Duration(ms) * time.Millisecond), Took: took}
}

func record(path authn.Path, v authn.Verdict, r authn.Reason, steps ...authn.Step) authn.Record {
	return authn.Record{
		ID: "6f1c5a52-0000-4000-8000-000000000001", Began: began(), At: began(), Took: 41 * time.Millisecond,
		Who: "alice@" + string(path) + ".example.test", Verdict: v, Reason: r, Final: v != authn.Challenged, Steps: steps,
		Realm: authn.Realm{Domain: string(path) + ".example.test", Path: path, Rule: "domain " + string(path) + ".example.test"},
	}
}

func opening(path authn.Path) []authn.Step {
	return []authn.Step{
		step(0, authn.C1, authn.Browser, authn.Gateway, 0),
		step(0, authn.C2, authn.Gateway, authn.Store, time.Millisecond).With(authn.FactDomain, string(path)+".example.test").
			With(authn.FactPath, string(path)).With(authn.FactRule, "domain "+string(path)+".example.test"),
		step(1, authn.C3, authn.Gateway, authn.Store, 300*time.Microsecond).With(authn.FactRemaining, "10"),
	}
}

func cloudRecord() authn.Record {
	return record(authn.PathCloud, authn.Allowed, authn.None, append(opening(authn.PathCloud),
		step(2, authn.K1, authn.Browser, authn.Gateway, 0).Hold(authn.Browser, authn.FormClear).Hold(authn.Gateway, authn.FormClear),
		step(2, authn.K2, authn.Store, authn.Gateway, time.Millisecond).With(authn.FactScheme, "argon2id").Hold(authn.Store, authn.FormArgon2id+authn.Stored),
		step(3, authn.K3, authn.Gateway, authn.Gateway, 34*time.Millisecond).With(authn.FactScheme, "argon2id").With(authn.FactParams, "m=19456,t=2,p=1").With(authn.FactWait, "4ms"),
		step(38, authn.C10, authn.Gateway, authn.Gateway, 0).Hold(authn.Gateway, authn.FormNone),
		step(38, authn.C7, authn.Gateway, authn.Gateway, 0), step(40, authn.C9, authn.Gateway, authn.Browser, 0),
	)...)
}

func phsRecord() authn.Record {
	wrong := step(12, authn.H6, authn.Gateway, authn.Gateway, 0).With(authn.FactReason, "bad_password")
	wrong.Result = authn.StepRefused
	r := record(authn.PathPHS, authn.Denied, authn.BadPassword, append(opening(authn.PathPHS),
		step(2, authn.H0, authn.Sync, authn.Store, time.Millisecond).With(authn.FactSynced, "2026-03-01T08:58:48Z").With(authn.FactRun, "run-1").Hold(authn.Store, authn.FormHashOfHash+authn.Stored),
		step(3, authn.H1, authn.Browser, authn.Gateway, 0).Hold(authn.Browser, authn.FormClear).Hold(authn.Gateway, authn.FormClear),
		step(3, authn.H2, authn.Gateway, authn.Gateway, 0).Hold(authn.Gateway, authn.FormNTHash),
		step(3, authn.H3, authn.Gateway, authn.Gateway, 0).With(authn.FactLength, "64"),
		step(3, authn.H4, authn.Store, authn.Gateway, 0).With(authn.FactLength, "10"),
		step(4, authn.H5, authn.Gateway, authn.Gateway, 8*time.Millisecond).With(authn.FactRounds, "1000").With(authn.FactWait, "1ms").Hold(authn.Gateway, authn.FormHashOfHash),
		wrong,
		step(13, authn.C10, authn.Gateway, authn.Gateway, 0).Hold(authn.Gateway, authn.FormNone),
	)...)
	r.Check = authn.H6
	return r
}

func ptaRecord() authn.Record {
	slow := step(5, authn.P4, authn.Queue, authn.Agent, 2*time.Millisecond).With(authn.FactWait, "2ms").Hold(authn.Queue, authn.SealedFor("agent-1"))
	slow.Fault = "dc-slow"
	return record(authn.PathPTA, authn.Allowed, authn.None, append(opening(authn.PathPTA),
		step(2, authn.P1, authn.Browser, authn.Gateway, 0).Hold(authn.Browser, authn.FormClear).Hold(authn.Gateway, authn.FormClear),
		step(3, authn.P2, authn.Gateway, authn.Queue, 0).With(authn.FactAgent, "agent-1"),
		step(4, authn.P3, authn.Gateway, authn.Queue, 0).With(authn.FactAgent, "agent-1").With(authn.FactAlgorithm, "MLKEM768X25519").Hold(authn.Gateway, authn.SealedFor("agent-1")),
		slow,
		step(8, authn.P5, authn.Agent, authn.Agent, time.Millisecond).Hold(authn.Agent, authn.FormClear),
		step(9, authn.P6, authn.Agent, authn.OnpremDir, 20*time.Millisecond).With(authn.FactServer, "DC01").Hold(authn.OnpremDir, authn.FormClear),
		step(29, authn.P7, authn.OnpremDir, authn.Agent, 0).With(authn.FactCode, "0"),
		step(30, authn.P8, authn.Agent, authn.Gateway, time.Millisecond).Hold(authn.Agent, authn.FormNone).Hold(authn.OnpremDir, authn.FormNone),
		step(32, authn.P9, authn.Gateway, authn.Gateway, 0),
		step(33, authn.C10, authn.Gateway, authn.Gateway, 0).Hold(authn.Gateway, authn.FormNone),
		step(34, authn.C7, authn.Gateway, authn.Gateway, 0), step(40, authn.C9, authn.Gateway, authn.Browser, 0),
	)...)
}

// federatedRecords are two steps, handed over in the wrong order.
func federatedRecords() []authn.Record {
	realm := func(r authn.Record) authn.Record {
		r.Realm.IdP, r.Realm.Protocol, r.Realm.Issuer = "harbour", "saml", "https://idp.example"
		return r
	}
	first := realm(record(authn.PathFederated, authn.Challenged, authn.None, append(opening(authn.PathFederated)[:2],
		step(1, authn.F1, authn.Gateway, authn.Browser, time.Millisecond).With(authn.FactIdP, "harbour").With(authn.FactProtocol, "saml").With(authn.FactBinding, "redirect"))...))
	first.Challenge = authn.Redirect
	foreign := step(9002, authn.F4Audience, authn.Gateway, authn.Gateway, 0).With(authn.FactExpected, "https://login.example").With(authn.FactGot, "https://evil\x1b[2J").With(authn.FactReason, "audience_mismatch")
	foreign.Result = authn.StepRefused
	away := step(2, authn.F2, authn.IdP, authn.Browser, 8998*time.Millisecond).With(authn.FactIdP, "harbour").Hold(authn.Browser, authn.FormAssertion)
	second := realm(record(authn.PathFederated, authn.Denied, authn.AudienceMismatch,
		away,
		step(9000, authn.F3, authn.Browser, authn.Gateway, 0).With(authn.FactIdP, "harbour").With(authn.FactBinding, "post").With(authn.FactLength, "4211").Hold(authn.Browser, authn.FormNone).Hold(authn.Gateway, authn.FormAssertion),
		step(9001, authn.F4Signature, authn.Gateway, authn.Gateway, time.Millisecond).With(authn.FactAlgorithm, "rsa-sha256"), foreign))
	second.Seq, second.At, second.Check, second.Cause = 1, began().Add(9*time.Second), authn.F4Audience, "the assertion is for https://evil\x1b[2J"
	return []authn.Record{second, first}
}

func TestTracesReadAsText(t *testing.T) {
	for name, records := range map[string][]authn.Record{
		"cloud": {cloudRecord()}, "phs": {phsRecord()}, "pta": {ptaRecord()}, "federated": federatedRecords(),
		"none": {record(authn.PathNone, authn.Denied, authn.DomainUnknown, step(0, authn.C1, authn.Browser, authn.Gateway, 0))},
	} {
		var b bytes.Buffer
		if err := Text(&b, records, 0); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsRune(b.String(), '\x1b') {
			t.Errorf("%s: an escape sequence reaches the terminal", name)
		}
		golden.Check(t, "testdata/"+name+".golden", b.String())
	}
}

func TestComparisonIsDrawnFromTheSteps(t *testing.T) {
	var b bytes.Buffer
	for _, records := range [][]authn.Record{{cloudRecord()}, {phsRecord()}, {ptaRecord()}, federatedRecords(), nil} {
		fmt.Fprintf(&b, "%+v\n", Compare(records, began()))
	}
	golden.Check(t, "testdata/compare.golden", b.String())
}

func TestCustodyTellsHowLongAndWhatStays(t *testing.T) {
	l := Custody([]authn.Record{ptaRecord()})
	list := func(names string) (all []authn.StepID) {
		for _, name := range strings.Fields(names) {
			all = append(all, authn.StepID(name))
		}
		return all
	}
	want := []Entry{
		{Lane: authn.Browser, Form: authn.FormClear, Step: authn.P1, Steps: list("P1 P2 P3 P4 P5 P6 P7 P8 P9 C10 C7 C9")},
		{Lane: authn.Gateway, Form: authn.FormClear, Step: authn.P1, Ended: true, For: 2 * time.Millisecond, Steps: list("P1 P2 P3")},
		{Lane: authn.Gateway, Form: authn.SealedFor("agent-1"), Step: authn.P3, Ended: true, For: 29 * time.Millisecond, Steps: list("P3 P4 P5 P6 P7 P8 P9 C10")},
		{Lane: authn.Queue, Form: authn.SealedFor("agent-1"), Step: authn.P4, Steps: list("P4 P5 P6 P7 P8 P9 C10 C7 C9")},
		{Lane: authn.Agent, Agent: "agent-1", Form: authn.FormClear, Step: authn.P5, Ended: true, For: 23 * time.Millisecond, Steps: list("P5 P6 P7 P8")},
		{Lane: authn.OnpremDir, Form: authn.FormClear, Step: authn.P6, Ended: true, For: 22 * time.Millisecond, Steps: list("P6 P7 P8")},
	}
	if diff := cmp.Diff(want, l.Entries); diff != "" {
		t.Error(diff)
	}
	if len(l.Stored()) != 0 {
		t.Errorf("pass-through stores %v", l.Stored())
	}
	if stored := Custody([]authn.Record{cloudRecord()}).Stored(); len(stored) != 1 || stored[0].Form != authn.FormArgon2id {
		t.Errorf("cloud stores %v", stored)
	}
}

func TestTimesReadAsAPersonSaysThem(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0.0 ms", 1234 * time.Microsecond: "1.2 ms", 9001 * time.Millisecond: "9001 ms", 941_873 * time.Millisecond: "15m42s", -2 * time.Minute: "-2m0s",
	} {
		if got := ms(d); got != want {
			t.Errorf("%s reads %q, want %q", d, got, want)
		}
	}
}

func TestStagesAddUpTheirSteps(t *testing.T) {
	if diff := cmp.Diff(map[string]time.Duration{
		StageRealm: time.Millisecond, StageLockout: 300 * time.Microsecond, StageHashWait: 4 * time.Millisecond, StageHash: 30 * time.Millisecond,
	}, Stages(cloudRecord().Steps)); diff != "" {
		t.Error(diff)
	}
	if got := Stages(phsRecord().Steps)[StageHash]; got != 8*time.Millisecond { // H5 begins after the wait
		t.Errorf("phs: %v", got)
	}
	if got := Stages(federatedRecords()[0].Steps)[StageAssert]; got != time.Millisecond {
		t.Errorf("federated: %v", got)
	}
}

// stepIDs reads the closed list where it is declared, so that a new id without a sentence is seen.
func stepIDs(t *testing.T) []authn.StepID {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../authn/step.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ids []authn.StepID
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "StepID" {
			id, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, authn.StepID(id))
		}
		return true
	})
	return ids
}

func TestEveryStepHasASentenceForEveryResult(t *testing.T) {
	ids := stepIDs(t)
	if len(ids) < 40 {
		t.Fatalf("only %d ids were found in authn", len(ids))
	}
	var b strings.Builder
	for _, id := range ids {
		for _, result := range []authn.StepResult{authn.StepOK, authn.StepRefused, authn.StepSkipped} {
			bare := Sentence(authn.Step{ID: id, Result: result})
			if bare == "" || strings.ContainsAny(bare, "{}[]|") {
				t.Errorf("%s %s: %q", id, result, bare)
			}
			fmt.Fprintf(&b, "%s %s: %s\n", id, result, Sentence(authn.Step{ID: id, Result: result, Facts: everyFact()}))
		}
	}
	golden.Check(t, "testdata/catalogue.golden", b.String())
	if s := Sentence(authn.Step{ID: "X1"}); s != "" {
		t.Errorf("an unknown id says %q", s)
	}
}

// K3 that goes on to the store tells of a new password; of the old one K3 says as ever whether it was right.
func TestAChangedPasswordHasSentencesOfItsOwn(t *testing.T) {
	said := map[string]bool{}
	for _, to := range []authn.Lane{authn.Gateway, authn.Store} {
		for _, result := range []authn.StepResult{authn.StepOK, authn.StepRefused, authn.StepSkipped} {
			sentence := Sentence(authn.Step{ID: authn.K3, To: to, Result: result})
			if said[sentence] || strings.Contains(sentence, "new password") != (to == authn.Store) {
				t.Errorf("to %s, %s: %q", to, result, sentence)
			}
			said[sentence] = true
		}
	}
}

func everyFact() map[authn.Fact]string {
	facts := map[authn.Fact]string{}
	for _, f := range []authn.Fact{
		authn.FactDomain, authn.FactPath, authn.FactRule, authn.FactReason, authn.FactAgent, authn.FactServer, authn.FactCode, authn.FactData,
		authn.FactScheme, authn.FactParams, authn.FactWait, authn.FactSynced, authn.FactRun, authn.FactChanged, authn.FactWithheld, authn.FactSource, authn.FactRounds, authn.FactIdP,
		authn.FactProtocol, authn.FactBinding, authn.FactIssuer, authn.FactRequest, authn.FactMatch, authn.FactExpected, authn.FactGot,
		authn.FactRemaining, authn.FactUntil, authn.FactAlgorithm, authn.FactLength, authn.FactDecoy, authn.FactLicences,
	} {
		facts[f] = "<" + string(f) + ">"
	}
	return facts
}

func FuzzSentence(f *testing.F) {
	f.Add("F4.audience", "refused", "got", "]{reason}[")
	f.Fuzz(func(t *testing.T, id, result, fact, value string) {
		s := authn.Step{ID: authn.StepID(id), Result: authn.StepResult(result), Facts: map[authn.Fact]string{authn.Fact(fact): value}}
		if strings.ContainsAny(Sentence(s), "\x1b\n\r") {
			t.Fatal("a control character comes through")
		}
	})
}

func TestTheHashStepSaysWhatIsKnownOfThePremises(t *testing.T) {
	at := began()
	told := func(r authn.StepResult, facts ...string) string {
		s := authn.Step{ID: authn.H0, Result: r, At: at}
		for i := 0; i < len(facts); i += 2 {
			s = s.With(authn.Fact(facts[i]), facts[i+1])
		}
		return Sentence(s)
	}
	changed := at.Add(-21 * time.Second).Format(time.RFC3339)
	long := at.Add(-3*time.Hour - 5*time.Second).Format(time.RFC3339)
	later := at.Add(time.Hour).Format(time.RFC3339)
	for _, c := range []struct{ got, want string }{
		{told(authn.StepOK, "synced", "T", "run", "r-1"), "Earlier: the password's hash was synchronised at T by run r-1."},
		{told(authn.StepOK, "synced", "T", "run", "r-1", "changed", changed), "Earlier: the password's hash was synchronised at T by run r-1; changed on-premises 0:21 ago, not yet synchronised."},
		{told(authn.StepOK, "run", "r-1", "changed", long, "withheld", "temporary"), "Earlier: the password's hash was synchronised by run r-1; changed on-premises 3:00:05 ago, not yet synchronised, withheld until it is changed."},
		{told(authn.StepOK, "synced", "T", "source", "cloud"), "Earlier: the password was set in the cloud at T."},
		{told(authn.StepOK, "source", "cloud", "changed", later), "Earlier: the password was set in the cloud; changed on-premises 0:00 ago, not yet synchronised."},
		{told(authn.StepOK, "run", "r-1", "withheld", "filtered"), "Earlier: the password's hash was synchronised by run r-1; withheld by its adminDescription."},
		{told(authn.StepSkipped), "No synchronised hash was there to load: decoy work keeps the time the same."},
		{told(authn.StepSkipped, "withheld", "missing"), "No synchronised hash was there to load; its hash is missing: decoy work keeps the time the same."},
		{told(authn.StepSkipped, "changed", changed, "withheld", "temporary"), "No synchronised hash was there to load; changed on-premises 0:21 ago, not yet synchronised, withheld until it is changed: decoy work keeps the time the same."},
	} {
		if c.got != c.want {
			t.Errorf("%s\nwant %s", c.got, c.want)
		}
	}
	for source, want := range map[string]string{"": "no (last sync 1m0s ago)", "cloud": "no (set in the cloud 1m0s ago)"} {
		h0 := authn.Step{ID: authn.H0, Result: authn.StepOK}.With(authn.FactSynced, at.Format(time.RFC3339)).With(authn.FactSource, source)
		if got := Compare([]authn.Record{{Steps: []authn.Step{h0}}}, at.Add(time.Minute)).DCContacted; got != want {
			t.Errorf("compared: %q, want %q", got, want)
		}
	}
	temporary := authn.Step{ID: authn.H6, Result: authn.StepRefused}
	if got := Sentence(temporary.With(authn.FactReason, "cloud_must_change")); !strings.HasPrefix(got, "The result equals") {
		t.Error(got)
	}
	if got := Sentence(temporary); got != "The result is not what was synchronised." {
		t.Error(got)
	}
}
