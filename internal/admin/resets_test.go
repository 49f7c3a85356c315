package admin

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/passhash"
	"github.com/fourways-id/fourways/internal/passpolicy"
	"github.com/fourways-id/fourways/providers/phs"
)

// The passwords of these stories.
const (
	onPremises = "Spring-2025!"
	fromAdmin  = "Tidal-Basin-77"
)

// hybrid is a tenant with a synchronised person, sam, in each domain; the premises sent a hash of each password, and each is
// signed in. In swap.example, whose path is cloud, sam has a cloud password too.
type hybrid struct {
	Base
	*People
	t *testing.T
}

func newHybrid(t *testing.T) hybrid {
	t.Helper()
	b := office(t)
	conf := &config.Config{
		Domain: []config.Domain{
			{Name: "cloud.example", Path: authn.PathCloud},
			{Name: "phs.example", Path: authn.PathPHS, PasswordHashSync: on()},
			{Name: "pta.example", Path: authn.PathPTA, PasswordHashSync: on()},
			{Name: "bare.example", Path: authn.PathPTA, PasswordHashSync: off()},
			{Name: "saml.example", Path: authn.PathFederated, PasswordHashSync: on()},
			{Name: "swap.example", Path: authn.PathCloud, PasswordHashSync: on()},
		},
		Hashing: config.Hashing{Argon2Memory: 8, Argon2Time: 1, Argon2Parallelism: 1},
	}
	b.Config = func() *config.Config { return conf }
	policy, err := passpolicy.New(passpolicy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tenant := directory.New(b.Store, conf.Domains(), nil)
	h := hybrid{b, &People{Base: b, Realms: tenant, Hashes: tenant, Policy: policy}, t}
	for _, d := range conf.Domain[1:] {
		h.arrives("sam@"+d.Name, onPremises)
	}
	if err := h.SetPassword(t.Context(), "sam@swap.example", authn.NewSecret([]byte(onPremises))); err != nil {
		t.Fatal(err)
	}
	h.signsIn("sam@swap.example")
	return h
}

func on() *bool  { yes := true; return &yes }
func off() *bool { return new(bool) }

// arrives is a person whom the premises sent, with a hash where it is wanted.
func (h hybrid) arrives(upn, password string) {
	h.t.Helper()
	u := directory.User{ID: authn.AccountID(upn), UPN: upn, Enabled: true, Synced: true, Onprem: directory.Onprem{Anchor: upn}}
	if err := h.Store.CreateUser(h.t.Context(), u); err != nil {
		h.t.Fatal(err)
	}
	if !strings.HasSuffix(upn, "bare.example") {
		h.changesOnPremises(upn, password)
	}
	h.signsIn(upn)
}

// changesOnPremises is what a hash run brings.
func (h hybrid) changesOnPremises(upn, password string) {
	h.t.Helper()
	if err := h.Store.SetCredentials(h.t.Context(), []directory.Credential{{
		Account: authn.AccountID(upn), Scheme: directory.SchemePHS, Record: []byte(passhash.NewOrgID(passhash.NTHash([]byte(password))).String()),
		Source: "run-1", Changed: h.Clock.Now(),
	}}); err != nil {
		h.t.Fatal(err)
	}
}

func (h hybrid) signsIn(upn string) {
	h.t.Helper()
	if _, err := h.Store.Commit(h.t.Context(), authn.Final{
		Record:  authn.Record{ID: authn.AttemptID(upn + time.Now().String()), At: h.Clock.Now(), Final: true, Verdict: authn.Allowed, Account: authn.AccountID(upn)},
		Session: &authn.Session{Hash: []byte(upn), Account: authn.AccountID(upn), Began: h.Clock.Now(), Until: h.Clock.Now().Add(time.Hour)},
	}); err != nil {
		h.t.Fatal(err)
	}
}

func (h hybrid) signedIn(upn string) bool {
	h.t.Helper()
	_, err := h.Store.SessionByHash(h.t.Context(), []byte(upn))
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		h.t.Fatal(err)
	}
	return err == nil
}

func (h hybrid) SyncedHash(ctx context.Context, id authn.AccountID) (phs.Hash, error) {
	c, err := h.Store.Credential(ctx, id, directory.SchemePHS)
	if errors.Is(err, directory.ErrNotFound) {
		err = nil
	}
	return phs.Hash{Record: string(c.Record), Source: c.Source, Synced: c.Stored}, err
}

// opens reports whether a password lets the person in by password hash synchronisation.
func (h hybrid) opens(upn, password string) bool {
	h.t.Helper()
	u, err := h.Store.UserByUPN(h.t.Context(), upn)
	if err != nil {
		h.t.Fatal(err)
	}
	p := phs.New(h, passhash.NewPool(0, 0), h.Clock)
	out := p.Step(h.t.Context(), authn.Attempt{Account: u.Account(), Answer: authn.Password{Secret: authn.NewSecret([]byte(password))}})
	return out.Verdict == authn.Allowed
}

