package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Licences manages plans and who has one.
type Licences struct{ Base }

// Plans implements console.Plans.
func (a *Licences) Plans(ctx context.Context) ([]directory.Usage, error) { return a.Store.Plans(ctx) }

// Plan implements console.Plans.
func (a *Licences) Plan(ctx context.Context, id string) (directory.Usage, error) {
	u, err := a.Store.Plan(ctx, id)
	return u, unknown(err, "there is no plan %q: `fourways license plans` lists them", id)
}

// CreatePlan implements console.Plans.
func (a *Licences) CreatePlan(ctx context.Context, ask api.NewPlan) (directory.Usage, error) {
	p := directory.Plan{ID: ask.ID, Name: cmp.Or(ask.Name, ask.ID), Seats: ask.Seats, Services: ask.Services}
	if err := errors.Join(sentence(p.Check()), Text("a plan's name", p.Name, 256)); err != nil {
		return directory.Usage{}, err
	}
	if err := a.Store.CreatePlan(ctx, p); err != nil {
		return directory.Usage{}, err
	}
	return directory.Usage{Plan: p, Groups: []string{}}, nil
}

// ChangePlan implements console.Plans. version is the one that the caller read, "" for any.
func (a *Licences) ChangePlan(ctx context.Context, id string, ask api.PlanChange, version string) (before, after directory.Plan, err error) {
	before, after, err = a.Store.ChangePlan(ctx, id, func(p *directory.Plan, used int) error {
		if err := free(p.File, version, p.Tag(), "the plan "+id, "[[license]]"); err != nil {
			return err
		}
		set(&p.Name, ask.Name)
		set(&p.Seats, ask.Seats)
		set(&p.Services, ask.Services)
		if err := errors.Join(sentence(p.Check()), Text("a plan's name", p.Name, 256)); err != nil {
			return err
		}
		return enough(*p, used)
	})
	return before, after, unknown(err, "there is no plan %q: `fourways license plans` lists them", id)
}

// enough refuses seats below those that are used: nobody is to lose a licence by a number.
func enough(p directory.Plan, used int) error {
	if p.Seats < used {
		return guarded(fmt.Sprintf("%s can't have %d seats: %d are used. Revoke %d first (`fourways license list --plan %s`)", p.ID, p.Seats, used, used-p.Seats, p.ID))
	}
	return nil
}

// DeletePlan implements console.Plans: a plan that somebody has, or that a group gives, stays.
func (a *Licences) DeletePlan(ctx context.Context, id string) (gone directory.Plan, err error) {
	err = a.Store.DeletePlan(ctx, id, func(p directory.Plan, licences, groups int) error {
		gone = p
		if err := free(p.File, "", "", "the plan "+id, "[[license]]"); err != nil {
			return err
		}
		if licences > 0 || groups > 0 {
			return guarded(fmt.Sprintf("the plan %s is in use: there are %d licences for it, and %d groups give it. `fourways license list --plan %s` shows them; revoke them first", id, licences, groups, id))
		}
		return nil
	})
	return gone, unknown(err, "there is no plan %q: `fourways license plans` lists them", id)
}

// Licences implements console.Licences.
func (a *Licences) Licences(ctx context.Context, q api.LicenceQuery) ([]directory.LicenceRow, error) {
	if q.State != "" && !slices.Contains(directory.LicenceStates(), q.State) {
		return nil, BadRequest("%.20q is no state of a licence: there are %v", q.State, directory.LicenceStates())
	}
	if q.Plan != "" {
		if _, err := a.Plan(ctx, q.Plan); err != nil {
			return nil, err
		}
	}
	ask := directory.LicenceQuery{Plan: q.Plan, State: q.State, After: q.After, Limit: q.Limit}
	if q.User != "" {
		u, err := a.person(ctx, q.User)
		if err != nil {
			return nil, err
		}
		ask.Account = u.ID
	}
	return a.Store.Licences(ctx, ask)
}

