package onprem_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/onprem"
	"github.com/fourways-id/fourways/internal/realtest"
)

func openldap(t *testing.T, s *realtest.OpenLDAPServer, who realtest.Person, changes string) *onprem.Directory {
	t.Helper()
	return account(t, s.Directory, who, func(c *onprem.Config) { c.Kind, c.Changes = onprem.LDAP, changes })
}

func TestOpenLDAPTellsEachChangeOnceInEveryWay(t *testing.T) {
	s := realtest.NewOpenLDAP(t)
	admin := openldap(t, s, s.Admin, "")
	for _, way := range []string{"", onprem.Syncrepl, onprem.CSN} {
		t.Run("by "+way, func(t *testing.T) {
			tellOpenLDAP(t, admin, follow(t, openldap(t, s, s.Service, way)), s.BaseDN, way == onprem.CSN)
		})
	}
	const overlay = "olcOverlay={1}syncprov,olcDatabase={1}mdb,cn=config"
	must(t, admin.Modify(t.Context(), overlay, onprem.Change{Attr: "olcSpSessionlog", Values: []string{"1000"}}))
	t.Run("by syncrepl with a session log", func(t *testing.T) {
		r := follow(t, openldap(t, s, s.Service, onprem.Syncrepl))
		tellOpenLDAP(t, admin, r, s.BaseDN, false)
		dn := "cn=Short,ou=people," + s.BaseDN
		must(t, admin.Add(t.Context(), dn, map[string][]string{"objectClass": {"inetOrgPerson"}, "sn": {"x"}}))
		id := idOf(t, admin, dn)
		must(t, admin.Delete(t.Context(), dn))
		if changed, same, whole := r.news(t); len(changed) != 1 || !bytes.Equal(changed[0].ID, id) || !changed[0].Deleted || same != 0 || whole {
			t.Errorf("with a session log a deletion is named: %+v, %d the same, whole: %t", changed, same, whole)
		}
	})
	must(t, admin.Delete(t.Context(), overlay))
	if at := follow(t, openldap(t, s, s.Service, "")).at; !strings.Contains(string(at), `"mode":"csn"`) {
		t.Errorf("without syncprov the position is %s, want it by csn", at)
	}
	if _, err := openldap(t, s, s.Service, onprem.Syncrepl).Position(t.Context()); !errors.Is(err, onprem.ErrPosition) || !strings.Contains(err.Error(), "syncprov") {
		t.Errorf("syncrepl without syncprov: %v", err)
	}
}