// opensCloud reports whether it is the cloud password.
func (h hybrid) opensCloud(upn, password string) bool {
	h.t.Helper()
	u, err := h.Store.UserByUPN(h.t.Context(), upn)
	if err != nil {
		h.t.Fatal(err)
	}
	c, err := h.Store.Credential(h.t.Context(), u.ID, directory.SchemeCloud)
	if errors.Is(err, directory.ErrNotFound) {
		return false
	}
	stored, err2 := passhash.Parse(string(c.Record))
	if err := errors.Join(err, err2); err != nil {
		h.t.Fatal(err)
	}
	return stored.Match([]byte(password))
}

func TestAManualResetCountsUntilTheNextChangeOnPremises(t *testing.T) {
	h, sam := newHybrid(t), "sam@phs.example"
	if !h.opens(sam, onPremises) || !h.signedIn(sam) {
		t.Fatal("sam can't sign in to begin with")
	}
	set, err := h.ResetPassword(t.Context(), sam, api.NewPassword{Password: fromAdmin})
	if err != nil || set != (api.PasswordSet{User: sam, Done: "password set in the cloud; it counts until it is changed on-premises"}) {
		t.Fatalf("%+v, %v", set, err)
	}
	if h.opens(sam, onPremises) || !h.opens(sam, fromAdmin) {
		t.Errorf("the old one opens %v, the new one %v", h.opens(sam, onPremises), h.opens(sam, fromAdmin))
	}
	if h.signedIn(sam) || !h.signedIn("sam@pta.example") {
		t.Errorf("sam is signed in %v, somebody else %v", h.signedIn(sam), h.signedIn("sam@pta.example"))
	}
	if h.opensCloud(sam, fromAdmin) {
		t.Error("sam has a cloud password, which nobody asks for")
	}
	d, err := h.User(t.Context(), sam)
	if err != nil || len(d.Credentials) != 1 || d.Credentials[0].Source != phs.SourceCloud || !d.Credentials[0].Changed.Equal(h.Clock.Now()) {
		t.Errorf("%+v, %v", d.Credentials, err)
	}
	h.changesOnPremises(sam, "Autumn-2025!")
	if h.opens(sam, fromAdmin) || !h.opens(sam, "Autumn-2025!") {
		t.Error("the next change on-premises does not win")
	}
}

func TestAResetSaysWhatItSetAndWhereItCounts(t *testing.T) {
	for who, c := range map[string]struct {
		force, hash, cloud bool
		done               string
	}{
		"sam@phs.example":   {false, true, false, "counts until it is changed on-premises"},
		"sam@pta.example":   {false, true, false, "pass-through authentication asks the premises: it counts after a switch"},
		"sam@swap.example":  {false, true, true, "takes the place of the synchronised hash too"},
		"sam@bare.example":  {true, false, true, "pass-through authentication does not ask for it"},
		"sam@saml.example":  {true, false, true, "federation does not ask for it"},
		"ann@cloud.example": {false, false, true, "cloud password set"},
	} {
		h := newHybrid(t)
		set, err := h.ResetPassword(t.Context(), who, api.NewPassword{Password: fromAdmin, Force: c.force})
		if err != nil || !strings.Contains(set.Done, c.done) {
			t.Errorf("%s: %q, %v; want %q", who, set.Done, err, c.done)
		}
		if hash, cloud := h.opens(who, fromAdmin), h.opensCloud(who, fromAdmin); hash != c.hash || cloud != c.cloud {
			t.Errorf("%s: set as hash %v, as cloud password %v", who, hash, cloud)
		}
		if kept := h.opens(who, onPremises); kept != (who == "sam@saml.example") {
			t.Errorf("%s: the hash of the premises opens: %v", who, kept)
		}
		if h.opensCloud(who, onPremises) || h.signedIn(who) {
			t.Errorf("%s: an old cloud password is left, or an old session", who)
		}
	}
}

func TestAResetIsRefusedWhereItWouldBeOfNoUse(t *testing.T) {
	h := newHybrid(t)
	for _, c := range []struct {
		who   string
		ask   api.NewPassword
		guard bool // --force does it
		says  string
	}{
		{"sam@saml.example", api.NewPassword{Password: fromAdmin}, true, "change it at the identity provider"},
		{"sam@bare.example", api.NewPassword{Password: fromAdmin}, true, "change it in the directory that masters the account"},
		{"sam@phs.example", api.NewPassword{Password: fromAdmin, MustChange: true}, false, "nothing is written back"},
		{"sam@pta.example", api.NewPassword{Password: fromAdmin, MustChange: true, Force: true}, false, "nothing is written back"},
		{"sam@phs.example", api.NewPassword{Password: "sam"}, false, "characters"},
	} {
		set, err := h.ResetPassword(t.Context(), c.who, c.ask)
		var guard console.Guarded
		if set.Done != "" || errors.As(err, &guard) != c.guard || !c.guard && refusal(err).Status != http.StatusBadRequest || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %+v, %v; want %q", c.who, set, err, c.says)
		}
		if h.opens(c.who, c.ask.Password) || h.opensCloud(c.who, c.ask.Password) || !h.signedIn(c.who) {
			t.Errorf("%s: something was done all the same", c.who)
		}
	}
}

