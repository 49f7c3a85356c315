package gateway

import (
	"context"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/admin"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/web"
)

// licences implements authn.Licences and web.Apps over the store.
type licences struct{ *Gateway }

// Of implements authn.Licences: "E3 (active), mail: user", or "none".
func (g licences) Of(ctx context.Context, id authn.AccountID) (string, error) {
	held, assigned, err := g.core.store.Privileges(ctx, id)
	if err != nil {
		return "", err
	}
	var all []string
	for _, h := range held {
		state := string(h.State)
		if h.Why != "" {
			state += ": " + h.Why
		}
		all = append(all, h.Plan+" ("+state+")")
	}
	for _, a := range assigned {
		all = append(all, strings.TrimSuffix(a.App+": "+a.Role, ": "))
	}
	if len(all) == 0 {
		return "none", nil
	}
	return strings.Join(all, ", "), nil
}

// Grant implements web.Apps. Each decision leaves a line in the gateway's log, with the sign-in that the person came by.
func (g licences) Grant(ctx context.Context, app string, who web.Visitor) (directory.Grant, error) {
	access, err := g.core.store.Access(ctx, app, who.ID)
	if err != nil {
		return directory.Grant{}, err
	}
	grant := access.MayUse()
	said := "application opened"
	if grant.Reason != authn.None {
		said = "application refused"
	}
	g.core.log.Info(said, "app", app, "account", who.ID, "roles", strings.Join(grant.Roles, " "), "reason", grant.Reason.String(), "correlationId", who.Attempt)
	return grant, nil
}

// declare puts the plans and applications of a configuration in force. Seats that are fewer than those that are used are a
// mistake in the file, not a reason to keep anybody from signing in.
func (g *Gateway) declare(ctx context.Context, c *config.Config) {
	if err := g.base().Declare(ctx, c); err != nil {
		g.core.log.Error("some [[license]] or [[app]] of the configuration is not in force", "error", err)
	}
}

// resumeLicences goes on with what a gateway began for a group, and did not live to end.
func (g *Gateway) resumeLicences(ctx context.Context) {
	n, err := g.core.store.ResumeLicences(ctx)
	if err != nil {
		g.core.log.Error("go on with the licences of groups", "error", err)
	}
	if n > 0 {
		g.core.log.Info("went on with the licences of groups", "groups", n)
	}
}

// Licensing is the tenant's licences and applications as the program that started the gateway manages them.
type Licensing struct {
	*admin.Licences
	*admin.Apps
	g *Gateway
}

// Licensing gives the program that opened the gateway its controls of licences and applications.
func (o *Operator) Licensing() *Licensing {
	b := o.g.base()
	return &Licensing{&admin.Licences{Base: b}, &admin.Apps{Base: b}, o.g}
}

// Locate sets an account's usage location; the account is dated as before.
func (l *Licensing) Locate(ctx context.Context, upn, location string) error {
	u, err := l.g.core.store.UserByUPN(ctx, upn)
	if err != nil {
		return err
	}
	_, _, err = l.g.core.store.ChangeUser(ctx, u.ID, func(u *directory.User) error {
		u.UsageLocation = location
		return nil
	})
	return err
}

// PutGroup makes a group that is mastered here, or gives it other members.
func (l *Licensing) PutGroup(ctx context.Context, name string, members []string) error {
	b := l.g.base()
	group := directory.Group{ID: admin.NewID(), Name: name}
	if b.NewID != nil {
		group.ID = string(b.NewID("group " + name))
	}
	for _, upn := range members {
		u, err := b.Store.UserByUPN(ctx, upn)
		if err != nil {
			return err
		}
		group.Members = append(group.Members, u.ID)
	}
	return b.Store.PutGroup(ctx, group)
}

// Date dates all licences.
func (l *Licensing) Date(ctx context.Context, since time.Time) error {
	return l.g.core.store.DateLicences(ctx, since)
}
