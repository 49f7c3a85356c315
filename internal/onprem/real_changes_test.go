package onprem_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/onprem"
	"github.com/fourways-id/fourways/internal/realtest"
)

// account is a client of a real directory as this person.
func account(t *testing.T, at realtest.Directory, who realtest.Person, change func(*onprem.Config)) *onprem.Directory {
	t.Helper()
	cfg := onprem.Config{URLs: []string{at.LDAPS}, RootCAs: at.Roots, BindDN: who.DN, BindPassword: secret(who.Password), BaseDN: at.BaseDN}
	if change != nil {
		change(&cfg)
	}
	return client(t, cfg)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// reader follows a directory as the stories go on.
type reader struct {
	*onprem.Directory
	at onprem.Position
}

func follow(t *testing.T, d *onprem.Directory) *reader {
	t.Helper()
	at, err := d.Position(t.Context())
	must(t, err)
	return &reader{d, at}
}

// news is what changed since the last call: all but the same, and whether the answer was whole.
func (r *reader) news(t *testing.T) (changed []onprem.Changed, same int, whole bool) {
	t.Helper()
	err := r.Changes(t.Context(), r.at, func(c onprem.Changes) error {
		for _, one := range c.Changed {
			if len(one.ID) != 16 {
				t.Errorf("an id of %d octets: %+v", len(one.ID), one)
			}
			if one.Same {
				same++
				continue
			}
			changed = append(changed, one)
		}
		r.at, whole = c.Position, c.Whole
		return nil
	})
	must(t, err)
	return changed, same, whole
}

// idOf is the id of the object with this name.
func idOf(t *testing.T, d *onprem.Directory, dn string) []byte {
	t.Helper()
	for e, err := range d.Read(t.Context(), onprem.Query{BaseDN: dn, Attributes: []string{"objectGUID", "entryUUID"}}) {
		must(t, err)
		if strings.EqualFold(e.DN, dn) {
			return d.ObjectID(e)
		}
	}
	t.Fatalf("%s isn't there", dn)
	return nil
}

// story is one change, and what a reader is told of it: the object now under dn, nothing else.
type story struct {
	name string
	do   func() error
	dn   string // "": nothing is told
	kind onprem.Changed
}

func TestSambaTellsEachChangeOnceInEveryWay(t *testing.T) {
	dc := realtest.NewSamba(t)
	admin := account(t, dc.Directory, dc.Admin, nil)
	must(t, admin.Check(t.Context())) // the first logon of an account changes it
	bob := dc.Who(t, "bob")
	for _, blind := range []realtest.Person{dc.Service, bob} {
		_, err := account(t, dc.Directory, blind, nil).Position(t.Context())
		if !errors.Is(err, onprem.ErrPosition) || !strings.Contains(err.Error(), `"Replicating Directory Changes"`) || !strings.Contains(err.Error(), "CN=Deleted Objects,"+dc.BaseDN) {
			t.Errorf("%s sees no deleted object: %v, want both rights named", blind.Name, err)
		}
		dc.LetSeeDeleted(t, blind)
	}
	for name, d := range map[string]*onprem.Directory{
		"may replicate":                         account(t, dc.Directory, dc.Service, nil),
		"may replicate, by number":              account(t, dc.Directory, dc.Service, func(c *onprem.Config) { c.Changes = onprem.USN }),
		"may read":                              account(t, dc.Directory, bob, nil),
		"may read, by number":                   account(t, dc.Directory, bob, func(c *onprem.Config) { c.Changes = onprem.USN }),
		"administrator, named attributes alone": account(t, dc.Directory, dc.Admin, func(c *onprem.Config) { c.Watch = []string{"displayName", "pwdLastSet", "member"} }),
		"below the domain":                      account(t, dc.Directory, dc.Admin, func(c *onprem.Config) { c.BaseDN = "OU=Staff," + dc.BaseDN }),
	} {
		t.Run(name, func(t *testing.T) { tellAD(t, admin, follow(t, d), dc.BaseDN) })
	}
}

func tellAD(t *testing.T, admin *onprem.Directory, r *reader, base string) {
	ctx := t.Context()
	add := func(dn, class string) func() error {
		return func() error { return admin.Add(ctx, dn, map[string][]string{"objectClass": {class}}) }
	}
	set := func(dn, attr, value string) func() error {
		return func() error { return admin.Modify(ctx, dn, onprem.Change{Attr: attr, Values: []string{value}}) }
	}
	unit, other, box := "OU=Told,"+base, "OU=Other,"+base, "CN=Box,"+base
	person, group := "CN=Person,"+unit, "CN=Group,"+unit
	container := onprem.Changed{Container: true}
	tell(t, admin, r, []story{
		{"nothing", func() error { return nil }, "", onprem.Changed{}},
		{"a new unit", add(unit, "organizationalUnit"), unit, container},
		{"another", add(other, "organizationalUnit"), other, container},
		{"a container", add(box, "container"), box, container},
		{"a new person", add(person, "user"), person, onprem.Changed{}},
		{"a change", set(person, "displayName", "Person, Ä"), person, onprem.Changed{}},
		{"a password", func() error { return admin.SetPassword(ctx, person, secret("Some-Passw0rd!")) }, person, onprem.Changed{}},
		{"a new group", add(group, "group"), group, onprem.Changed{}},
		{"a member", set(group, "member", person), group, onprem.Changed{}},
		{"a contact", add("CN=Contact,"+unit, "contact"), "CN=Contact," + unit, onprem.Changed{}},
		{"a move", func() error { return admin.Move(ctx, person, "CN=Person", other) }, "CN=Person," + other, onprem.Changed{}},
		{"a rename", func() error { return admin.Move(ctx, "CN=Person,"+other, "CN=Renamed", "") }, "CN=Renamed," + other, onprem.Changed{}},
		{"a unit renamed", func() error { return admin.Move(ctx, other, "OU=Another", "") }, "OU=Another," + base, container},
		{"a container moved", func() error { return admin.Move(ctx, box, "CN=Box", unit) }, "CN=Box," + unit, container},
		{"nothing again", func() error { return nil }, "", onprem.Changed{}},
	})
	for _, dn := range []string{"CN=Renamed,OU=Another," + base, group, "CN=Contact," + unit, "CN=Box," + unit, unit, "OU=Another," + base} {
		id := idOf(t, admin, dn)
		must(t, admin.Delete(ctx, dn))
		changed, _, _ := r.news(t)
		if len(changed) != 1 || !changed[0].Deleted || changed[0].Container || !bytes.Equal(changed[0].ID, id) {
			t.Errorf("%s was deleted: %+v", dn, changed)
		}
	}
}

// tell plays stories before a reader.
func tell(t *testing.T, admin *onprem.Directory, r *reader, stories []story) {
	t.Helper()
	for _, s := range stories {
		must(t, s.do())
		changed, _, whole := r.news(t)
		switch {
		case s.dn == "" && len(changed) == 0:
			continue
		case s.dn == "" || len(changed) != 1:
			t.Errorf("%s: %+v, want what changed and nothing else", s.name, changed)
			continue
		}
		want := onprem.Changed{ID: idOf(t, admin, s.dn), DN: s.dn, Container: s.kind.Container}
		if got := changed[0]; fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("%s: %+v, want %+v (whole answer: %t)", s.name, got, want, whole)
		}
	}
}