func tellOpenLDAP(t *testing.T, admin *onprem.Directory, r *reader, base string, always bool) {
	ctx := t.Context()
	unit, other := "ou=Told,"+base, "ou=Other,"+base
	person, group := "cn=Person,"+unit, "cn=Group,"+unit
	add := func(dn string, attrs map[string][]string) func() error {
		return func() error { return admin.Add(ctx, dn, attrs) }
	}
	change := func(dn string, c onprem.Change) func() error {
		return func() error { return admin.Modify(ctx, dn, c) }
	}
	nothing := func() error { return nil }
	ou := map[string][]string{"objectClass": {"organizationalUnit"}}
	container := onprem.Changed{Container: true}
	tell(t, admin, r, []story{
		{"nothing", nothing, "", onprem.Changed{}},
		{"a new unit", add(unit, ou), unit, container},
		{"another", add(other, ou), other, container},
		{"a new person", add(person, map[string][]string{"objectClass": {"inetOrgPerson"}, "sn": {"x"}}), person, onprem.Changed{}},
		{"a change", change(person, onprem.Change{Attr: "displayName", Values: []string{"Person, Ä"}}), person, onprem.Changed{}},
		{"a password", func() error { return admin.SetPassword(ctx, person, secret("Some-Passw0rd!")) }, person, onprem.Changed{}},
		{"a new group", add(group, map[string][]string{"objectClass": {"groupOfNames"}, "member": {"cn=x"}}), group, onprem.Changed{}},
		{"a member", change(group, onprem.Change{Op: onprem.AddValues, Attr: "member", Values: []string{"cn=y"}}), group, onprem.Changed{}},
		{"a move", func() error { return admin.Move(ctx, person, "cn=Person", other) }, "cn=Person," + other, onprem.Changed{}},
		{"a rename", func() error { return admin.Move(ctx, "cn=Person,"+other, "cn=Renamed", "") }, "cn=Renamed," + other, onprem.Changed{}},
		{"a unit renamed", func() error { return admin.Move(ctx, other, "ou=Another", "") }, "ou=Another," + base, container},
		{"nothing again", nothing, "", onprem.Changed{}},
	})
	before := everyID(t, r)
	id := idOf(t, admin, "cn=Renamed,ou=Another,"+base)
	must(t, admin.Delete(ctx, "cn=Renamed,ou=Another,"+base))
	gone, named := missing(t, r, before)
	if !slices.Equal(gone, []string{string(id)}) {
		t.Errorf("a person was deleted: %d are gone", len(gone))
	}
	for _, dn := range []string{group, unit, "ou=Another," + base} {
		must(t, admin.Delete(ctx, dn))
	}
	if gone, _ := missing(t, r, before); len(gone) != 4 && !named {
		t.Errorf("all of it was deleted: %d are gone", len(gone))
	}
	if _, same, whole := r.news(t); whole != always || (same > 0) != always {
		t.Errorf("nothing changed: whole answer %t with %d the same", whole, same)
	}
}

func everyID(t *testing.T, r *reader) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for e, err := range r.Read(t.Context(), onprem.Query{Attributes: []string{"entryUUID"}}) {
		must(t, err)
		all[string(r.ObjectID(e))] = true
	}
	return all
}

// missing are those that an answer says are gone, by naming them or by naming all others.
func missing(t *testing.T, r *reader, before map[string]bool) (gone []string, named bool) {
	t.Helper()
	there, all := map[string]bool{}, false
	must(t, r.Changes(t.Context(), r.at, func(c onprem.Changes) error {
		for _, one := range c.Changed {
			if one.Deleted {
				gone, named = append(gone, string(one.ID)), true
				continue
			}
			there[string(one.ID)] = true
		}
		r.at, all = c.Position, c.Whole
		return nil
	}))
	if all {
		for id := range before {
			if !there[id] {
				gone = append(gone, id)
			}
		}
	}
	return gone, named
}

func TestOpenLDAPRefusesPositionsThatLeadNowhere(t *testing.T) {
	s := realtest.OpenLDAP(t)
	bySync, byCSN := openldap(t, s, s.Service, ""), openldap(t, s, s.Service, onprem.CSN)
	cookie, csn := follow(t, bySync).at, follow(t, byCSN).at
	other := follow(t, func() *onprem.Directory { o := realtest.NewOpenLDAP(t); return openldap(t, o, o.Service, "") }()).at
	with := func(value string) onprem.Position {
		return regexp.MustCompile(`"cookie":"[^"]*"`).ReplaceAll(cookie, []byte(`"cookie":"`+value+`"`))
	}
	for name, c := range map[string]struct {
		d    *onprem.Directory
		at   onprem.Position
		want string // "": good
	}{
		"good":                         {bySync, cookie, ""},
		"good numbers":                 {byCSN, csn, ""},
		"numbers, though better":       {bySync, csn, ""},
		"another way":                  {byCSN, cookie, `reached by "syncrepl"`},
		"another server":               {bySync, other, "another directory"},
		"a cookie of nobody":           {bySync, with("cmlkPTAwMCxjc249bm9uc2Vuc2U="), "counts no changes"},
		"a cookie of another provider": {bySync, with(base64.StdEncoding.EncodeToString([]byte("rid=000,csn=20250101000000.000000Z#000000#00a#000000"))), "server 00a"},
		"a cookie of tomorrow":         {bySync, with("cmlkPTAwMCxjc249MjA5MDAxMDEwMDAwMDAuMDAwMDAwWiMwMDAwMDAjMDAwIzAwMDAwMA=="), "its cookie"},
	} {
		err := c.d.Changes(t.Context(), c.at, func(onprem.Changes) error { return nil })
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, onprem.ErrPosition) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want ErrPosition with %q", name, err, c.want)
		}
	}
	old := &reader{bySync, with(base64.StdEncoding.EncodeToString([]byte("rid=000,csn=20000101000000.000000Z#000000#000#000000")))}
	if changed, _, whole := old.news(t); !whole || len(changed) <= len(s.People) {
		t.Errorf("a cookie older than all there is: %d objects, whole: %t", len(changed), whole)
	}
	stranger := openldap(t, s, s.Who(t, "alice"), "")
	if _, err := stranger.Position(t.Context()); err == nil || !strings.Contains(err.Error(), "give the account the right to read") {
		t.Errorf("an account that sees nothing: %v", err)
	}
}

