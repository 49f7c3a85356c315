package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/passhash"
	"github.com/fourways-id/fourways/internal/passpolicy"
)

// People manages accounts. The commands use it on the store file as long as there is no token.
type People struct {
	Base
	Realms authn.Realms // how an account signs in now; nil: not told
	Hashes HashSync     // whether a domain's password hashes are synchronised; nil: none are
	Policy Policy       // judges new passwords; nil: only their length is, which is for a lab's own seeding
}

// Policy judges a new cloud password: nil, a passpolicy.Refusal that says what is wrong with it, or an error.
type Policy interface {
	Check(ctx context.Context, pw authn.Secret, who passpolicy.Person) error
}

// costOf is what new cloud passwords cost under that configuration.
func costOf(c *config.Config) passhash.Argon2id {
	return passhash.Argon2id{MemoryKiB: c.Hashing.Argon2Memory, Time: c.Hashing.Argon2Time, Parallelism: c.Hashing.Argon2Parallelism}
}

// Users implements console.PeopleReader. When an account was last synchronised is left out: nothing is decided by it, the runs
// and the trace's step H0 tell it, and without it one seed's list of people is the same in every lab, whenever it was made.
func (a *People) Users(ctx context.Context, q directory.Query) ([]directory.User, error) {
	users, err := a.Store.Users(ctx, q)
	for i := range users {
		users[i].Onprem.SyncedAt = time.Time{}
	}
	return users, err
}

// User implements console.PeopleReader.
func (a *People) User(ctx context.Context, named string) (api.UserDetail, error) {
	u, err := a.person(ctx, named)
	if err != nil {
		return api.UserDetail{}, err
	}
	d := api.UserDetail{User: u, Credentials: []api.CredentialKind{}}
	if d.Groups, err = a.Store.GroupsOf(ctx, u.ID); err != nil {
		return d, err
	}
	rows, err := a.Store.Licences(ctx, directory.LicenceQuery{Account: u.ID})
	for _, r := range rows {
		d.Licences = append(d.Licences, r.Licence)
	}
	tally, err2 := a.Store.Tally(ctx, "account:"+string(u.ID))
	sessions, err3 := a.Store.SessionsOf(ctx, u.ID)
	if err := errors.Join(err, err2, err3); err != nil {
		return d, err
	}
	d.Failures, d.Sessions = tally.Failures, len(sessions)
	if tally.LockedUntil.After(a.Clock.Now()) {
		d.LockedUntil = tally.LockedUntil
	}
	for _, scheme := range []string{directory.SchemeCloud, directory.SchemePHS} {
		c, err := a.Store.Credential(ctx, u.ID, scheme)
		if errors.Is(err, directory.ErrNotFound) {
			continue
		}
		if err != nil {
			return d, err
		}
		d.Credentials = append(d.Credentials, api.CredentialKind{Scheme: scheme, Source: c.Source, Changed: c.Changed})
	}
	realm, err := a.realm(ctx, u)
	d.SignsIn = api.SignsIn{Path: realm.Path, IdP: realm.IdP, Rule: realm.Rule}
	return d, err
}

// realm is how an account signs in now.
func (a *People) realm(ctx context.Context, u directory.User) (authn.Realm, error) {
	if a.Realms == nil {
		return authn.Realm{}, nil
	}
	return a.Realms.Of(ctx, authn.ParseIdentifier(u.UPN), u.Account())
}

// CreateUser implements console.PeopleWriter.
func (a *People) CreateUser(ctx context.Context, ask api.NewUser) (directory.User, error) {
	pw := authn.NewSecret([]byte(ask.Password))
	defer pw.Wipe()
	user, err := a.newUser(ctx, ask)
	if err != nil {
		return directory.User{}, err
	}
	if err := a.needsPassword(ctx, user, pw); err != nil {
		return directory.User{}, err
	}
	if user.ID, err = a.unused(ctx, user.ID); err != nil {
		return directory.User{}, err
	}
	if err := a.createWith(ctx, user, pw); err != nil {
		return directory.User{}, err
	}
	return user, nil
}

// createWith stores a new account, with its password, if it has one, in every form in which it may be asked for.
func (a *People) createWith(ctx context.Context, u directory.User, pw authn.Secret) error {
	if pw.Empty() {
		return a.Store.CreateUserWith(ctx, u, nil)
	}
	r, err := a.newcomer(ctx, u)
	if err != nil {
		return err
	}
	if err := a.judge(ctx, u, pw); err != nil {
		return err
	}
	records, err := a.records(r, pw)
	if err != nil {
		return err
	}
	return a.Store.CreateUserWith(ctx, u, records)
}