func TestSambaRefusesPositionsThatLeadNowhere(t *testing.T) {
	dc := realtest.Samba(t)
	byUSN := account(t, dc.Directory, dc.Admin, func(c *onprem.Config) { c.Changes = onprem.USN })
	byCookie := account(t, dc.Directory, dc.Admin, nil)
	usn, cookie := follow(t, byUSN).at, follow(t, byCookie).at
	edit := func(at onprem.Position, old, by string) onprem.Position {
		t.Helper()
		out := regexp.MustCompile(old).ReplaceAll(at, []byte(by))
		if bytes.Equal(out, at) {
			t.Fatalf("%s: nothing like %s", at, old)
		}
		return out
	}
	for name, c := range map[string]struct {
		d    *onprem.Directory
		at   onprem.Position
		want string // "": good
	}{
		"good":                         {byUSN, usn, ""},
		"good cookie":                  {byCookie, cookie, ""},
		"another way is best":          {byCookie, usn, ""},
		"none":                         {byUSN, nil, "between 1 and"},
		"garbage":                      {byUSN, onprem.Position("\x00garbage"), "can't be read"},
		"another way is configured":    {byUSN, cookie, `reached by "dirsync"`},
		"another kind of directory":    {byCookie, edit(usn, `"mode":"usn"`, `"mode":"syncrepl","cookie":"AAAA"`), "doesn't have"},
		"another domain controller":    {byUSN, edit(usn, `"server":"[^"]*"`, `"server":"AAAAAAAAAAAAAAAAAAAAAA=="`), "another domain controller"},
		"another domain":               {byUSN, edit(usn, `"domain":"[^"]*"`, `"domain":"AAAAAAAAAAAAAAAAAAAAAA=="`), "another directory"},
		"a database that was put back": {byUSN, edit(usn, `"usn":\d+`, `"usn":99999999`), "put back"},
		"a cookie of nobody":           {byCookie, edit(cookie, `"cookie":"[^"]*"`, `"cookie":"AAAA"`), "DirSync cookie"},
		"no cookie":                    {byCookie, edit(cookie, `"cookie":"[^"]*"`, `"cookie":""`), "lacks"},
	} {
		err := c.d.Changes(t.Context(), c.at, func(onprem.Changes) error { return nil })
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, onprem.ErrPosition) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want ErrPosition with %q", name, err, c.want)
		}
	}
	outside := account(t, dc.Directory, dc.Admin, func(c *onprem.Config) { c.BaseDN = "DC=other,DC=example" })
	if _, err := outside.Position(t.Context()); err == nil || errors.Is(err, onprem.ErrPosition) || !strings.Contains(err.Error(), "isn't in the domain") {
		t.Errorf("a base in another domain: %v", err)
	}
}

