package admin

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/client"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/passhash"
	"github.com/fourways-id/fourways/internal/passpolicy"
	"github.com/fourways-id/fourways/internal/userfile"
)

// quay is a tenant with a domain on each kind of path, over HTTP as a program reaches it.
func quay(t *testing.T) (Base, *client.Console) {
	t.Helper()
	return quayOf(t, office(t))
}

func quayOf(t *testing.T, b Base) (Base, *client.Console) {
	t.Helper()
	conf := &config.Config{
		Domain: []config.Domain{
			{Name: "cloud.example", Path: authn.PathCloud}, {Name: "phs.example", Path: authn.PathPHS}, {Name: "pta.example", Path: authn.PathPTA},
		},
		Hashing: config.Hashing{Argon2Memory: 8, Argon2Time: 1, Argon2Parallelism: 1},
	}
	b.Config = func() *config.Config { return conf }
	policy, err := passpolicy.New(passpolicy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tenant := directory.New(b.Store, conf.Domains(), nil)
	s := httptest.NewServer(console.New(console.Ports{Access: everybody{}, Tenant: console.TenantPorts{
		Bulk:  &Bulk{Base: b, Realms: tenant, Policy: policy, Hashes: NewImportHashes()},
		Leaks: &Leaks{Base: b, Domains: tenant, Work: passhash.NewBackground()},
	}}, b.Clock))
	t.Cleanup(s.Close)
	c, err := client.New(s.URL, "token")
	if err != nil {
		t.Fatal(err)
	}
	return b, c
}

func bulkRowOf(line int, upn string) api.ImportRow {
	return api.ImportRow{Line: line, UserChange: directory.UserChange{UPN: &upn}}
}

func imported(t *testing.T, c *client.Console, ask api.Import) api.Imported {
	t.Helper()
	done, err := c.ImportUsers(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

const goodPassword = "Harbour-7-lantern"

func TestEachRowThatCannotBeTakenSaysWhy(t *testing.T) {
	b, c := quay(t)
	if err := b.Store.CreateUser(t.Context(), directory.User{ID: "sue", UPN: "sue@cloud.example", Enabled: true, Synced: true, Onprem: directory.Onprem{Anchor: "sue"}}); err != nil {
		t.Fatal(err)
	}
	with := func(upn string, change func(*api.ImportRow)) api.ImportRow {
		r := bulkRowOf(1, upn)
		change(&r)
		return r
	}
	yes, name := true, "Susan"
	for what, try := range map[string]struct {
		row api.ImportRow
		why string
	}{
		"no name":                  {api.ImportRow{Line: 1}, "no user principal name"},
		"no ASCII":                 {bulkRowOf(1, "änn@cloud.example"), "no user principal name"},
		"another tenant's":         {bulkRowOf(1, "x@elsewhere.example"), "no domain of this tenant"},
		"an administrator":         {with("x@cloud.example", func(r *api.ImportRow) { r.Admin = &yes }), "makes no administrators"},
		"a weak password":          {with("x@cloud.example", func(r *api.ImportRow) { r.Password = "password" }), ""},
		"a broken hash":            {with("x@cloud.example", func(r *api.ImportRow) { r.PasswordHash = "$6$quay$cutoff" }), "cut off"},
		"two passwords":            {with("x@cloud.example", func(r *api.ImportRow) { r.Password, r.PasswordHash = goodPassword, "$6$x$y" }), "give one of them"},
		"a password on-premises":   {with("x@pta.example", func(r *api.ImportRow) { r.Password = goodPassword }), "on the path pta"},
		"a synchronised name":      {with("sue@cloud.example", func(r *api.ImportRow) { r.DisplayName = &name }), "mastered on-premises"},
		"a synchronised one's key": {with("sue@cloud.example", func(r *api.ImportRow) { r.Password = goodPassword }), "mastered on-premises"},
	} {
		done := imported(t, c, api.Import{Rows: []api.ImportRow{try.row, bulkRowOf(2, "ok@cloud.example")}, DryRun: true, Update: true})
		if len(done.Refused) != 1 || done.Refused[0].Line != 1 || !strings.Contains(done.Refused[0].Why, try.why) || len(done.Made) != 1 {
			t.Errorf("%s: %+v", what, done)
		}
		if len(done.Refused) == 1 && (strings.Contains(done.Refused[0].Why, goodPassword) || strings.Contains(done.Refused[0].Why, "cutoff")) {
			t.Errorf("%s: the refusal shows the password", what)
		}
	}
	if n, err := b.Store.CountUsers(t.Context()); err != nil || n != 3 {
		t.Errorf("a dry run left %d accounts, %v", n, err)
	}
}

func TestAnImportCanBeRepeated(t *testing.T) {
	b, c := quay(t)
	old, err := passhash.Argon2id{MemoryKiB: 16, Time: 1, Parallelism: 1}.Hash([]byte(goodPassword))
	if err != nil {
		t.Fatal(err)
	}
	clear, hashed := bulkRowOf(1, "Clear@cloud.example"), bulkRowOf(2, " hashed@CLOUD.example ")
	clear.Password, hashed.PasswordHash = goodPassword, old
	rows := []api.ImportRow{clear, hashed}
	if done := imported(t, c, api.Import{Rows: rows}); len(done.Made) != 2 {
		t.Fatalf("%+v", done)
	}
	for _, update := range []bool{false, true} {
		if done := imported(t, c, api.Import{Rows: rows, Update: update}); done.Unchanged != 2 {
			t.Errorf("again, update %v: %+v", update, done)
		}
	}
	rows[0].Password, rows[1].Password, rows[1].PasswordHash = "Gangway-9-bollard", "Gangway-9-bollard", ""
	if done := imported(t, c, api.Import{Rows: rows}); done.Unchanged != 2 {
		t.Errorf("other passwords, not to be changed: %+v", done)
	}
	if done := imported(t, c, api.Import{Rows: rows, Update: true}); len(done.Changed) != 2 || !slices.Equal(done.Changed[0].What, []string{"another password"}) {
		t.Errorf("other passwords: %+v", done)
	}
	for _, upn := range []string{"clear@cloud.example", "hashed@cloud.example"} {
		u, err := b.Store.UserByUPN(t.Context(), upn)
		if err != nil {
			t.Fatal(err)
		}
		cred, err := b.Store.Credential(t.Context(), u.ID, directory.SchemeCloud)
		if err != nil {
			t.Fatal(err)
		}
		r, err := passhash.Parse(string(cred.Record))
		if err != nil || !r.Match([]byte("Gangway-9-bollard")) || r.Match([]byte(goodPassword)) {
			t.Errorf("%s: %v", upn, err)
		}
	}
}

// A lab makes ids of names, so a new account could come to the place of one that had its name before.
func TestAnAccountUnderAFormerNameIsAnotherOne(t *testing.T) {
	lab := office(t)
	lab.NewID = func(name string) authn.AccountID { return authn.AccountID("id of " + name) }
	b, c := quayOf(t, lab)
	ctx := t.Context()
	imported(t, c, api.Import{Rows: []api.ImportRow{bulkRowOf(1, "renamed@cloud.example"), bulkRowOf(2, "deleted@cloud.example")}})
	if _, _, err := b.Store.ChangeUser(ctx, "id of renamed@cloud.example", func(u *directory.User) error {
		u.UPN = "other@cloud.example"
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Store.RemoveUser(ctx, "id of deleted@cloud.example", func(directory.User) error { return nil }); err != nil {
		t.Fatal(err)
	}
	done := imported(t, c, api.Import{Rows: []api.ImportRow{bulkRowOf(1, "renamed@cloud.example"), bulkRowOf(2, "deleted@cloud.example"), bulkRowOf(3, "new@cloud.example")}})
	if len(done.Made) != 3 {
		t.Fatalf("%+v", done)
	}
	for upn, wantFormer := range map[string]bool{"renamed@cloud.example": false, "deleted@cloud.example": false, "other@cloud.example": false, "new@cloud.example": true} {
		u, err := b.Store.UserByUPN(ctx, upn)
		if err != nil || (string(u.ID) == "id of "+upn) != wantFormer {
			t.Errorf("%s is %s, %v", upn, u.ID, err)
		}
	}
}

func TestTwoImportsOfTheSamePeopleMakeEachOnce(t *testing.T) {
	b, c := quay(t)
	var rows []api.ImportRow
	for i := range 120 {
		rows = append(rows, bulkRowOf(i, fmt.Sprintf("p%d@cloud.example", i)))
	}
	var made [2]int
	var both sync.WaitGroup
	for i := range made {
		both.Go(func() {
			done, err := c.ImportUsers(t.Context(), api.Import{Rows: rows})
			if made[i] = len(done.Made); err != nil || len(done.Refused) > 0 || made[i]+done.Unchanged != len(rows) {
				t.Errorf("%+v, %v", done, err)
			}
		})
	}
	both.Wait()
	if n, err := b.Store.CountUsers(t.Context()); err != nil || made[0]+made[1] != len(rows) || n != len(rows)+2 {
		t.Errorf("%v were made, %d accounts, %v", made, n, err)
	}
}

func TestAllOrNone(t *testing.T) {
	b, c := quay(t)
	good := []api.ImportRow{bulkRowOf(1, "a@cloud.example"), bulkRowOf(2, "b@cloud.example")}
	done := imported(t, c, api.Import{Rows: append(slices.Clone(good), bulkRowOf(3, "A@CLOUD.example")), Atomic: true})
	if len(done.Made) != 0 || len(done.Refused) != 1 || !strings.Contains(done.Refused[0].Why, "stands in line 1 already") {
		t.Errorf("%+v", done)
	}
	if n, _ := b.Store.CountUsers(t.Context()); n != 2 {
		t.Errorf("%d accounts after a refusal", n)
	}
	if done := imported(t, c, api.Import{Rows: good, Atomic: true}); len(done.Made) != 2 {
		t.Errorf("control: %+v", done)
	}
}

func TestAnImportIsBounded(t *testing.T) {
	_, c := quay(t)
	rows := func(n int, password string) (all []api.ImportRow) {
		for i := range n {
			r := bulkRowOf(i, fmt.Sprintf("p%d@cloud.example", i))
			r.Password = password
			all = append(all, r)
		}
		return all
	}
	for what, ask := range map[string]api.Import{
		"no rows": {}, "too many": {Rows: rows(api.ImportRows+1, "")}, "too many at once": {Rows: rows(api.ImportRowsAtomic+1, ""), Atomic: true},
		"too many to hash at once": {Rows: rows(api.ImportClearAtomic+1, goodPassword), Atomic: true},
	} {
		if _, err := c.ImportUsers(t.Context(), ask); refusal(err).Status != 400 {
			t.Errorf("%s: %v", what, err)
		}
	}
	if done := imported(t, c, api.Import{Rows: rows(api.ImportRowsAtomic, ""), Atomic: true}); len(done.Made) != api.ImportRowsAtomic {
		t.Errorf("control: %d made, %.3v", len(done.Made), done.Refused)
	}
	long := bulkRowOf(1, "x@cloud.example")
	long.Password = strings.Repeat("x", api.ImportLongestBytes)
	if _, err := c.ImportUsers(t.Context(), api.Import{Rows: []api.ImportRow{long}}); refusal(err).Status != 413 {
		t.Errorf("a body that is too long: %v", err)
	}
}

// What one tenant exports, another imports: the same people, in both formats.
func TestPeopleComeAsTheyWent(t *testing.T) {
	text := rapid.Map(rapid.StringMatching(`(['=+@-]{0,2}[A-Za-zé漢,;"' .-]{0,12}[a-z])?`), strings.TrimSpace)
	rapid.Check(t, func(rt *rapid.T) {
		b, c := quay(t)
		given := map[string]directory.User{}
		for i := range rapid.IntRange(1, 8).Draw(rt, "people") {
			upn := fmt.Sprintf("p%d@%s", i, rapid.SampledFrom([]string{"cloud.example", "pta.example"}).Draw(rt, "domain"))
			given[upn] = directory.User{
				UPN: upn, DisplayName: "x" + text.Draw(rt, "displayName"), GivenName: text.Draw(rt, "givenName"), Surname: text.Draw(rt, "surname"),
				Department: text.Draw(rt, "department"), JobTitle: text.Draw(rt, "jobTitle"), UsageLocation: rapid.SampledFrom([]string{"", "NL"}).Draw(rt, "location"),
				Enabled: rapid.Bool().Draw(rt, "enabled"), Blocked: rapid.Bool().Draw(rt, "blocked"), MustChange: rapid.Bool().Draw(rt, "mustChange"),
			}
		}
		format := rapid.SampledFrom(userfile.Formats()).Draw(rt, "format")
		rows := written(rt, given, format)
		if done := imported(t, c, api.Import{Rows: rows}); len(done.Made) != len(given) {
			rt.Fatalf("%+v", done)
		}
		for upn, want := range given {
			got, err := b.Store.UserByUPN(t.Context(), upn)
			if err != nil || len(directory.Differences(want, got)) > 0 {
				rt.Errorf("%s: %v, %v", upn, directory.Differences(want, got), err)
			}
			delete(given, upn)
			given[upn] = got
		}
		if done := imported(t, c, api.Import{Rows: written(rt, given, format), Update: true}); done.Unchanged != len(given) {
			rt.Errorf("again: %+v", done)
		}
	})
}

// written writes people to a file, and reads it.
func written(t *rapid.T, people map[string]directory.User, format string) (rows []api.ImportRow) {
	var file bytes.Buffer
	w, err := userfile.NewWriter(&file, format)
	for _, u := range people {
		err = errors.Join(err, w.Write(u))
	}
	if err := errors.Join(err, w.Flush()); err != nil {
		t.Fatal(err)
	}
	list, err := userfile.Open(&file, format)
	if err != nil {
		t.Fatal(err)
	}
	for {
		row, err := list.Next()
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
}
