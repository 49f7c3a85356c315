package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/dirsync"
)

// SyncPreview implements console.SyncViews.
func (g *Gateway) SyncPreview(ctx context.Context, full bool) (api.SyncPreview, error) {
	seen, err := g.engine.Preview(ctx, full)
	p := api.SyncPreview{
		Adds: syncChanges(seen.Plan.Adds), Updates: syncChanges(seen.Plan.Updates), Deletes: syncChanges(seen.Plan.Deletes),
		Skipped: make([]api.SyncSkip, len(seen.Plan.Skipped)), Read: seen.Run.Read, Full: seen.Run.Mode == dirsync.Full, Text: seen.Text(),
	}
	for i, s := range seen.Plan.Skipped {
		p.Skipped[i] = api.SyncSkip{Kind: s.Kind, Name: s.Name, Reason: s.Reason}
	}
	if errors.Is(err, dirsync.ErrTooManyDeletes) || errors.Is(err, dirsync.ErrEmptySource) {
		p.Stopped, err = err.Error(), nil
	}
	if err != nil {
		return p, syncFailure("directory", err)
	}
	return p, nil
}

func syncChanges(of []dirsync.Change) []api.SyncChange {
	all := make([]api.SyncChange, len(of))
	for i, c := range of {
		all[i] = api.SyncChange{Kind: c.Kind, Name: c.Name, What: c.What}
	}
	return all
}

// SyncErrors implements console.SyncViews.
func (g *Gateway) SyncErrors(ctx context.Context, after string, limit int) ([]api.SyncError, error) {
	failed, err := g.core.store.Failed(ctx, after, limit)
	all := make([]api.SyncError, len(failed))
	for i, row := range failed {
		var o dirsync.Object
		_ = json.Unmarshal(row.Object, &o) // without it the id tells which
		all[i] = api.SyncError{ID: row.ID, Kind: row.Kind, Name: cmp.Or(o.UPN, o.DisplayName, o.SAM), DN: o.DN, Reason: row.Error, Since: row.Since, Tries: row.Tries}
	}
	return all, err
}

// SyncExplain implements console.SyncViews: what the agent says of an object now, what the connector space has of it, whom it
// stands for here, and what the next run does. While a run is at work, or no agent is there, it goes by the connector space.
func (g *Gateway) SyncExplain(ctx context.Context, name string) (api.SyncExplain, error) {
	e := &explanation{g: g, out: api.SyncExplain{Name: name}}
	if err := e.find(ctx, name); err != nil {
		return api.SyncExplain{}, err
	}
	e.imported()
	if e.inScope() {
		e.matched()
		if err := e.action(ctx); err != nil {
			return api.SyncExplain{}, err
		}
	}
	return e.out, e.hash(ctx)
}

// explanation is one answer in the making.
type explanation struct {
	g       *Gateway
	object  dirsync.Object     // as it is on the premises now, or was when it was imported
	looked  bool               // the agent was asked just now
	there   bool               // and found it
	why     error              // why it was not
	row     directory.Imported // of the connector space; its ID is "" when that has none
	account directory.User     // what stands for it here; its ID is "" when nothing does
	out     api.SyncExplain
}

func (e *explanation) find(ctx context.Context, name string) error {
	e.look(ctx, name)
	if err := e.stored(ctx, cmp.Or(e.object.ID, name)); err != nil {
		return err
	}
	if err := e.standsFor(ctx, name); err != nil {
		return err
	}
	if e.row.ID == "" && e.account.Synced { // it has another name there
		if err := e.stored(ctx, e.account.Onprem.Anchor); err != nil {
			return err
		}
	}
	if e.looked && !e.there && e.row.ID != "" {
		e.look(ctx, e.row.ID)
	}
	if !e.there && len(e.row.Object) > 0 {
		if err := json.Unmarshal(e.row.Object, &e.object); err != nil {
			return fmt.Errorf("the connector space has no object in %s: %w", e.row.ID, err)
		}
	}
	if !e.there && e.row.ID == "" && e.account.ID == "" {
		return fmt.Errorf("%s is known neither on the premises nor here%s: %w", name, e.unseen(), directory.ErrNotFound)
	}
	e.out.Name, e.out.Account = cmp.Or(e.object.UPN, e.object.DisplayName, name), e.account.UPN
	return nil
}

// look asks the agent.
func (e *explanation) look(ctx context.Context, name string) {
	e.object, e.there, e.why = e.g.engine.Look(ctx, name)
	e.looked = e.why == nil
}

// stored finds what the connector space has.
func (e *explanation) stored(ctx context.Context, key string) error {
	rows, err := e.g.core.store.Imported(ctx, key)
	if len(rows) > 0 {
		e.row = rows[0]
	}
	return err
}

