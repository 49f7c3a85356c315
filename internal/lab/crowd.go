package lab

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/lab/dc"
	"github.com/fourways-id/fourways/internal/lab/world"
	"github.com/fourways-id/fourways/internal/passhash"
)

// Bulk is the gateway as a crowd is loaded into it: what a synchronisation and an operator would come to, one after
// another, in a few seconds.
type Bulk interface {
	// Synced is what a synchronisation would make of these people.
	Synced(people []dirsync.Object, at time.Time) ([]directory.User, []directory.Credential, error)
	Load(ctx context.Context, users []directory.User, credentials []directory.Credential) error
	HashPassword(pw authn.Secret) ([]byte, error)
}

// The sources of the crowd's credentials. Checking a password against a hash that others have too takes as long as any
// other check, but a guesser who has the store tries all of them at once, and caches are kinder than in production: what is
// measured with shared hashes is not honest about either.
const (
	sharedHash = "crowd, shared hash"
	ownHash    = "crowd"
)

// crowdBatch is how many of the crowd are made at a time: so much stands in memory beside what it becomes.
const crowdBatch = 3000

// Crowd loads the crowd that this lab is made with, into the forest and the tenant side by side. What the lab does not
// imitate here is time: the people are as they would be after a synchronisation, which finds nothing to do. It can be
// repeated. say is told how long it takes when that is long.
func (l *Lab) Crowd(ctx context.Context, b Bulk, say func(string)) error {
	n := l.world.Crowd
	if n == 0 {
		return nil
	}
	c := &crowd{lab: l, bulk: b, password: l.Password()}
	if err := c.prepare(say); err != nil {
		return fmt.Errorf("hash the crowd's password: %w", err)
	}
	if err := l.forest().Seed([]dc.Entry{world.CrowdUnit()}); err != nil {
		return fmt.Errorf("load the crowd: %w", err)
	}
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return c.intoForest(ctx, n) })
	work.Go(func() error { return c.intoTenant(ctx, n) })
	if err := work.Wait(); err != nil {
		return fmt.Errorf("load the crowd: %w", err)
	}
	return nil
}

type crowd struct {
	lab      *Lab
	bulk     Bulk
	password string
	cloud    []byte // the record that all share; nil: each gets one of its own
	synced   string
}

// prepare makes the shared records, or says what it will take to make one for each.
func (c *crowd) prepare(say func(string)) (err error) {
	began := time.Now() //nolint:forbidigo // measures the work, decides nothing
	if c.cloud, err = c.hashCloud(); err != nil {
		return err
	}
	one := time.Since(began)
	c.synced = c.hashSynced()
	if !c.lab.world.UniqueHashes {
		return nil
	}
	// Two of six domains take a cloud password; beside that hash the others are nothing.
	takes := one * time.Duration(c.lab.world.Crowd/3+1) / time.Duration(runtime.GOMAXPROCS(0))
	say(fmt.Sprintf("hashing a password for each of %d people: this takes about %s", c.lab.world.Crowd, takes.Round(time.Second)))
	c.cloud, c.synced = nil, ""
	return nil
}

func (c *crowd) hashCloud() ([]byte, error) {
	return c.bulk.HashPassword(authn.NewSecret([]byte(c.password)))
}

func (c *crowd) hashSynced() string {
	return passhash.NewOrgID(passhash.NTHash([]byte(c.password))).String()
}

// batches deals the numbers 1 to n out in order.
func (c *crowd) batches(ctx context.Context, n int, do func(some []world.Member) error) error {
	some := make([]world.Member, 0, crowdBatch)
	for i := 1; i <= n; i++ {
		if some = append(some, c.lab.world.Member(i)); len(some) < crowdBatch && i < n {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := do(some); err != nil {
			return err
		}
		some = some[:0]
	}
	return nil
}

func (c *crowd) intoForest(ctx context.Context, n int) error {
	return c.batches(ctx, n, func(some []world.Member) error {
		entries := make([]dc.Entry, 0, len(some))
		for _, m := range some {
			if m.Domain != world.CloudDomain {
				entries = append(entries, m.Entry(c.password))
			}
		}
		return c.lab.forest().Seed(entries)
	})
}

func (c *crowd) intoTenant(ctx context.Context, n int) error {
	return c.batches(ctx, n, func(some []world.Member) error {
		var objects []dirsync.Object
		var users []directory.User
		for _, m := range some {
			if m.Domain == world.CloudDomain {
				users = append(users, directory.User{ID: c.lab.world.AccountID(m.UPN), UPN: m.UPN, DisplayName: m.Display(), Enabled: true})
				continue
			}
			objects = append(objects, m.Object())
		}
		if err := c.hashEach(ctx, objects); err != nil {
			return err
		}
		synced, credentials, err := c.bulk.Synced(objects, c.lab.clock.Now())
		if err != nil {
			return err
		}
		users = append(users, synced...)
		more, err := c.cloudPasswords(ctx, users)
		if err != nil {
			return err
		}
		credentials = append(credentials, more...)
		for i := range credentials {
			credentials[i].Source = sharedHash
			if c.cloud == nil {
				credentials[i].Source = ownHash
			}
		}
		for i := range users {
			users[i].Created, users[i].Changed = c.lab.world.Times(users[i].UPN)
		}
		return c.bulk.Load(ctx, users, credentials)
	})
}

// hashEach gives those a hash whose domain synchronises them.
func (c *crowd) hashEach(ctx context.Context, people []dirsync.Object) error {
	work, _ := errgroup.WithContext(ctx)
	work.SetLimit(runtime.GOMAXPROCS(0))
	for i := range people {
		p := &people[i]
		if d := authn.ParseIdentifier(p.UPN).Domain(); d != world.PHSDomain && d != world.LabDomain {
			continue
		}
		if p.Hash = c.synced; p.Hash == "" {
			work.Go(func() error {
				p.Hash = c.hashSynced()
				return nil
			})
		}
	}
	return work.Wait()
}

// cloudPasswords makes the credentials of those who have a password in the cloud.
func (c *crowd) cloudPasswords(ctx context.Context, users []directory.User) ([]directory.Credential, error) {
	var all []directory.Credential
	for _, u := range users {
		if slices.Contains([]string{world.CloudDomain, world.LabDomain}, authn.ParseIdentifier(u.UPN).Domain()) {
			all = append(all, directory.Credential{Account: u.ID, Scheme: directory.SchemeCloud, Record: c.cloud, Changed: c.lab.clock.Now()})
		}
	}
	if c.cloud != nil {
		return all, nil
	}
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(runtime.GOMAXPROCS(0)) // each takes 19 MiB while it is hashed
	for i := range all {
		work.Go(func() (err error) {
			if err = ctx.Err(); err == nil {
				all[i].Record, err = c.hashCloud()
			}
			return err
		})
	}
	return all, work.Wait()
}
