package directory

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/net/idna"
)

func TestMailAddresses(t *testing.T) {
	for address, good := range map[string]bool{
		"orders@supplier.example":              true,
		"o.r+d'ers-1@supplier.co.uk":           true,
		"post@bücher.example":                  true,
		"post@xn--bcher-kva.example":           true,
		strings.Repeat("a", 64) + "@x.example": true,

		"":                                     false,
		"supplier.example":                     false,
		"@supplier.example":                    false,
		"orders@":                              false,
		"orders@localhost":                     false,
		"orders@supplier..example":             false,
		"orders@.example":                      false,
		"orders@-supplier.example":             false,
		"orders@sup_plier.example":             false,
		"orders@[192.0.2.1]":                   false,
		"a@b@supplier.example":                 false,
		"bücher@supplier.example":              false,
		"or ders@supplier.example":             false,
		`"or ders"@supplier.example`:           false,
		"Orders <o@supplier.example>":          false,
		"<o@supplier.example>":                 false,
		" o@supplier.example":                  false,
		"o@supplier.example\r\nBcc: x":         false,
		strings.Repeat("a", 65) + "@x.example": false,
		"a@" + strings.Repeat(strings.Repeat("b", 62)+".", 4) + "example": false,
	} {
		if err := CheckMail(address); (err == nil) != good {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func FuzzMail(f *testing.F) {
	for _, seed := range []string{"orders@supplier.example", "post@bücher.example", `"a b"@x.example`, "a@b", "a\x00@b.c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		if CheckMail(address) != nil {
			return
		}
		local, domain, ok := strings.Cut(address, "@")
		ascii, err := idna.Lookup.ToASCII(domain)
		if !ok || err != nil || len(local)+1+len(ascii) > longestMail || strings.ContainsAny(address, " \t\r\n\x00<>\"") {
			t.Errorf("%q passes for a mail address", address)
		}
	})
}

func TestAGroupSaysWhatIsWrongWithIt(t *testing.T) {
	for _, g := range []Group{{}, {Name: "  "}, {Name: " x"}, {Name: strings.Repeat("x", LongestName+1)}, {Name: "x", Description: strings.Repeat("x", LongestDescription+1)}} {
		if g.Check() == nil {
			t.Errorf("%.20q, %.20q passes", g.Name, g.Description)
		}
	}
	if err := (Group{Name: strings.Repeat("ü", LongestName), Description: strings.Repeat("ü", LongestDescription)}).Check(); err != nil {
		t.Errorf("the control: %v", err)
	}
}

func TestAGroupsVersionIsNotOfItsMembers(t *testing.T) {
	g := Group{ID: "1", Name: "x"}
	same, other := g, g
	same.Members, same.Nested, other.Description = nil, []string{"2"}, "y"
	if g.Tag() != same.Tag() || g.Tag() == other.Tag() {
		t.Error(g.Tag(), same.Tag(), other.Tag())
	}
}

func TestCursorsComeApart(t *testing.T) {
	for _, g := range []Group{{ID: "1", Name: "a b  c"}, {ID: "1"}, {ID: "x-y", Name: " "}} {
		if name, id := (GroupQuery{After: g.Cursor()}).AfterName(); name != g.Name || id != g.ID {
			t.Errorf("%+v comes back as %q, %q", g, name, id)
		}
	}
}

func TestWhatAGroupIsGoodForIsSaid(t *testing.T) {
	for want, u := range map[string]GroupUses{
		"":                          {Members: 3, PartOf: 1, Contains: 1},
		"gives the licences E3, E5": {Plans: []string{"E3", "E5"}},
		"is assigned to mail and is in a staged roll-out": {Apps: []string{"mail"}, Rollout: true},
	} {
		if got := u.Busy(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestACycleIsAConflict(t *testing.T) {
	err := error(CycleError{Way: []string{"A", "B", "A"}})
	if !errors.Is(err, ErrConflict) || !strings.Contains(err.Error(), "A -> B -> A") {
		t.Error(err)
	}
}