func TestSambaTellsOfThousandsAndReadsThemById(t *testing.T) {
	dc := realtest.NewSamba(t)
	const people, members = 2500, 3000
	ldif, unit := &bytes.Buffer{}, "OU=Many,"+dc.BaseDN
	fmt.Fprintf(ldif, "dn: %s\nobjectClass: organizationalUnit\n\n", unit)
	for i := range members {
		class := "contact"
		if i >= people {
			class = "container"
		}
		fmt.Fprintf(ldif, "dn: CN=c%04d,%s\nobjectClass: %s\n\n", i, unit, class)
	}
	fmt.Fprintf(ldif, "dn: CN=Big,%s\nobjectClass: group\n", unit)
	for i := range members {
		fmt.Fprintf(ldif, "member: CN=c%04d,%s\n", i, unit)
	}
	file := filepath.Join(t.TempDir(), "many.ldif")
	must(t, os.WriteFile(file, ldif.Bytes(), 0o600))
	byCookie := follow(t, account(t, dc.Directory, dc.Admin, nil))
	byUSN := follow(t, account(t, dc.Directory, dc.Admin, func(c *onprem.Config) { c.Changes = onprem.USN }))
	out, err := exec.Command("ldbadd", "-H", filepath.Join(dc.Folder, "private/sam.ldb"), "--configfile="+filepath.Join(dc.Folder, "etc/smb.conf"), file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%.500s", err, out)
	}
	ids := map[string]bool{}
	for name, r := range map[string]*reader{"by cookie": byCookie, "by number": byUSN} {
		changed, _, _ := r.news(t)
		clear(ids)
		for _, c := range changed {
			if ids[string(c.ID)] {
				t.Errorf("%s: %s came twice", name, c.DN)
			}
			ids[string(c.ID)] = true
		}
		if len(changed) != members+2 {
			t.Errorf("%s: %d objects, want %d", name, len(changed), members+2)
		}
		if again, _, _ := r.news(t); len(again) != 0 {
			t.Errorf("%s: %d objects a second time", name, len(again))
		}
	}
	var all [][]byte
	for id := range ids {
		all = append(all, []byte(id))
	}
	seen := map[string]int{}
	for e, err := range byUSN.Entries(t.Context(), append(all, make([]byte, 16)), "(|(objectClass=contact)(objectClass=group))", []string{"member", "cn"}) {
		must(t, err)
		seen[string(byUSN.ObjectID(e))] = len(e.Get("member"))
	}
	if big := seen[string(idOf(t, byUSN.Directory, "CN=Big,"+unit))]; len(seen) != people+1 || big != members {
		t.Errorf("%d objects read by id, want %d; the group with %d members, want %d", len(seen), people+1, big, members)
	}
}

func TestSambaTakesOneAttributeByIdAndNothingFromWhoMayNot(t *testing.T) {
	dc := realtest.Samba(t)
	admin, bob := account(t, dc.Directory, dc.Admin, nil), account(t, dc.Directory, dc.Who(t, "bob"), nil)
	dn := "CN=Written,OU=Staff," + dc.BaseDN
	must(t, admin.Add(t.Context(), dn, map[string][]string{"objectClass": {"user"}}))
	id := idOf(t, admin, dn)
	must(t, admin.Move(t.Context(), dn, "CN=Written", "OU=Groups,"+dc.BaseDN))
	value := []byte("\x00\xff octets")
	if err := bob.Write(t.Context(), id, "mS-DS-ConsistencyGuid", value); !errors.Is(err, onprem.ErrRefused) {
		t.Errorf("bob wrote: %v", err)
	}
	must(t, admin.Write(t.Context(), id, "mS-DS-ConsistencyGuid", value))
	if err := admin.Write(t.Context(), id, "mS-DS-ConsistencyGuid", []byte("other")); !errors.Is(err, onprem.ErrExists) {
		t.Errorf("an anchor was replaced: %v", err)
	}
	for _, v := range []string{"first", "second"} {
		must(t, admin.Write(t.Context(), id, "description", []byte(v)))
	}
	for e, err := range admin.Entries(t.Context(), [][]byte{id}, "", []string{"mS-DS-ConsistencyGuid"}) {
		must(t, err)
		if got := e.Get("mS-DS-ConsistencyGuid"); len(got) != 1 || !bytes.Equal(got[0], value) {
			t.Errorf("written %q, read %q", value, got)
		}
	}
	for name, err := range map[string]error{
		"nobody": admin.Write(t.Context(), make([]byte, 16), "description", value),
		"gone": func() error {
			must(t, admin.Delete(t.Context(), "CN=Written,OU=Groups,"+dc.BaseDN))
			return admin.Write(t.Context(), id, "description", value)
		}(),
	} {
		if !errors.Is(err, onprem.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"no value":     admin.Write(t.Context(), id, "description", nil),
		"no attribute": admin.Write(t.Context(), id, "", value),
		"no id":        admin.Write(t.Context(), []byte("short"), "description", value),
	} {
		if err == nil || errors.Is(err, onprem.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
