package admin

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/passhash"
)

func TestALeakIsComparedWithWhatIsStored(t *testing.T) {
	b, c := quay(t)
	ctx := t.Context()
	synced := func(id, upn string) directory.User {
		return directory.User{ID: authn.AccountID(id), UPN: upn, Enabled: true, Synced: true, Onprem: directory.Onprem{Anchor: id}}
	}
	cloudRecord, err := costOf(b.Config()).Hash([]byte("Password1"))
	if err != nil {
		t.Fatal(err)
	}
	phsRecord := passhash.NewOrgID(passhash.NTHash([]byte("Password1"))).String()
	for _, u := range []directory.User{synced("sue", "sue@phs.example"), synced("tom", "tom@phs.example"), synced("uma", "uma@pta.example"), synced("vic", "vic@pta.example")} {
		if err := b.Store.CreateUser(ctx, u); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Store.SetCredentials(ctx, []directory.Credential{
		{Account: "id-ann", Scheme: directory.SchemeCloud, Record: []byte(cloudRecord)},
		{Account: "sue", Scheme: directory.SchemePHS, Record: []byte(phsRecord)},
		{Account: "vic", Scheme: directory.SchemePHS, Record: []byte(phsRecord)},
		{Account: "vic", Scheme: directory.SchemeCloud, Record: []byte(cloudRecord)},
	}); err != nil {
		t.Fatal(err)
	}
	pair := func(line int, user string) api.LeakedPair {
		return api.LeakedPair{Line: line, User: user, Password: "Password1"}
	}
	ask := api.LeakedCheck{DryRun: true, RequireChange: true, Pairs: []api.LeakedPair{
		pair(1, "ANN@cloud.example"),
		{Line: 2, User: "ann@cloud.example", Password: "Password2"},
		pair(3, "ben@cloud.example"),
		pair(4, "sue@phs.example"), pair(5, "tom@phs.example"), pair(6, "uma@pta.example"), pair(7, "vic@pta.example"), pair(8, "nobody@cloud.example"),
	}}
	found, err := c.CheckLeaked(ctx, ask)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(found.Matches); got != "[{1 ann@cloud.example [cloud] true true } {4 sue@phs.example [phs] true false its password is mastered on-premises: have it changed there} {7 vic@pta.example [cloud phs] true false its password is mastered on-premises: have it changed there}]" {
		t.Error(got)
	}
	if found.Unknown != 1 || found.Clear != 1 || found.Tries != 5 {
		t.Errorf("%+v", found)
	}
	if len(found.Missing) != 3 || !strings.Contains(found.Missing[0].Why, "no password is stored") || !strings.Contains(found.Missing[1].Why, "has been synchronised yet") ||
		!strings.Contains(found.Missing[2].Why, "password_hash_sync is off for pta.example") {
		t.Errorf("%+v", found.Missing)
	}
	flagged := func() (names []string) {
		users, err := b.Store.Users(ctx, directory.Query{})
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range users {
			if !u.Leaked.IsZero() {
				names = append(names, fmt.Sprint(u.UPN, " ", u.MustChange, " ", u.Leaked.Equal(time.Unix(1e9, 0))))
			}
		}
		return names
	}
	if who := flagged(); who != nil {
		t.Errorf("a dry run flagged %q", who)
	}
	ask.DryRun = false
	if _, err := c.CheckLeaked(ctx, ask); err != nil {
		t.Fatal(err)
	}
	if who, want := flagged(), []string{"ann@cloud.example true true", "sue@phs.example false true", "vic@pta.example false true"}; !slices.Equal(who, want) {
		t.Errorf("flagged are %q, want %q", who, want)
	}
	if _, err := c.CheckLeaked(ctx, api.LeakedCheck{Pairs: make([]api.LeakedPair, api.LeakedPairs+1)}); refusal(err).Status != 400 {
		t.Errorf("too many pairs: %v", err)
	}
}
