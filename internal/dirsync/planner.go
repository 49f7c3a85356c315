package dirsync

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// planner plans what is due, page by page: first what is gone, since that frees names, then those who change names, together,
// then people, contacts, and groups.
type planner struct {
	store Store
	rules Rules
	done  func(ctx context.Context, s step) error // what becomes of each page
	nest  func(ctx context.Context, late containing) error
	plan  Plan     // of all pages: the first lines of each sign
	many  counts   // of all of them
	seen  *outlook // what a plan that is not carried out would have changed
	most  int      // lines that are kept of each sign
}

// step is a page of the plan.
type step struct {
	plan Plan
	page []Incoming
	now  directory.Objects // what the tenant had of it
}

// counts are the lines of a plan by sign.
type counts struct{ adds, updates, deletes, skipped int }

func (j *job) planner(ctx context.Context) (*planner, error) { return j.newPlanner(ctx, j.settings) }

func (e *Engine) newPlanner(ctx context.Context, s Settings) (*planner, error) {
	domains, err := e.Domains(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the tenant: %w", err)
	}
	return &planner{store: e.Store, seen: newOutlook(), rules: Rules{
		Verified: domains.Verified, Initial: s.Initial, SoftMatch: s.SoftMatch, HardMatch: s.HardMatch,
	}}, nil
}

func (p *planner) all(ctx context.Context) error {
	if err := p.pages(ctx, func(after string) ([]directory.Imported, error) { return p.store.DueGone(ctx, after, pageSize) }); err != nil {
		return err
	}
	renames, err := p.store.DueRenames(ctx, mostRenames)
	if err == nil && len(renames) > 0 {
		err = p.page(ctx, renames)
	}
	if err != nil {
		return err
	}
	for _, o := range renames {
		p.seen.planned[o.ID] = true
	}
	for _, kind := range []string{User, Contact} {
		if err := p.pages(ctx, func(after string) ([]directory.Imported, error) { return p.store.Due(ctx, kind, after, pageSize) }); err != nil {
			return err
		}
	}
	return p.groups(ctx)
}

// pages plans what list gives, from after each id on.
func (p *planner) pages(ctx context.Context, list func(after string) ([]directory.Imported, error)) error {
	for after := ""; ; {
		some, err := list(after)
		if err != nil || len(some) == 0 {
			return err
		}
		after = some[len(some)-1].ID
		if some = slices.DeleteFunc(some, func(o directory.Imported) bool { return p.seen.planned[o.ID] }); len(some) == 0 {
			continue
		}
		if err := p.page(ctx, some); err != nil {
			return err
		}
	}
}

// groupsAtOnce bounds the groups of a page: each may have very many members.
const groupsAtOnce = 50

// groups plans the groups. A group may contain one that comes later: those that contain groups get their members once more
// at the end, and are settled only then.
func (p *planner) groups(ctx context.Context) error {
	var late containing
	if done := p.done; done != nil {
		p.done = func(ctx context.Context, s step) error {
			late.take(&s.plan)
			return done(ctx, s)
		}
		defer func() { p.done = done }()
	}
	err := p.pages(ctx, func(after string) ([]directory.Imported, error) { return p.store.Due(ctx, Group, after, groupsAtOnce) })
	if err != nil || len(late.groups) == 0 {
		return err
	}
	return p.nest(ctx, late)
}

// containing are groups that contain groups.
type containing struct {
	groups  []directory.Group
	settled []Settled
}

// take takes them out of what a page's plan settles.
func (c *containing) take(plan *Plan) {
	nested := map[string]bool{}
	for _, g := range plan.changes.Put.Groups {
		if len(g.Nested) > 0 {
			nested[g.Onprem.Anchor] = true
			c.groups = append(c.groups, g)
		}
	}
	plan.Settled = slices.DeleteFunc(slices.Clone(plan.Settled), func(s Settled) bool {
		if nested[s.Anchor] {
			c.settled = append(c.settled, s)
		}
		return nested[s.Anchor]
	})
}

// page plans some objects and does with the plan what is to be done.
func (p *planner) page(ctx context.Context, some []directory.Imported) error {
	page, now, err := p.concerned(ctx, some)
	if err != nil {
		return fmt.Errorf("read the tenant: %w", err)
	}
	page, twins := apart(page)
	plan := Diff(now, page, p.rules)
	for _, o := range twins {
		const why = "another object of the source has the same anchor"
		plan.skip(o.Object, why)
		plan.Settled = append(plan.Settled, Settled{ID: o.ID, Error: why})
	}
	p.note(plan)
	if p.done == nil {
		p.seen.take(some, plan)
		return nil
	}
	return p.done(ctx, step{plan, page, now})
}