func TestATemporaryPasswordIsNotKeptAsAHash(t *testing.T) {
	h, sam := newHybrid(t), "sam@swap.example"
	if _, err := h.ResetPassword(t.Context(), sam, api.NewPassword{Password: fromAdmin, MustChange: true}); err != nil {
		t.Fatal(err)
	}
	if !h.opensCloud(sam, fromAdmin) || h.opens(sam, fromAdmin) {
		t.Errorf("as cloud password %v, as hash %v", h.opensCloud(sam, fromAdmin), h.opens(sam, fromAdmin))
	}
	if u, err := h.Store.UserByUPN(t.Context(), sam); err != nil || !u.MustChange {
		t.Errorf("it must be changed: %v, %v", u.MustChange, err)
	}
}

func TestSeedingACloudPasswordLeavesTheHashAlone(t *testing.T) {
	h, sam := newHybrid(t), "sam@swap.example"
	if err := h.SetPassword(t.Context(), sam, authn.NewSecret([]byte(fromAdmin))); err != nil {
		t.Fatal(err)
	}
	if !h.opensCloud(sam, fromAdmin) || !h.opens(sam, onPremises) || h.opens(sam, fromAdmin) {
		t.Error("a lab's cloud password took the place of the synchronised hash, or was not set")
	}
}

func TestACloudOnlyAccountOfADomainWithHashesCanSignInThere(t *testing.T) {
	h := newHybrid(t)
	if _, err := h.CreateUser(t.Context(), api.NewUser{UPN: "new@phs.example", Password: fromAdmin}); err != nil {
		t.Fatal(err)
	}
	if !h.opens("new@phs.example", fromAdmin) || h.opens("new@phs.example", onPremises) {
		t.Error("the password that it was made with does not open")
	}
	set, err := h.ResetPassword(t.Context(), "new@phs.example", api.NewPassword{Generate: true})
	if err != nil || set.Done != "password set" || !h.opens("new@phs.example", set.Password) || !h.opensCloud("new@phs.example", set.Password) || h.opens("new@phs.example", fromAdmin) {
		t.Errorf("%q, %v", set.Done, err)
	}
	_, err = h.CreateUser(t.Context(), api.NewUser{UPN: "tmp@phs.example", Password: fromAdmin, MustChange: true})
	if refusal(err).Status != http.StatusBadRequest {
		t.Errorf("a password that can't be changed at the door: %v", err)
	}
	if _, err := h.CreateUser(t.Context(), api.NewUser{UPN: "tmp@swap.example", Password: fromAdmin, MustChange: true}); err != nil || h.opens("tmp@swap.example", fromAdmin) {
		t.Errorf("a temporary one is kept as a hash, or %v", err)
	}
}

func TestALeaksFlagStaysWhereTheLeakedPasswordStillCounts(t *testing.T) {
	h := newHybrid(t)
	flagged := func(upn string) bool {
		u, err := h.Store.UserByUPN(t.Context(), upn)
		if err != nil {
			t.Fatal(err)
		}
		return !u.Leaked.IsZero()
	}
	for who, stays := range map[string]bool{"sam@phs.example": false, "sam@swap.example": false, "sam@pta.example": true} {
		if _, _, err := h.Store.ChangeUser(t.Context(), authn.AccountID(who), func(u *directory.User) error { u.Leaked = h.Clock.Now(); return nil }); err != nil {
			t.Fatal(err)
		}
		if _, err := h.ResetPassword(t.Context(), who, api.NewPassword{Password: fromAdmin}); err != nil || flagged(who) != stays {
			t.Errorf("%s: flagged %v, %v", who, flagged(who), err)
		}
	}
	leaks := &Leaks{Base: h.Base, Domains: h.People.Hashes, Work: passhash.NewBackground()}
	found, err := leaks.CheckLeaked(t.Context(), api.LeakedCheck{Pairs: []api.LeakedPair{
		{Line: 1, User: "sam@phs.example", Password: fromAdmin}, {Line: 2, User: "sam@phs.example", Password: onPremises},
	}})
	if err != nil || len(found.Matches) != 1 || found.Matches[0].Line != 1 || !slices.Equal(found.Matches[0].Records, []string{directory.SchemePHS}) || found.Clear != 1 {
		t.Errorf("a leak is compared with what was set: %+v, %v", found, err)
	}
}
