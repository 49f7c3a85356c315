package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/admin"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/dirsync"
)

// Operator is the gateway as the program that started it steers it: the same things as over the console, without a token.
type Operator struct {
	*admin.People
	g *Gateway
}

// Operator gives the program that opened the gateway its controls.
func (g *Gateway) Operator() *Operator { return &Operator{People: &admin.People{Base: g.base()}, g: g} }

// SyncRun runs a synchronisation.
func (o *Operator) SyncRun(ctx context.Context, kinds []string) ([]directory.Run, error) {
	return o.g.SyncRun(ctx, api.SyncRequest{Kinds: kinds})
}

// SetTally sets a lockout count.
func (o *Operator) SetTally(ctx context.Context, key string, to authn.Tally) error {
	return o.g.core.store.SetTally(ctx, key, to)
}

// AgentLive reports that an agent of the role could be asked now.
func (o *Operator) AgentLive(role string) bool {
	link := o.g.onprem.current()
	return link != nil && link.Live(role)
}

// AgentURL is where agents dial; "" while the agent link is not open.
func (o *Operator) AgentURL() string {
	o.g.onprem.mu.Lock()
	defer o.g.onprem.mu.Unlock()
	return o.g.onprem.url
}

// NewToken makes a console token.
func (o *Operator) NewToken(ctx context.Context, t api.NewToken) (api.Token, error) {
	return o.g.access().NewToken(ctx, t)
}

// Mark and Marked keep a note about the whole store, such as that the demo world was filled in.
func (o *Operator) Mark(ctx context.Context, name, value string) error {
	return o.Store.SetMeta(ctx, name, value)
}

// Marked reads a note; "" when there is none.
func (o *Operator) Marked(ctx context.Context, name string) (string, error) {
	return found(o.Store.Meta(ctx, name))
}

// Backdate gives every account the times at which it was made and last changed, in a world that is to look lived-in.
func (o *Operator) Backdate(ctx context.Context, times func(upn string) (made, changed time.Time)) error {
	for after := ""; ; {
		users, err := o.Store.Users(ctx, directory.Query{After: after})
		if err != nil || len(users) == 0 {
			return err
		}
		after = users[len(users)-1].UPN
		for i := range users {
			users[i].Created, users[i].Changed = times(users[i].UPN)
		}
		if err := o.Store.LoadUsers(ctx, users, nil); err != nil {
			return err
		}
	}
}

// RollOut puts a group into a staged roll-out that began at that time.
func (o *Operator) RollOut(ctx context.Context, group string, path authn.Path, since time.Time) error {
	found, err := o.Store.GroupsNamed(ctx, group)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("the group %s: %w", group, directory.ErrNotFound)
	}
	r := directory.Rollout{Group: found[0].ID, Path: path, By: "lab", At: since}
	_, err = o.Store.AddRollout(ctx, r, r.Check)
	return err
}

// Load adds or replaces many accounts with their credentials, in short transactions.
func (o *Operator) Load(ctx context.Context, users []directory.User, credentials []directory.Credential) error {
	return o.Store.LoadUsers(ctx, users, credentials)
}

// Synced is what a synchronisation that read these people would make of them in a tenant that had nobody: the accounts,
// their ids above all, and the credentials of those who brought a hash.
func (o *Operator) Synced(people []dirsync.Object, at time.Time) ([]directory.User, []directory.Credential, error) {
	domains, err := o.g.syncDomains(context.Background())
	if err != nil {
		return nil, nil, err
	}
	return dirsync.Newcomers(people, domains, at)
}

// HashPassword makes the record of a cloud password at the configured cost.
func (o *Operator) HashPassword(pw authn.Secret) ([]byte, error) {
	return o.People.HashPassword(pw)
}

// Tidy ends what is over by now: abandoned sign-ins, sessions, and what retention says. The loops do it every minute and
// hour; a clock that was moved asks for it at once.
func (o *Operator) Tidy(ctx context.Context) {
	o.g.sweep(ctx)
	o.g.purge(ctx)
}

// KeepWorld copies the store to a new file, between two synchronisations, and counts its accounts.
func (o *Operator) KeepWorld(ctx context.Context, path string) (users int, err error) {
	return o.world(ctx, func() error { return o.Store.KeepWorld(ctx, path) })
}

// RestoreWorld brings a copy back, between two synchronisations: tenant, overrides, lockout and the sign-in log are those
// of the copy, and all sessions are over. Nothing else of a sign-in is kept in memory, but what is under way: that ends as
// it began. rest brings the world's other half back and is called when this one is there; no synchronisation begins before
// it has returned, since what one would read by then is of another world.
func (o *Operator) RestoreWorld(ctx context.Context, path string, rest func() error) (users int, err error) {
	users, err = o.world(ctx, func() error {
		if err := o.Store.RestoreWorld(ctx, path); err != nil {
			return err
		}
		return rest()
	})
	if err != nil {
		return 0, err
	}
	o.g.declare(ctx, o.g.conf.Load()) // the file wins over what was kept
	return users, o.g.onprem.ensure(ctx)
}

func (o *Operator) world(ctx context.Context, do func() error) (users int, err error) {
	err = o.hold(ctx, do)
	if errors.Is(err, dirsync.ErrBusy) {
		return 0, api.Problem{Title: "Conflict", Status: http.StatusConflict, Detail: "A synchronisation is running; its end can't be in another world than its beginning. Try again when `fourways sync status` shows it done."}
	}
	if err != nil {
		return 0, err
	}
	return o.Store.CountUsers(ctx)
}

// What a world waits for a synchronisation that is at work: most have ended by then, and whoever asked is still there.
const (
	holdFor   = 5 * time.Second
	holdEvery = 10 * time.Millisecond
)

// hold carries something out between two synchronisations; dirsync.ErrBusy when the one at work does not end.
func (o *Operator) hold(ctx context.Context, do func() error) error {
	ctx, cancel := context.WithTimeout(ctx, holdFor)
	defer cancel()
	tick := time.NewTicker(holdEvery)
	defer tick.Stop()
	for {
		err := o.g.engine.Hold(do)
		if !errors.Is(err, dirsync.ErrBusy) {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}