// note keeps the lines of a page's plan.
func (p *planner) note(plan Plan) {
	keep := func(to *[]Change, from []Change) {
		*to = append(*to, from[:max(0, min(len(from), p.most-len(*to)))]...)
	}
	keep(&p.plan.Adds, plan.Adds)
	keep(&p.plan.Updates, plan.Updates)
	keep(&p.plan.Deletes, plan.Deletes)
	p.plan.Skipped = append(p.plan.Skipped, plan.Skipped[:max(0, min(len(plan.Skipped), mostSkips-len(p.plan.Skipped)))]...)
	p.many.adds += len(plan.Adds)
	p.many.updates += len(plan.Updates)
	p.many.deletes += len(plan.Deletes)
	p.many.skipped += len(plan.Skipped)
}

// concerned reads what a page stands for here, and whom else its names concern.
func (p *planner) concerned(ctx context.Context, some []directory.Imported) ([]Incoming, directory.Objects, error) {
	page := make([]Incoming, len(some))
	var anchors, names, mails []string
	for i, row := range some {
		o, err := incoming(row)
		if err != nil {
			return nil, directory.Objects{}, err
		}
		page[i] = o
		anchors = append(anchors, row.Anchor)
		if o.Kind == User && !o.Gone {
			names = append(names, p.rules.names(o.Object)...)
			mails = append(mails, addresses(o.Object)...)
		}
	}
	now, err := p.store.Concerned(ctx, anchors, names, append(slices.Clone(mails), names...))
	if err != nil {
		return nil, now, err
	}
	claims, err := p.store.Claims(ctx, anchors, names)
	if err != nil {
		return nil, now, err
	}
	p.seen.adjust(&now)
	p.rules.Taken = p.taken(page, claims)
	heirs(page, claims)
	for i := range page {
		if page[i].Kind == Group && !page[i].Gone {
			if page[i].Members, err = p.members(ctx, page[i].ID); err != nil {
				return nil, now, err
			}
		}
	}
	return page, now, nil
}

func incoming(row directory.Imported) (Incoming, error) {
	if row.Gone {
		return Incoming{Object: Object{Kind: row.Kind, ID: row.ID, Anchor: row.Anchor, UPN: row.UPN, Gone: true, Reason: row.Reason}}, nil
	}
	var o Object
	if err := json.Unmarshal(row.Object, &o); err != nil {
		return Incoming{}, fmt.Errorf("the connector space has no object in %s: %w", row.ID, err)
	}
	return Incoming{Object: o}, nil
}

// heirs takes the anchor from those whom another object of the source stands for: what is gone deletes nobody then who is
// there as the same kind, and of several that are there the one with the lowest id is meant.
func heirs(page []Incoming, claims []directory.Imported) {
	first, there := map[string]string{}, map[string]bool{}
	for _, c := range claims {
		if id, ok := first[c.Anchor]; !ok || c.ID < id {
			first[c.Anchor] = c.ID
		}
		there[leaver(c.Kind, c.Anchor)] = true
	}
	for i, o := range page {
		if id, ok := first[o.Anchor]; o.Gone && there[leaver(o.Kind, o.Anchor)] || !o.Gone && ok && id < o.ID {
			page[i].Anchor = ""
		}
	}
}

// apart parts those who have no anchor of their own from the others. Those that are gone stay: they are only to be forgotten.
func apart(page []Incoming) (rest, twins []Incoming) {
	for _, o := range page {
		if o.Anchor == "" && !o.Gone {
			twins = append(twins, o)
			continue
		}
		rest = append(rest, o)
	}
	return rest, twins
}

// taken says that somebody outside a page has, or asks for, a name.
func (p *planner) taken(page []Incoming, claims []directory.Imported) func(upn, by string) bool {
	inside := map[string]bool{}
	for _, o := range page {
		inside[o.Anchor] = true
	}
	asked := map[string]bool{}
	for _, c := range claims {
		if !inside[c.Anchor] {
			asked[c.UPN] = true
		}
	}
	return func(upn, by string) bool {
		given, ok := p.seen.given[upn]
		return asked[upn] || ok && given != by
	}
}

// members are those of a group that are or will be here. Who could not be taken is not.
func (p *planner) members(ctx context.Context, id string) (m Members, err error) {
	all, err := p.store.ImportedMembers(ctx, id)
	for _, one := range all {
		account := one.Account
		if account == "" && one.Failed {
			continue
		}
		if account == "" {
			account = p.seen.idOf(one.Kind, one.Anchor)
		}
		switch one.Kind {
		case User:
			m.Users = append(m.Users, authn.AccountID(account))
		case Group:
			m.Groups = append(m.Groups, account)
		case Contact:
			m.Contacts = append(m.Contacts, account)
		}
	}
	return m, err
}

// addresses are those by which an account of the cloud may be found: the primary one, and mail.
func addresses(o Object) []string {
	all := []string{strings.ToLower(o.Mail)}
	for _, a := range o.ProxyAddresses {
		if primary, ok := strings.CutPrefix(a, "SMTP:"); ok {
			all = append(all, strings.ToLower(primary))
		}
	}
	return all
}