// Assign implements console.Licences: a person with a usage location gets a licence, if there is a seat.
func (a *Licences) Assign(ctx context.Context, plan, user string) (directory.User, error) {
	u, err := a.person(ctx, user)
	if err != nil {
		return u, err
	}
	if _, err := a.Plan(ctx, plan); err != nil {
		return u, err
	}
	return u, a.Store.Assign(ctx, plan, u.ID, func(u directory.User, p directory.Plan, seats int) error {
		switch {
		case u.UsageLocation == "":
			return BadRequest("%s has no usage location, and a licence needs one: `fourways user update %s --usage-location NL`", u.UPN, u.UPN)
		case seats <= 0:
			return conflict("%s has no seats left: all %d are used. Revoke one (`fourways license list --plan %s`), or raise them (%s)", p.ID, p.Seats, p.ID, raise(p))
		}
		return nil
	})
}

// raise says how a plan gets one seat more.
func raise(p directory.Plan) string {
	if p.File {
		return "in its [[license]] table of the configuration file"
	}
	return fmt.Sprintf("`fourways license plan update %s --seats %d`", p.ID, p.Seats+1)
}

// Revoke implements console.Licences.
func (a *Licences) Revoke(ctx context.Context, plan, user string) (directory.User, error) {
	u, err := a.person(ctx, user)
	if err != nil {
		return u, err
	}
	return u, unknown(a.Store.Revoke(ctx, plan, u.ID), "%s has no licence %s of their own: `fourways license list --user %s` shows what they have, and from which group", u.UPN, plan, u.UPN)
}

// AssignGroup implements console.Licences: the group's direct members get the plan, and those who join it later.
func (a *Licences) AssignGroup(ctx context.Context, plan, group string) (directory.Usage, error) {
	if _, err := a.Plan(ctx, plan); err != nil {
		return directory.Usage{}, err
	}
	g, err := a.group(ctx, group)
	if err == nil {
		err = a.Store.AssignGroup(ctx, plan, g.ID)
	}
	if err != nil {
		return directory.Usage{}, err
	}
	return a.Plan(ctx, plan)
}

// RevokeGroup implements console.Licences: the licences that the group gave are taken away.
func (a *Licences) RevokeGroup(ctx context.Context, plan, group string) (directory.Usage, error) {
	if _, err := a.Plan(ctx, plan); err != nil {
		return directory.Usage{}, err
	}
	g, err := a.group(ctx, group)
	if err == nil {
		err = unknown(a.Store.RevokeGroup(ctx, plan, g.ID), "the group %s does not give %s", g.Name, plan)
	}
	if err != nil {
		return directory.Usage{}, err
	}
	return a.Plan(ctx, plan)
}

// person finds an account by name or id.
func (b Base) person(ctx context.Context, named string) (directory.User, error) {
	u, err := b.Store.UserByUPN(ctx, authn.ParseIdentifier(named).UPN())
	if errors.Is(err, directory.ErrNotFound) {
		u, err = b.Store.UserByID(ctx, authn.AccountID(named))
	}
	return u, unknown(err, "there is no account %q: `fourways user list` shows who there is", named)
}

// free refuses to change what the configuration file declares, and what was changed since the caller read it.
func free(file bool, version, now, what, table string) error {
	if file {
		return fmt.Errorf("%s is declared in the configuration file: change its %s table there, then `fourways config reload`: %w", what, table, directory.ErrMastered)
	}
	if version != "" && version != now {
		return fmt.Errorf("%s: %w", what, directory.ErrChanged)
	}
	return nil
}

// set takes over what was asked for.
func set[T any](into, asked *T) {
	if asked != nil {
		*into = *asked
	}
}

// guarded is the refusal of a guard: it is right to ask, and nothing was done.
type guarded string

func (g guarded) Error() string { return string(g) }

// Guarded marks it for the console.
func (guarded) Guarded() {}

// sentence makes a bad request of what a rule of the directory complains of.
func sentence(err error) error {
	if err == nil {
		return nil
	}
	return BadRequest("%v", err)
}

func conflict(format string, args ...any) error {
	return api.Problem{Title: "Conflict", Status: http.StatusConflict, Detail: fmt.Sprintf(format, args...)}
}

// unknown says of a directory.ErrNotFound what is not there and where to look; any other error stays.
func unknown(err error, format string, args ...any) error {
	if !errors.Is(err, directory.ErrNotFound) {
		return err
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), directory.ErrNotFound)
}
