package lab

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/lab/world"
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
	l.again = !l.forest().Empty()
	if err := l.forest().Seed(l.world.Forest(l.secrets.people, l.secrets.keys.Decoy)); err != nil {
		return fmt.Errorf("fill the lab's directory: %w", err)
	}
	return nil
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
	if err := locks.Backdate(ctx, l.world.Times); err != nil {
		return fmt.Errorf("date the lab's accounts back: %w", err)
	}
	return nil
}

// sendAway removes those from the forest who come late: an earlier start may have seeded them already.
func (l *Lab) sendAway(ctx context.Context) error {
	if !l.again {
		return nil
	}
	for _, late := range l.world.Latecomers(l.secrets.people) {
		if err := l.premises.Remove(ctx, late.DN); err != nil {
			return fmt.Errorf("fill the lab's directory anew: %w", err)
		}
	}
	return nil
}

func (l *Lab) synchronise(ctx context.Context, t Tenant) error {
	if _, err := t.SyncRun(ctx, nil); err != nil {
		return err
	}
	if err := l.forest().Seed(l.world.Latecomers(l.secrets.people)); err != nil {
		return err
	}
	_, err := t.SyncRun(ctx, []string{"directory"})
	return err
}

// befall changes the forest behind the tenant's back.
func (l *Lab) befall() error {
	if err := l.forest().Seed(world.Fates(l.secrets.people, l.clock.Now())); err != nil {
		return fmt.Errorf("change the lab's directory: %w", err)
	}
	return nil
}

func (l *Lab) createCloudOnly(ctx context.Context, t Tenant, locks Locks) error {
	users, err := locks.Users(ctx, directory.Query{Domain: world.CloudDomain})
	if err != nil {
		return err
	}
	here := map[string]directory.User{}
	for _, u := range users {
		here[u.UPN] = u
	}
	for _, p := range world.CloudPeople(l.secrets.people) {
		u, made := here[p.UPN]
		if made {
			err = t.SetPassword(ctx, u.UPN, authn.NewSecret([]byte(p.Password)))
		} else {
			u, err = t.CreateUser(ctx, api.NewUser{UPN: p.UPN, DisplayName: p.Display, Admin: p.Admin, Password: p.Password})
		}
		if err != nil {
			return err
		}
		if p.Locked {
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
	for _, p := range world.CloudPasswords(l.secrets.people) {
		work.Go(func() error { return t.SetPassword(ctx, p.UPN, authn.NewSecret([]byte(p.Password))) })
	}
	return work.Wait()
}
