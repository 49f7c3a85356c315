package lab

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/lab/dc"
	"github.com/fourways-id/fourways/internal/onprem"
)

// Tenant is the gateway as the demo world fills it: by the same means as any operator has.
type Tenant interface {
	SyncRun(ctx context.Context, kinds []string) ([]directory.Run, error)
	CreateUser(ctx context.Context, u api.NewUser) (directory.User, error)
	SetPassword(ctx context.Context, upn string, pw authn.Secret) error
}

// Locks sets what no operator can: a lockout count, and the times at which accounts were made and last changed. Users says
// who was made before a start that did not come to its end.
type Locks interface {
	Users(ctx context.Context, q directory.Query) ([]directory.User, error)
	SetTally(ctx context.Context, key string, to authn.Tally) error
	Backdate(ctx context.Context, times func(upn string) (made, changed time.Time)) error
}

// SeedPremises fills the forest with everybody who is there before the first synchronisation.
func (l *Lab) SeedPremises() error {
	l.again = !l.New()
	base := l.dc.BaseDN()
	entries := []dc.Entry{unit("Synced", base), unit("NotSynced", base)}
	for _, d := range hybrid() {
		for _, p := range cast() {
			if !p.late {
				entries = append(entries, p.entry(l.world.Seed, d, base, l.secrets.spoken(p.pw())))
			}
		}
	}
	decoy := person{name: "decoy", surname: "Account", unsynced: true}
	entries = append(entries, decoy.entry(l.world.Seed, forest, base, l.secrets.decoy))
	if err := l.dc.Seed(append(entries, groups(l.world.Seed, base)...)); err != nil {
		return fmt.Errorf("fill the lab's directory: %w", err)
	}
	return nil
}

func unit(name, base string) dc.Entry {
	return dc.Entry{DN: "OU=" + name + "," + base, Attrs: map[string][]string{"objectClass": {"top", "organizationalUnit"}, "ou": {name}}}
}

// Populate brings the demo world into the state that its people are known for. The order matters: quinn comes after the
// hash cycle and before the directory cycle, and only then does fate befall bob, carol, dave, erin, frank, grace and heidi.
// It can be repeated after SeedPremises: a lab that was ended while it was being filled comes to the same world.
func (l *Lab) Populate(ctx context.Context, t Tenant, locks Locks) error {
	if err := l.sendAway(ctx); err != nil {
		return err
	}
	work, workCtx := errgroup.WithContext(ctx)
	work.Go(func() error { return l.createCloudOnly(workCtx, t, locks) })
	work.Go(func() error { return l.synchronise(workCtx, t) })
	if err := work.Wait(); err != nil {
		return fmt.Errorf("fill the lab's tenant: %w", err)
	}
	if err := l.befall(); err != nil {
		return err
	}
	if err := l.cloudPasswords(ctx, t); err != nil {
		return err
	}
	if err := locks.Backdate(ctx, l.times); err != nil {
		return fmt.Errorf("date the lab's accounts back: %w", err)
	}
	return nil
}

// sendAway removes those from the forest who come late: an earlier start may have seeded them already.
func (l *Lab) sendAway(ctx context.Context) error {
	if !l.again {
		return nil
	}
	for _, d := range hybrid() {
		for _, p := range cast() {
			if !p.late {
				continue
			}
			if err := l.servers.admin.Delete(ctx, p.dn(d, l.dc.BaseDN())); err != nil && !errors.Is(err, onprem.ErrNotFound) {
				return fmt.Errorf("fill the lab's directory anew: %w", err)
			}
		}
	}
	return nil
}

func (l *Lab) synchronise(ctx context.Context, t Tenant) error {
	if _, err := t.SyncRun(ctx, nil); err != nil {
		return err
	}
	var late []dc.Entry
	for _, d := range hybrid() {
		for _, p := range cast() {
			if p.late {
				late = append(late, p.entry(l.world.Seed, d, l.dc.BaseDN(), l.secrets.spoken(p.pw())))
			}
		}
	}
	if err := l.dc.Seed(late); err != nil {
		return err
	}
	_, err := t.SyncRun(ctx, []string{"directory"})
	return err
}

// befall changes the forest behind the tenant's back.
func (l *Lab) befall() error {
	var changed []dc.Entry
	now := l.clock.Now()
	for _, d := range hybrid() {
		for _, p := range cast() {
			if p.after == nil && p.newPassword == "" {
				continue
			}
			e := dc.Entry{DN: p.dn(d, l.dc.BaseDN())}
			if p.newPassword != "" {
				e.Password = l.secrets.spoken(p.newPassword)
			}
			if p.after != nil {
				e.Attrs = p.after(now)
			}
			changed = append(changed, e)
		}
	}
	if err := l.dc.Seed(changed); err != nil {
		return fmt.Errorf("change the lab's directory: %w", err)
	}
	return nil
}

func (l *Lab) createCloudOnly(ctx context.Context, t Tenant, locks Locks) error {
	users, err := locks.Users(ctx, directory.Query{Domain: CloudDomain})
	if err != nil {
		return err
	}
	here := map[string]directory.User{}
	for _, u := range users {
		here[u.UPN] = u
	}
	for _, p := range cloudOnly() {
		u, made := here[p.upn(CloudDomain)]
		if made {
			err = t.SetPassword(ctx, u.UPN, authn.NewSecret([]byte(l.secrets.spoken(p.pw()))))
		} else {
			u, err = t.CreateUser(ctx, api.NewUser{UPN: p.upn(CloudDomain), DisplayName: p.display(), Admin: p.name == "peggy", Password: l.secrets.spoken(p.pw())})
		}
		if err != nil {
			return err
		}
		if p.name == "sybil" {
			never := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
			if err := locks.SetTally(ctx, "account:"+string(u.ID), authn.Tally{Failures: 10, Lockouts: 1, LockedUntil: never}); err != nil {
				return err
			}
		}
	}
	return nil
}

// cloudPasswords gives the people of the domain to switch a cloud password beside their synchronised hash.
func (l *Lab) cloudPasswords(ctx context.Context, t Tenant) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(2) // each takes 19 MiB while it is hashed
	for _, p := range cast() {
		if !p.unsynced {
			work.Go(func() error {
				return t.SetPassword(ctx, p.upn(LabDomain), authn.NewSecret([]byte(l.secrets.spoken(p.pw()))))
			})
		}
	}
	return work.Wait()
}