// standsFor finds the account, by anchor or else by name.
func (e *explanation) standsFor(ctx context.Context, name string) (err error) {
	if anchor := cmp.Or(e.object.Anchor, e.row.Anchor); anchor != "" {
		if e.account, err = found(e.g.core.store.UserByAnchor(ctx, anchor)); err != nil {
			return err
		}
	}
	if e.account.ID == "" {
		e.account, err = found(e.g.core.store.UserByUPN(ctx, authn.ParseIdentifier(cmp.Or(e.object.UPN, name)).UPN()))
	}
	return err
}

// unseen says why the agent was not asked.
func (e *explanation) unseen() string {
	if e.looked {
		return ""
	}
	return fmt.Sprintf(" (the agent could not be asked: %v)", e.why)
}

func (e *explanation) tick(name string, ok bool, format string, args ...any) {
	e.out.Ticks = append(e.out.Ticks, api.SyncTick{Name: name, OK: ok, Reason: fmt.Sprintf(format, args...)})
}

func (e *explanation) imported() {
	switch {
	case e.looked && !e.there && e.row.ID != "" && !e.row.Gone:
		e.tick(api.TickImported, false, "it was imported, and the on-premises directory has no such object any more")
	case e.row.ID != "" && !e.row.Gone && e.object.DN != "":
		e.tick(api.TickImported, true, "%s%s", e.object.DN, e.unseen())
	case e.row.ID != "" && !e.row.Gone:
		e.tick(api.TickImported, true, "it is in the connector space%s", e.unseen())
	case e.object.ID != "" && e.object.Gone:
		e.tick(api.TickImported, false, "%s is there, and is not read", e.object.DN)
	case e.object.ID != "":
		e.tick(api.TickImported, false, "%s is there, and comes with the next run", e.object.DN)
	default:
		e.tick(api.TickImported, false, "the on-premises directory has no such object%s", e.unseen())
	}
}

func (e *explanation) inScope() bool {
	switch {
	case e.object.ID == "" && e.row.ID == "":
		e.tick(api.TickInScope, false, "there is nothing to be in scope")
		return false
	case e.object.Gone:
		e.tick(api.TickInScope, false, "%s", e.object.Reason)
		return false
	case e.looked && !e.there:
		e.tick(api.TickInScope, false, "the next run deletes what stands for it here")
		return false
	case e.row.Gone && e.object.ID == "":
		e.tick(api.TickInScope, false, "%s", cmp.Or(e.row.Reason, "it was not in the last full read"))
		return false
	}
	e.tick(api.TickInScope, true, "the agent's rules take it")
	return true
}

func (e *explanation) matched() {
	switch {
	case e.account.ID == "":
		e.tick(api.TickMatched, false, "nothing here has its anchor, name or address: it is new")
	case e.account.Synced && e.account.Onprem.Anchor == e.object.Anchor:
		e.tick(api.TickMatched, true, "%s, by the anchor %s", e.account.UPN, e.object.Anchor)
	case e.account.Synced:
		e.tick(api.TickMatched, false, "%s belongs to the anchor %s", e.account.UPN, e.account.Onprem.Anchor)
	default:
		e.tick(api.TickMatched, true, "the cloud account %s has its name or its immutable ID", e.account.UPN)
	}
}

// action is what the next run does with it.
func (e *explanation) action(ctx context.Context) error {
	plan, err := e.g.engine.PlanFor(ctx, e.object)
	if err != nil {
		return err
	}
	switch {
	case len(plan.Skipped) > 0 && len(plan.Adds)+len(plan.Updates) == 0:
		e.tick(api.TickAction, false, "%s", plan.Skipped[0].Reason)
	case plan.Empty() && e.row.Error != "":
		e.tick(api.TickAction, false, "%s", e.row.Error)
	case plan.Empty():
		e.tick(api.TickAction, true, "nothing is to be done: it is here as it is there")
	case len(plan.Adds) > 0:
		e.tick(api.TickAction, true, "the next run adds %s", plan.Adds[0].Name)
	default:
		e.tick(api.TickAction, true, "the next run changes %s: %s", plan.Updates[0].Name, strings.Join(plan.Updates[0].What, ", "))
	}
	return nil
}

// sourceCloud is the source of a password that an administrator set here.
const sourceCloud = "cloud"

// hash tells of the person's password hash.
func (e *explanation) hash(ctx context.Context) error {
	if e.account.ID == "" || !e.account.Synced {
		return nil
	}
	c, err := found(e.g.core.store.Credential(ctx, e.account.ID, directory.SchemePHS))
	if err != nil {
		return err
	}
	e.out.Hash = &api.SyncHash{
		Status: string(cmp.Or(e.row.HashStatus, directory.HashUnknown)), ChangedAt: e.row.PasswordAt, SyncedAt: c.Stored, Source: c.Source, Reason: e.row.HashReason,
	}
	switch late := !e.row.HashAt.IsZero() && e.row.PasswordAt.After(e.row.HashAt); {
	case c.Source == sourceCloud:
		e.out.Hash.Reason = "it was set in the cloud, and counts until the next change on-premises"
	case late && e.row.Withheld == "":
		e.out.Hash.Reason = "the password was changed on-premises since, and comes with the next hash run"
	}
	return nil
}