// unused is the id, or a random one where that is the id of an account which was renamed or deleted since: a lab makes it of
// the name.
func (b Base) unused(ctx context.Context, id authn.AccountID) (authn.AccountID, error) {
	_, err := b.Store.UserByID(ctx, id)
	taken := err == nil
	if errors.Is(err, directory.ErrNotFound) {
		var gone []directory.DeletedUser
		gone, err = b.Store.DeletedUser(ctx, string(id))
		taken = len(gone) > 0
	}
	if taken {
		id = authn.AccountID(NewID())
	}
	return id, err
}

// newUser judges the attributes of a new account.
func (a *People) newUser(ctx context.Context, ask api.NewUser) (directory.User, error) {
	if initial := a.Config().Tenant.InitialDomain; initial != "" && !strings.Contains(ask.UPN, "@") {
		ask.UPN += "@" + initial
	}
	now := a.Clock.Now()
	user := directory.User{Enabled: true, Admin: ask.Admin, MustChange: ask.MustChange, Created: now, Changed: now}
	name := cmp.Or(ask.DisplayName, authn.ParseIdentifier(ask.UPN).UPN())
	user, err := directory.UserChange{
		UPN: &ask.UPN, DisplayName: &name, GivenName: &ask.GivenName, Surname: &ask.Surname, Mail: &ask.Mail,
		Department: &ask.Department, JobTitle: &ask.JobTitle, UsageLocation: &ask.UsageLocation, ImmutableID: &ask.ImmutableID,
	}.Apply(user)
	if err != nil {
		return user, BadRequest("%q: %v", ask.UPN, err)
	}
	if err := a.serves(ctx, user.UPN); err != nil {
		return user, err
	}
	user.ID = authn.AccountID(a.id(user.UPN))
	return user, nil
}

// needsPassword refuses an account that could never sign in: where the gateway itself checks a cloud password, one is needed.
func (a *People) needsPassword(ctx context.Context, u directory.User, pw authn.Secret) error {
	if !pw.Empty() || u.Onprem.Anchor != "" {
		return nil
	}
	realm, err := a.realm(ctx, u)
	if err != nil || realm.Path != authn.PathCloud && realm.Path != "" {
		return err
	}
	return BadRequest("%s signs in by a cloud password, so give one", u.UPN)
}

// ChangeUser implements console.PeopleWriter.
func (a *People) ChangeUser(ctx context.Context, named string, c directory.UserChange, version string) (before, after directory.User, err error) {
	u, err := a.person(ctx, named)
	if err != nil {
		return u, u, err
	}
	before, after, err = a.Store.ChangeUser(ctx, u.ID, func(now *directory.User) error {
		if version != "" && version != now.Tag() {
			return fmt.Errorf("%s: %w", now.UPN, directory.ErrChanged)
		}
		next, err := c.Apply(*now)
		switch {
		case errors.Is(err, directory.ErrMastered):
			return err
		case err != nil:
			return BadRequest("%s: %v", now.UPN, err)
		}
		if next.UPN != now.UPN {
			if err := a.serves(ctx, next.UPN); err != nil {
				return err
			}
		}
		if next != *now {
			next.Changed = a.Clock.Now()
		}
		*now = next
		return nil
	})
	if errors.Is(err, directory.ErrLicensed) {
		err = guarded(err.Error() + ": name another one, or take the licences first (`fourways license revoke`)")
	}
	return before, after, lastAdmin(err)
}

// lastAdmin makes a guard's refusal of losing the last administrator.
func lastAdmin(err error) error {
	if !errors.Is(err, directory.ErrLastAdmin) {
		return err
	}
	return guarded(err.Error() + ": with everything on-premises down nobody could administer. Make another first: `fourways user create NAME@DOMAIN --admin`, or `fourways user update USER --admin`")
}

// HashPassword makes the record of a cloud password at the configured cost, and wipes pw.
func (a *People) HashPassword(pw authn.Secret) ([]byte, error) {
	defer pw.Wipe()
	if err := length(pw); err != nil {
		return nil, err
	}
	record, err := costOf(a.Config()).Hash(pw.Reveal())
	return []byte(record), err
}

func length(pw authn.Secret) error {
	if n := utf8.RuneCount(pw.Reveal()); n < passpolicy.Shortest || n > passpolicy.Longest {
		return BadRequest("a password has %d to %d characters", passpolicy.Shortest, passpolicy.Longest)
	}
	return nil
}

// serves refuses a name whose domain is not verified: the file declares it, or it was added and verified at run time.
func (a *People) serves(ctx context.Context, upn string) error {
	domain := authn.ParseIdentifier(upn).Domain()
	if slices.ContainsFunc(a.Config().Domain, func(d config.Domain) bool { return d.Name == domain }) {
		return nil
	}
	k, err := a.Store.KeptDomain(ctx, domain)
	if err == nil && k.Served() {
		return nil
	}
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		return err
	}
	return BadRequest("%s is no verified domain of this tenant: `fourways domain list` shows those that are", domain)
}