func TestOpenLDAPTellsOfThousandsInPagesThatKeepThePosition(t *testing.T) {
	s := realtest.NewOpenLDAP(t)
	admin := openldap(t, s, s.Admin, "")
	const people = 1200
	bySync, byCSN := follow(t, openldap(t, s, s.Service, "")), follow(t, openldap(t, s, s.Service, onprem.CSN))
	group := map[string][]string{"objectClass": {"groupOfNames"}}
	for i := range people {
		dn := fmt.Sprintf("cn=p%04d,ou=people,%s", i, s.BaseDN)
		must(t, admin.Add(t.Context(), dn, map[string][]string{"objectClass": {"inetOrgPerson"}, "sn": {"x"}}))
		group["member"] = append(group["member"], dn)
	}
	must(t, admin.Add(t.Context(), "cn=Big,ou=groups,"+s.BaseDN, group))
	var ids [][]byte
	for name, r := range map[string]*reader{"syncrepl": bySync, "csn": byCSN} {
		pages, seen := 0, map[string]bool{}
		from := r.at
		must(t, r.Changes(t.Context(), from, func(c onprem.Changes) error {
			if pages++; !c.Whole || len(c.Changed) > 500 {
				t.Errorf("%s: a page of %d, whole: %t", name, len(c.Changed), c.Whole)
			}
			if r.at = c.Position; bytes.Equal(r.at, from) != (len(c.Changed) == 500) {
				t.Errorf("%s: a page of %d moves the position: %s", name, len(c.Changed), r.at)
			}
			for _, one := range c.Changed {
				if !one.Same {
					seen[string(one.ID)] = true
				}
			}
			return nil
		}))
		if again, _, _ := r.news(t); pages != 3 || len(seen) != people+1 || len(again) != 0 {
			t.Errorf("%s: %d in %d pages, want %d in 3; then %d again", name, len(seen), pages, people+1, len(again))
		}
		ids = nil
		for id := range seen {
			ids = append(ids, []byte(id))
		}
	}
	n, members := 0, 0
	for e, err := range bySync.Entries(t.Context(), ids, "", []string{"member"}) {
		must(t, err)
		n, members = n+1, max(members, len(e.Get("member")))
	}
	if n != people+1 || members != people {
		t.Errorf("%d read by id, a group of %d members", n, members)
	}
	must(t, admin.Write(t.Context(), idOf(t, admin, "cn=p0007,ou=people,"+s.BaseDN), "description", []byte("written")))
	if e, err := admin.Find(t.Context(), "nobody@example.test"); !errors.Is(err, onprem.ErrNotFound) {
		t.Errorf("%+v %v", e, err)
	}
	for e, err := range admin.Read(t.Context(), onprem.Query{Filter: "(description=written)", Attributes: []string{"cn"}}) {
		must(t, err)
		if e.First("cn") != "p0007" {
			t.Errorf("written to %s", e.DN)
		}
	}
}
