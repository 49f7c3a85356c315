package admin

import (
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/keyring"
	"github.com/fourways-id/fourways/internal/store"
)

func office(t *testing.T) Base {
	t.Helper()
	clock := authntest.NewClock(time.Unix(1e9, 0))
	ring, err := keyring.Create(filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "store.db"), Ring: ring, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for _, name := range []string{"ann", "ben"} {
		u := directory.User{ID: authn.AccountID("id-" + name), UPN: name + "@cloud.example", Enabled: true, UsageLocation: "NL"}
		if err := db.CreateUser(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
	return Base{Store: db, Clock: clock}
}

func file(seats int, roles ...string) *config.Config {
	return &config.Config{
		License: []config.License{{ID: "E3", Seats: seats, Services: []string{"mail"}}},
		App:     []config.App{{ID: "mail", Name: "Mail", RequiredService: "mail", Roles: roles}},
	}
}

// Gateways that share a store may start at once.
func TestSeveralMayDeclareTheSameAtOnce(t *testing.T) {
	b := office(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := b.Declare(t.Context(), file(2, "user")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// What the configuration file declares is changed there; what it no longer declares is changed at run time.
func TestTheFileMastersWhatItDeclares(t *testing.T) {
	b := office(t)
	ctx, licences, apps := t.Context(), &Licences{b}, &Apps{b}
	for _, c := range []*config.Config{file(1, "user"), file(2, "user", "admin")} {
		if err := errors.Join(b.Declarable(ctx, c), b.Declare(ctx, c)); err != nil {
			t.Fatal(err)
		}
	}
	u, err := licences.Plan(ctx, "E3")
	if err != nil || u.Seats != 2 || !u.File || u.Name != "E3" {
		t.Fatalf("%+v, %v", u, err)
	}
	three, no := 3, false
	_, _, err = licences.ChangePlan(ctx, "E3", api.PlanChange{Seats: &three}, "")
	_, _, err2 := apps.ChangeApp(ctx, "mail", api.AppChange{Assigned: &no}, "")
	_, err3 := licences.DeletePlan(ctx, "E3")
	_, err4 := apps.DeleteApp(ctx, "mail")
	for _, err := range []error{err, err2, err3, err4} {
		if !errors.Is(err, directory.ErrMastered) || !strings.Contains(err.Error(), "config reload") {
			t.Errorf("%v, want a refusal that says where to change it", err)
		}
	}
	if err := b.Declare(ctx, &config.Config{}); err != nil {
		t.Fatal(err)
	}
	if _, after, err := licences.ChangePlan(ctx, "E3", api.PlanChange{Seats: &three}, ""); err != nil || after.Seats != 3 || after.File {
		t.Errorf("taken out of the file: %+v, %v", after, err)
	}
	_, err3 = licences.DeletePlan(ctx, "E3")
	_, err4 = apps.DeleteApp(ctx, "mail")
	if err := errors.Join(err3, err4); err != nil {
		t.Error(err)
	}
}

func TestAFileThatWouldTakeSomethingFromSomebodyIsRefused(t *testing.T) {
	b := office(t)
	ctx, licences, apps := t.Context(), &Licences{b}, &Apps{b}
	if err := b.Declare(ctx, file(2, "user", "admin")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ann@cloud.example", "id-ben"} {
		if _, err := licences.Assign(ctx, "E3", name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := apps.AssignApp(ctx, "mail", api.NewAssignment{User: "Ann@cloud.example", Role: "admin"}); err != nil {
		t.Fatal(err)
	}
	for says, c := range map[string]*config.Config{"2 are used": file(1, "user", "admin"), "the role admin": file(2, "user")} {
		if err := b.Declarable(ctx, c); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
		if err := b.Declare(ctx, c); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
	if u, err := licences.Plan(ctx, "E3"); err != nil || u.Seats != 2 || u.Used != 2 {
		t.Errorf("%+v, %v", u, err)
	}
}

// Two administrators read one plan: the second to change it is told, and nothing is lost.
func TestAPlanThatChangedMeanwhileIsNotOverwritten(t *testing.T) {
	b := office(t)
	ctx, licences := t.Context(), &Licences{b}
	made, err := licences.CreatePlan(ctx, api.NewPlan{ID: "E5", Seats: 1, Services: []string{"mail"}})
	if err != nil {
		t.Fatal(err)
	}
	two, nine := 2, 9
	if _, _, err := licences.ChangePlan(ctx, "E5", api.PlanChange{Seats: &two}, made.Tag()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := licences.ChangePlan(ctx, "E5", api.PlanChange{Seats: &nine}, made.Tag()); !errors.Is(err, directory.ErrChanged) {
		t.Errorf("got %v, want %v", err, directory.ErrChanged)
	}
	if u, err := licences.Plan(ctx, "E5"); err != nil || u.Seats != 2 {
		t.Errorf("%+v, %v", u, err)
	}
}

// Who finds no seat is told what helps, and not a command that is refused.
func TestNoSeatsSaysWhereSeatsAreRaised(t *testing.T) {
	b := office(t)
	ctx, licences := t.Context(), &Licences{b}
	for says, declare := range map[string]func() error{
		"[[license]]": func() error { return b.Declare(ctx, file(0, "user")) },
		"`fourways license plan update E3 --seats 1`": func() error { return b.Declare(ctx, &config.Config{}) }, // taken out of the file
	} {
		if err := b.Declare(ctx, file(0, "user")); err != nil {
			t.Fatal(err)
		}
		if err := declare(); err != nil {
			t.Fatal(err)
		}
		if _, err := licences.Assign(ctx, "E3", "ann@cloud.example"); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %s", err, says)
		}
	}
}
