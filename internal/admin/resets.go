package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/passhash"
)

// reset is a new password that an administrator sets, and which of an account's passwords it takes the place of. The gateway
// keeps up to two: a cloud password, and a hash as the premises send it. Neither is left to come back after a switch of path.
type reset struct {
	user  directory.User
	path  authn.Path
	cloud bool // the cloud password
	hash  bool // the synchronised hash, until the next change on-premises (Microsoft: manual reset overrides the synchronised password)
}

// reset says what a new password replaces, or why it may not be set.
func (a *People) reset(ctx context.Context, u directory.User, ask api.NewPassword) (reset, error) {
	realm, err := a.realm(ctx, u)
	if err != nil {
		return reset{}, err
	}
	r := reset{user: u, path: realm.Path}
	if r.hash, err = a.keepsHash(ctx, u, realm.Path); err != nil {
		return r, err
	}
	if !r.hash && !ask.Force {
		if err := asked(u, realm); err != nil {
			return r, err
		}
	}
	if ask.MustChange && r.path == authn.PathCloud {
		r.hash = false // a temporary one is withheld, as one of the premises is
	}
	if ask.MustChange && r.hash {
		return r, temporary(u, realm.Path)
	}
	r.cloud = !r.hash || !u.Synced || r.path == authn.PathCloud || ask.Force
	if !r.cloud {
		_, err = a.Store.Credential(ctx, u.ID, directory.SchemeCloud)
		r.cloud = err == nil
		if errors.Is(err, directory.ErrNotFound) {
			err = nil
		}
	}
	return r, err
}

// newcomer is a reset of an account that is to be made: it has no master on-premises, so nobody would ask for another one.
func (a *People) newcomer(ctx context.Context, u directory.User) (reset, error) {
	realm, err := a.realm(ctx, u)
	if err != nil {
		return reset{}, err
	}
	r := reset{user: u, path: realm.Path, cloud: true}
	if r.hash, err = a.keepsHash(ctx, u, realm.Path); err != nil || !r.hash || !u.MustChange {
		return r, err
	}
	if r.hash = false; r.path == authn.PathPHS {
		return r, temporary(u, r.path)
	}
	return r, nil
}

// keepsHash reports that the gateway keeps a hash of the account's password as the premises send it.
func (a *People) keepsHash(ctx context.Context, u directory.User, path authn.Path) (bool, error) {
	if a.Hashes == nil || path == authn.PathFederated || path == authn.PathNone || path == "" {
		return false, nil
	}
	return a.Hashes.PHS(ctx, authn.ParseIdentifier(u.UPN).Domain())
}

// asked refuses to set a password that nobody would ask the person for.
func asked(u directory.User, realm authn.Realm) error {
	where := "change it in the directory that masters the account"
	switch realm.Path {
	case authn.PathCloud, "":
		return nil
	case authn.PathFederated:
		where = "change it at the identity provider " + realm.IdP
	case authn.PathPHS, authn.PathPTA, authn.PathNone:
	}
	return guarded(fmt.Sprintf("%s signs in by %s (%s), which does not ask for the cloud password: %s, or set this one all the same with --force", u.UPN, realm.Path.InWords(), realm.Rule, where))
}

// temporary refuses a password that could never be changed: nothing is written back to the premises.
func temporary(u directory.User, path authn.Path) error {
	return BadRequest("%s signs in by %s, where a password can't be changed at the door: nothing is written back to the premises. Leave --must-change out; what is set counts until the next change on-premises", u.UPN, path.InWords())
}

// keep judges and stores the password, clears what asked for it, and ends the account's sessions.
func (a *People) keep(ctx context.Context, r reset, pw authn.Secret, mustChange bool) error {
	if err := a.judge(ctx, r.user, pw); err != nil {
		return err
	}
	change := func(now *directory.User) {
		now.MustChange = mustChange
		if r.path != authn.PathPTA && r.path != authn.PathFederated { // else the leaked one is still what they sign in with
			now.Leaked = time.Time{}
		}
	}
	records, err := a.records(r, pw)
	if err != nil {
		return err
	}
	return a.Store.SetPasswords(ctx, r.user.ID, records, change)
}

// records are the password as it is kept: as the premises would send it, and as a cloud password.
func (a *People) records(r reset, pw authn.Secret) ([]directory.Credential, error) {
	if err := length(pw); err != nil {
		return nil, err
	}
	base := directory.Credential{Account: r.user.ID, Source: sourceCloud, Changed: a.Clock.Now()}
	var all []directory.Credential
	if r.hash {
		nt := passhash.NTHash(pw.Reveal())
		defer clear(nt[:])
		hash := base
		hash.Scheme, hash.Record = directory.SchemePHS, []byte(passhash.NewOrgID(nt).String())
		all = append(all, hash)
	}
	if r.cloud {
		record, err := a.HashPassword(pw)
		if err != nil {
			return nil, err
		}
		cloud := base
		cloud.Scheme, cloud.Record = directory.SchemeCloud, record
		all = append(all, cloud)
	}
	return all, nil
}

// sourceCloud is the source of a password that was set here.
const sourceCloud = "cloud"

// told says what happened.
func (r reset) told() string {
	const until = "until it is changed on-premises"
	switch {
	case !r.hash && (r.path == authn.PathCloud || r.path == ""):
		return "cloud password set"
	case !r.hash:
		return fmt.Sprintf("cloud password set; %s does not ask for it", r.path.InWords())
	case r.path == authn.PathPTA:
		return "password set in the cloud, but pass-through authentication asks the premises: it counts after a switch to password hash synchronisation, and " + until
	case !r.user.Synced:
		return "password set"
	case r.path == authn.PathCloud:
		return "cloud password set; it takes the place of the synchronised hash too, " + until
	default:
		return "password set in the cloud; it counts " + until
	}
}
