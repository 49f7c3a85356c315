package admin

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Ten administrators each write down a mark of their own, as the commands do it: read, then change what was read. Whoever is
// told that it changed meanwhile looks again.
func TestWhoChangeOneAccountAtOnceLoseNothing(t *testing.T) {
	_, c, _ := counter(t)
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			for range 1000 { // so that it ends
				read, err := c.User(t.Context(), "ann@cloud.example")
				if err != nil {
					t.Error(err)
					return
				}
				title := read.Object.JobTitle + fmt.Sprint(i)
				_, err = c.ChangeUser(t.Context(), "ann@cloud.example", read.Tag, directory.UserChange{JobTitle: &title})
				if err == nil {
					return
				}
				if refusal(err).Type != console.ChangedType {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	now, err := c.User(t.Context(), "ann@cloud.example")
	if err != nil {
		t.Fatal(err)
	}
	marks := strings.Split(now.Object.JobTitle, "")
	if slices.Sort(marks); strings.Join(marks, "") != "0123456789" {
		t.Errorf("what is left of ten changes: %q", now.Object.JobTitle)
	}
}

func TestAUsageLocationStaysAsLongAsALicenceNeedsIt(t *testing.T) {
	b, c, _ := counter(t)
	nl, none := "NL", ""
	move := func(to string) error {
		_, err := c.ChangeUser(t.Context(), "ann@cloud.example", "", directory.UserChange{UsageLocation: &to})
		return err
	}
	if err := move(nl); err != nil {
		t.Fatal(err)
	}
	if err := b.Store.CreatePlan(t.Context(), directory.Plan{ID: "E3", Name: "E3", Seats: 1, Services: []string{"mail"}}); err != nil {
		t.Fatal(err)
	}
	if err := b.Store.Assign(t.Context(), "E3", "id-ann", func(directory.User, directory.Plan, int) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if p := refusal(move(none)); p.Type != console.GuardType || !strings.Contains(p.Detail, "license revoke") {
		t.Errorf("cleared beside a licence: %+v", p)
	}
	if err := b.Store.Revoke(t.Context(), "E3", "id-ann"); err != nil {
		t.Fatal(err)
	}
	if err := move(none); err != nil {
		t.Errorf("without one: %v", err)
	}
}

func TestWhatStandsInTheWayOfARestorationIsNamed(t *testing.T) {
	_, c, _ := counter(t)
	for _, name := range []string{"one", "two"} {
		mustUser(t, c, api.NewUser{UPN: name + "@saml.example", ImmutableID: name})
		if _, err := c.DeleteUser(t.Context(), name+"@saml.example", false); err != nil {
			t.Fatal(err)
		}
	}
	mustUser(t, c, api.NewUser{UPN: "one@saml.example", ImmutableID: "other"}) // has the name of the first
	mustUser(t, c, api.NewUser{UPN: "new@saml.example", ImmutableID: "two"})   // and the immutable ID of the second
	for name, hint := range map[string]bool{"one": true, "two": false} {
		_, err := c.RestoreUser(t.Context(), name+"@saml.example", api.Restore{})
		if p := refusal(err); p.Status != http.StatusConflict || strings.Contains(p.Detail, "--upn") != hint || strings.Contains(p.Detail, "immutable ID") == hint {
			t.Errorf("%s: %v", name, err)
		}
	}
	if u, err := c.RestoreUser(t.Context(), "one@saml.example", api.Restore{UPN: "One.Again@saml.example"}); err != nil || u.UPN != "one.again@saml.example" {
		t.Errorf("under another name: %+v, %v", u, err)
	}
}
