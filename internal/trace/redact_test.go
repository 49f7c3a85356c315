package trace

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
)

func traced(t *testing.T) Attempt {
	a := stories(t)["federated-allowed"]
	for i := range a.Records {
		r := &a.Records[i]
		r.Name, r.Cause = "Alice Arden", "ALICE@federated.example.test is not bob@other.example.test"
		r.Place = authn.Place{Addr: netip.MustParseAddr("192.0.2.77"), UserAgent: "Browser/1"}
		r.Proof.IdPSession = "session-77"
	}
	last := &a.Records[1]
	last.Steps[4] = last.Steps[4].With(authn.FactGot, "Alice Arden")
	return a
}

func TestMaskHidesPeopleEverywhereTheSameWay(t *testing.T) {
	a := Redact(traced(t), Mask)
	for name, draw := range drawings() {
		out := drawn(t, draw, a)
		for _, leak := range []string{"alice", "Alice", "ALICE", "Arden", "bob@", "192.0.2.77", "session-77", "q/bvBg"} {
			if strings.Contains(out, leak) {
				t.Errorf("%s: %s is still there", name, leak)
			}
		}
	}
	if got := a.Records[0].Who; got != "a***e@federated.example.test" || a.Away[0].Who != got || !strings.HasPrefix(a.Records[0].Cause, got) {
		t.Errorf("%q, %q, %q", got, a.Away[0].Who, a.Records[0].Cause)
	}
	if got := a.Records[0].Place.Addr.String(); got != "192.0.0.0" {
		t.Errorf("the address is %s", got)
	}
	if traced(t).Records[0].Who != "alice@federated.example.test" {
		t.Error("the original was changed")
	}
}

func TestRemoveLeavesNeitherPeopleNorServers(t *testing.T) {
	out := drawn(t, JSON, Redact(traced(t), Remove))
	for _, leak := range []string{"alice", "Arden", "a***e", "192.0", "example.test", "idp.example", "harbour", "id-1", "Browser/1", "session-77"} {
		if strings.Contains(out, leak) {
			t.Errorf("%s is still there", leak)
		}
	}
	if !strings.Contains(out, "F4.signature") || !strings.Contains(out, "rsa-sha256") {
		t.Error("the evidence is gone too")
	}
}

func TestNoneShowsWhatIsThereAndAnythingElseMasks(t *testing.T) {
	if got := Redact(traced(t), Unmasked).Records[0].Who; got != "alice@federated.example.test" {
		t.Error(got)
	}
	if got := Redact(traced(t), "").Records[0].Who; got != "a***e@federated.example.test" {
		t.Error(got)
	}
	if _, err := ParseRedaction("some"); err == nil {
		t.Error("some is a redaction")
	}
}

func TestMasksOfNames(t *testing.T) {
	m := &masker{how: Mask}
	for name, want := range map[string]string{
		"alice@example.test": "a***e@example.test", "bo@example.test": "***@example.test", "Alice Adams": "A***e A***s",
		"hunter2-in-the-wrong-field": "***", "": "", "a***e@example.test": "a***e@example.test", "élodie@example.test": "é***e@example.test",
	} {
		if got := m.person(name); got != want {
			t.Errorf("%q is masked as %q, want %q", name, got, want)
		}
	}
}
