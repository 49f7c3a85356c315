package admin

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/passhash"
)

// People manages accounts. The commands use it on the store file as long as there is no token.
type People struct{ Base }

// costOf is what new cloud passwords cost under that configuration.
func costOf(c *config.Config) passhash.Argon2id {
	return passhash.Argon2id{MemoryKiB: c.Hashing.Argon2Memory, Time: c.Hashing.Argon2Time, Parallelism: c.Hashing.Argon2Parallelism}
}

// shortest and longest bound a cloud password, in characters (Microsoft: password policies for cloud-only accounts).
const (
	shortest = 8
	longest  = 256
)

// Users implements console.UserPorts. When an account was last synchronised is left out: nothing is decided by it, the runs
// and the trace's step H0 tell it, and without it one seed's list of people is the same in every lab, whenever it was made.
func (a *People) Users(ctx context.Context, q directory.Query) ([]directory.User, error) {
	users, err := a.Store.Users(ctx, q)
	for i := range users {
		users[i].Onprem.SyncedAt = time.Time{}
	}
	return users, err
}

// CreateUser implements console.UserPorts.
func (a *People) CreateUser(ctx context.Context, ask api.NewUser) (directory.User, error) {
	if initial := a.Config().Tenant.InitialDomain; initial != "" && !strings.Contains(ask.UPN, "@") {
		ask.UPN += "@" + initial
	}
	who := authn.ParseIdentifier(ask.UPN)
	if who.UPN() == "" {
		return directory.User{}, BadRequest("%q is no user principal name: give name@domain, ASCII, at most 64 characters before the @ and 48 after it", ask.UPN)
	}
	if !a.serves(who.Domain()) {
		return directory.User{}, BadRequest("%s is no domain of this tenant: add a [[domain]] to the configuration first", who.Domain())
	}
	if err := Text("a display name", ask.DisplayName, 256); err != nil { // as in Microsoft Graph
		return directory.User{}, err
	}
	pw := authn.NewSecret([]byte(ask.Password))
	record, err := a.hash(pw)
	if err != nil {
		return directory.User{}, err
	}
	now := a.Clock.Now()
	user := directory.User{
		ID: authn.AccountID(a.id(who.UPN())), UPN: who.UPN(), DisplayName: ask.DisplayName, Enabled: true, Admin: ask.Admin, Created: now, Changed: now,
	}
	if user.DisplayName == "" {
		user.DisplayName = user.UPN
	}
	if err := a.Store.CreateUser(ctx, user); err != nil {
		return directory.User{}, err
	}
	if err := a.store(ctx, user, record); err != nil {
		return directory.User{}, fmt.Errorf("the account was made, but its password was not stored: %w: set it with `fourways user set-password`", err)
	}
	return user, nil
}

// SetPassword implements console.UserPorts. It ends the account's sessions: who has the old password may be whom the new one
// is to keep out.
func (a *People) SetPassword(ctx context.Context, upn string, pw authn.Secret) error {
	user, err := a.Store.UserByUPN(ctx, authn.ParseIdentifier(upn).UPN())
	if err != nil {
		return fmt.Errorf("%s: %w", upn, err)
	}
	record, err := a.hash(pw)
	if err != nil {
		return err
	}
	if err := a.store(ctx, user, record); err != nil {
		return err
	}
	if err := a.Store.EndSessionsOf(ctx, user.ID); err != nil {
		return fmt.Errorf("the password was set, but who was signed in with the old one still is: %w: set it once more", err)
	}
	return nil
}

// HashPassword makes the record of a cloud password at the configured cost, and wipes pw.
func (a *People) HashPassword(pw authn.Secret) ([]byte, error) {
	record, err := a.hash(pw)
	return []byte(record), err
}

func (a *People) hash(pw authn.Secret) (string, error) {
	defer pw.Wipe()
	if n := len([]rune(string(pw.Reveal()))); n < shortest || n > longest {
		return "", BadRequest("a password has %d to %d characters", shortest, longest)
	}
	return costOf(a.Config()).Hash(pw.Reveal())
}

func (a *People) store(ctx context.Context, u directory.User, record string) error {
	now := a.Clock.Now()
	return a.Store.SetCredentials(ctx, []directory.Credential{{
		Account: u.ID, Scheme: directory.SchemeCloud, Record: []byte(record), Source: "cloud", Changed: now, Stored: now,
	}})
}

func (a *People) serves(domain string) bool {
	for _, d := range a.Config().Domain {
		if d.Name == domain {
			return true
		}
	}
	return false
}
