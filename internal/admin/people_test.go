package admin

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/client"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/passpolicy"
)

// ledger lets everybody do everything, and keeps the audit log.
type ledger struct {
	everybody
	mu      sync.Mutex
	entries []console.Entry
}

func (l *ledger) Audit(_ context.Context, e console.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, e)
	return nil
}

// counter is the administration of accounts over HTTP, as a program reaches it. Ids are made of names, as in a lab.
func counter(t *testing.T) (Base, *client.Console, *ledger) {
	t.Helper()
	b, log := office(t), &ledger{}
	conf := &config.Config{
		Domain: []config.Domain{
			{Name: "cloud.example", Path: authn.PathCloud}, {Name: "phs.example", Path: authn.PathPHS}, {Name: "saml.example", Path: authn.PathFederated},
		},
		Hashing: config.Hashing{Argon2Memory: 8, Argon2Time: 1, Argon2Parallelism: 1},
	}
	b.Config = func() *config.Config { return conf }
	b.NewID = func(name string) authn.AccountID { return authn.AccountID("id of " + name) }
	policy, err := passpolicy.New(passpolicy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	people := &People{Base: b, Realms: directory.New(b.Store, conf.Domains(), nil), Policy: policy}
	s := httptest.NewServer(console.New(console.Ports{Access: log, Tenant: console.TenantPorts{People: people}}, b.Clock))
	t.Cleanup(s.Close)
	c, err := client.New(s.URL, "token")
	if err != nil {
		t.Fatal(err)
	}
	return b, c, log
}

func mustUser(t *testing.T, c *client.Console, ask api.NewUser) directory.User {
	t.Helper()
	u, err := c.CreateUser(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestOfTwoWhoChangeOneAccountTheSecondIsToldAndNothingIsLost(t *testing.T) {
	_, c, _ := counter(t)
	read, err := c.User(t.Context(), "ann@cloud.example")
	if err != nil || read.Tag == "" {
		t.Fatal(read, err)
	}
	cook, baker := "Cook", "Baker"
	if _, err := c.ChangeUser(t.Context(), "ann@cloud.example", read.Tag, directory.UserChange{JobTitle: &cook}); err != nil {
		t.Fatal(err)
	}
	_, err = c.ChangeUser(t.Context(), "ann@cloud.example", read.Tag, directory.UserChange{JobTitle: &baker})
	if p := refusal(err); p.Status != http.StatusConflict || p.Type != console.ChangedType {
		t.Errorf("the second: %v", err)
	}
	if now, err := c.User(t.Context(), "ann@cloud.example"); err != nil || now.Object.JobTitle != cook {
		t.Errorf("it is %q, %v", now.Object.JobTitle, err)
	}
}

func TestANameThatWasGivenUpCanBeSomebodyElses(t *testing.T) {
	b, c, _ := counter(t)
	first := mustUser(t, c, api.NewUser{UPN: "eve@cloud.example", Password: goodPassword})
	if err := b.Store.PutGroup(t.Context(), directory.Group{ID: "g", Name: "g", Members: []authn.AccountID{first.ID}}); err != nil {
		t.Fatal(err)
	}
	other := "eve.two@cloud.example"
	if _, err := c.ChangeUser(t.Context(), "eve@cloud.example", "", directory.UserChange{UPN: &other}); err != nil {
		t.Fatal(err)
	}
	second := mustUser(t, c, api.NewUser{UPN: "eve@cloud.example", Password: goodPassword})
	if _, err := c.DeleteUser(t.Context(), other, false); err != nil {
		t.Fatal(err)
	}
	third := mustUser(t, c, api.NewUser{UPN: other, Password: goodPassword})
	if first.ID == second.ID || first.ID == third.ID || second.ID == third.ID {
		t.Errorf("ids %q, %q, %q", first.ID, second.ID, third.ID)
	}
	if groups, err := b.Store.GroupsOf(t.Context(), third.ID); err != nil || len(groups) != 0 {
		t.Errorf("it inherits %v, %v", groups, err)
	}
}

func TestAnImmutableIDIsOneAccounts(t *testing.T) {
	_, c, _ := counter(t)
	mustUser(t, c, api.NewUser{UPN: "one@saml.example", ImmutableID: "c2FtZQ=="})
	_, err := c.CreateUser(t.Context(), api.NewUser{UPN: "two@saml.example", ImmutableID: "c2FtZQ=="})
	if p := refusal(err); p.Status != http.StatusConflict {
		t.Errorf("a second account of that immutable ID: %v", err)
	}
	mustUser(t, c, api.NewUser{UPN: "two@saml.example", ImmutableID: "b3RoZXI="})
}

// Every field that a change can have is tried: one that is added is judged here too.
func TestWhatThePremisesMasterIsRefusedAttributeByAttribute(t *testing.T) {
	b, c, log := counter(t)
	tom := directory.User{ID: "tom", UPN: "tom@phs.example", DisplayName: "Tom", Enabled: true, Synced: true, Onprem: directory.Onprem{Anchor: "dG9t"}}
	if err := b.Store.CreateUser(t.Context(), tom); err != nil {
		t.Fatal(err)
	}
	cloud := []string{"UsageLocation", "Blocked", "Admin", "MustChange"}
	fields := reflect.TypeFor[directory.UserChange]()
	for i := range fields.NumField() {
		ask := directory.UserChange{}
		switch at := reflect.ValueOf(&ask).Elem().Field(i).Addr().Interface().(type) {
		case **string:
			value := map[string]string{"UPN": "other@phs.example", "Mail": "t@phs.example", "UsageLocation": "NL"}[fields.Field(i).Name]
			if value == "" {
				value = "other"
			}
			*at = &value
		case **bool:
			value := fields.Field(i).Name != "Enabled"
			*at = &value
		default:
			t.Fatalf("%s is of a kind that this test doesn't know", fields.Field(i).Name)
		}
		name, p := fields.Field(i).Name, api.Problem{}
		after, err := c.ChangeUser(t.Context(), tom.UPN, "", ask)
		if p = refusal(err); slices.Contains(cloud, name) {
			if err != nil || after.UPN != tom.UPN {
				t.Errorf("%s is the cloud's: %v", name, err)
			}
			continue
		}
		if p.Type != console.MasteredType || !strings.Contains(p.Detail, "Active Directory") {
			t.Errorf("%s: %v", name, err)
		}
		if last := log.entries[len(log.entries)-1]; last.Target != tom.UPN || !strings.HasPrefix(last.Result, "failure: ") {
			t.Errorf("%s: the audit log says %+v", name, last)
		}
	}
	if _, err := c.DeleteUser(t.Context(), tom.UPN, true); refusal(err).Type != console.MasteredType {
		t.Errorf("delete: %v", err)
	}
}

func TestSomebodyIsAlwaysLeftToAdminister(t *testing.T) {
	_, c, _ := counter(t)
	no, yes := false, true
	for range 10 {
		for _, name := range []string{"ann", "ben"} {
			if _, err := c.ChangeUser(t.Context(), name+"@cloud.example", "", directory.UserChange{Admin: &yes}); err != nil {
				t.Fatal(err)
			}
		}
		var both sync.WaitGroup
		refused := make([]error, 2)
		for i, name := range []string{"ann", "ben"} {
			both.Go(func() {
				_, refused[i] = c.ChangeUser(t.Context(), name+"@cloud.example", "", directory.UserChange{Admin: &no})
			})
		}
		both.Wait()
		if (refused[0] == nil) == (refused[1] == nil) {
			t.Fatalf("of two demotions at once: %v, %v", refused[0], refused[1])
		}
	}
}

func TestADeletedAccountComesBackFor30DaysAndNoLonger(t *testing.T) {
	b, c, _ := counter(t)
	for after, back := range map[time.Duration]bool{directory.DeletedFor: true, directory.DeletedFor + time.Second: false} {
		if _, err := c.DeleteUser(t.Context(), "ann@cloud.example", false); err != nil {
			t.Fatal(err)
		}
		b.Clock.(*authntest.Clock).Advance(after)
		_, err := c.RestoreUser(t.Context(), "ann@cloud.example", api.Restore{})
		if (err == nil) != back || !back && refusal(err).Status != http.StatusNotFound {
			t.Errorf("after %v: %v", after, err)
		}
		if !back { // for the other turn
			if _, err := b.Store.RestoreUser(t.Context(), "id-ann", func(*directory.User) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestNoWayToAPasswordGoesRoundThePolicyAndNoneIsWrittenDown(t *testing.T) {
	_, c, log := counter(t)
	weak := "Password1"
	_, create := c.CreateUser(t.Context(), api.NewUser{UPN: "eve@cloud.example", Password: weak})
	_, reset := c.ResetPassword(t.Context(), "ann@cloud.example", api.NewPassword{Password: weak})
	for what, err := range map[string]error{"create": create, "reset": reset, "set": c.SetPassword(t.Context(), "ann@cloud.example", authn.NewSecret([]byte(weak)))} {
		if refusal(err).Status != http.StatusBadRequest {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := c.User(t.Context(), "eve@cloud.example"); refusal(err).Status != http.StatusNotFound {
		t.Errorf("an account without its password was made: %v", err)
	}
	made, err := c.ResetPassword(t.Context(), "ann@cloud.example", api.NewPassword{Generate: true, MustChange: true})
	if err != nil || made.Password == "" {
		t.Fatal(err)
	}
	mustUser(t, c, api.NewUser{UPN: "eve@cloud.example", Password: goodPassword})
	u, err := c.User(t.Context(), "ann@cloud.example")
	if err != nil || !u.Object.MustChange || len(u.Object.Credentials) != 1 {
		t.Errorf("%+v, %v", u.Object, err)
	}
	for _, e := range log.entries {
		for _, secret := range []string{weak, goodPassword, made.Password} {
			if strings.Contains(fmt.Sprintf("%+v", e), secret) {
				t.Errorf("the audit log holds a password: %s of %s", e.Action, e.Target)
			}
		}
	}
	if len(log.entries) != 5 {
		t.Errorf("%d entries of 5 changes and attempts", len(log.entries))
	}
}

func TestABodyThatIsNotUTF8IsNotReadAsSomethingElse(t *testing.T) {
	b, _, _ := counter(t)
	h := console.New(console.Ports{Access: everybody{}, Tenant: console.TenantPorts{People: &People{Base: b}}}, b.Clock)
	for body, want := range map[string]int{"{\"displayName\":\"\xff\"}": http.StatusBadRequest, `{"displayName":"\ud800"}`: http.StatusBadRequest, `{"displayName":"Änn"}`: http.StatusOK} {
		r := httptest.NewRequest(http.MethodPatch, "/api/v1/users/ann@cloud.example", bytes.NewReader([]byte(body)))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer token")
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != want {
			t.Errorf("%q: %d %s", body, w.Code, w.Body)
		}
	}
}
