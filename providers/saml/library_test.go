package saml

import (
	"strings"
	"testing"

	"github.com/beevik/etree"
)

// TestLibraryPanicsAreRefusals shows what the checks before the library keep away from it: it panics on these.
func TestLibraryPanicsAreRefusals(t *testing.T) {
	p := testProvider(t, nil)
	if a, err := p.lastWord(honest(t, forgery{}), "id-another"); err != nil || a.Subject.NameID.Value != anchorOf {
		t.Fatalf("an honest response: %v", err)
	}
	for name, e := range map[string]edit{
		"no Conditions": remove(conds), "no Subject": remove(subject), "no SubjectConfirmationData": remove(confData),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := p.lastWord(honest(t, forgery{edit: e}), "id-another")
			if err == nil || !strings.Contains(err.Error(), "panicked") {
				t.Errorf("%v: if the library has learnt it, this test and the recover that it holds may go", err)
			}
		})
	}
}

// TestLastWord holds the library's veto, and that two readers who find two persons let nobody in.
func TestLastWord(t *testing.T) {
	p := testProvider(t, nil)
	exchanged := func(f forgery, change func(*exchange)) finding {
		x := &exchange{p: p, kept: kept{Request: "id-another"}, raw: honest(t, f), now: realNow()}
		root, err := parse(x.raw)
		if err != nil {
			t.Fatal(err)
		}
		if x.said, err = readStatement(root.SelectElement("Assertion"), defaultUPNAttribute); err != nil {
			t.Fatal(err)
		}
		x.name = x.said.name.value
		change(x)
		return x.checkLibrary()
	}
	if f := exchanged(forgery{}, func(*exchange) {}); f.err != nil {
		t.Fatalf("honest: %v", f.err)
	}
	for name, f := range map[string]finding{
		"another person":    exchanged(forgery{}, func(x *exchange) { x.name = otherOf }),
		"another assertion": exchanged(forgery{}, func(x *exchange) { x.said.id = "_other" }),
		"another request":   exchanged(forgery{}, func(x *exchange) { x.kept.Request = "id-third" }),
		"a foreign key":     exchanged(forgery{by: foreignKey()}, func(*exchange) {}),
		"no person":         exchanged(forgery{edit: func(t testing.TB, r *etree.Element) { remove(subject+"/NameID")(t, r) }}, func(*exchange) {}),
	} {
		if f.err == nil {
			t.Errorf("%s: the library's word is not heard", name)
		}
	}
}
