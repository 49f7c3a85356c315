package agent

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/onprem"
)

// news are what changed in the directory since a position, each object once.
type news struct {
	changed  []onprem.Changed
	position onprem.Position
	whole    bool // together they name all there is
}

// follow collects what changed: an id and a name of each object. Whether all must be read after all shows at the end only.
func (s *source) follow(ctx context.Context, from onprem.Position) (news, error) {
	var n news
	at := map[string]int{}
	err := s.at.Changes(ctx, from, func(page onprem.Changes) error {
		n.position, n.whole = page.Position, page.Whole
		for _, c := range page.Changed {
			if i, again := at[string(c.ID)]; again {
				c.Container = c.Container || n.changed[i].Container
				n.changed[i] = c
				continue
			}
			at[string(c.ID)] = len(n.changed)
			n.changed = append(n.changed, c)
		}
		return nil
	})
	return n, err
}

// since reads what changed: objects whole, judged by the rules as they are now.
func (r *run) since(ctx context.Context, from onprem.Position) error {
	n, err := r.follow(ctx, from)
	if errors.Is(err, onprem.ErrPosition) {
		return r.whole(ctx, line(err))
	}
	if err != nil {
		return err
	}
	containers := slices.Collect(func(yield func(onprem.Changed) bool) {
		for _, c := range n.changed {
			if c.Container && !c.Deleted && !yield(c) {
				return
			}
		}
	})
	for _, c := range containers {
		if why := r.terms.shifted(c.DN, n.whole); why != "" {
			return r.whole(ctx, why)
		}
		if r.terms.outside(c.DN) == "" {
			continue
		}
		if err := r.standing(ctx); err != nil { // it may have been a scope
			return err
		}
	}
	r.out.full, r.cursor.Position = n.whole, []byte(n.position)
	if err := r.named(ctx, n.changed); err != nil {
		return err
	}
	told := map[string]bool{}
	for _, c := range n.changed {
		told[string(c.ID)] = !c.Container && !c.Deleted
	}
	for _, c := range containers {
		if err := r.below(ctx, c.DN, told); err != nil {
			return err
		}
	}
	cursor := r.cursor.write()
	if cursor == nil { // it can't be kept: from here on all is read each time
		return errors.New("the directory's position takes more room than the gateway has for it: set sync.changes to another way")
	}
	return r.out.end(cursor)
}

// shifted says why a changed container makes all that is read doubtful: a scope or an exclusion stands on it, so that what
// their DNs name may be something else now; or, where the answer names all there is, what is below it left the scope.
func (t *terms) shifted(dn string, whole bool) (why string) {
	b := branch{dn, onprem.NormalDN(dn)}
	for _, o := range slices.Concat(t.scope, t.exclude) {
		if b.holds(o.normal) {
			return fmt.Sprintf("%s has changed, and a rule of the scope is about %s", dn, o.dn)
		}
	}
	if whole && t.outside(dn) != "" {
		return dn + " has changed, and what is below it may have left the scope"
	}
	return ""
}

// outside says why what is directly below a container is in no scope; "" when it is in one.
func (t *terms) outside(dn string) (reason string) { return t.place("CN=x," + dn) }

// below reads what is below a container that is new, renamed or moved: its people have other DNs, or are in scope only now,
// or no longer. Those who were told of already are left out.
func (r *run) below(ctx context.Context, dn string, told map[string]bool) error {
	outside := r.terms.outside(dn)
	q := onprem.Query{BaseDN: dn, Filter: r.terms.kinds(), Attributes: r.idAttributes()}
	if outside == "" {
		q.Filter, q.Attributes = r.terms.matching(r.terms.kinds()), r.attributes()
	}
	for e, err := range r.at.Read(ctx, q) {
		if errors.Is(err, onprem.ErrNotFound) {
			return nil // it went on meanwhile: the next read tells
		}
		if err != nil {
			return fmt.Errorf("read what is below %s: %w", dn, err)
		}
		if told[string(r.at.ObjectID(e))] {
			continue
		}
		o := dirsync.Object{ID: r.id(e), Gone: true, Reason: cut(outside)}
		if outside == "" {
			if o = r.judged(e, true); o.ID == "" {
				continue
			}
		}
		if err := r.out.add(o); err != nil {
			return err
		}
	}
	return nil
}

// named reads the objects of a list of changes.
func (r *run) named(ctx context.Context, changed []onprem.Changed) error {
	var ids [][]byte
	for _, c := range changed {
		switch {
		case c.Deleted:
			if err := r.out.add(gone(c.ID, "deleted")); err != nil {
				return err
			}
		case c.Same:
			if err := r.out.add(dirsync.Object{ID: base64.StdEncoding.EncodeToString(c.ID), Same: true}); err != nil {
				return err
			}
		case !c.Container:
			ids = append(ids, c.ID)
		}
	}
	for some := range slices.Chunk(ids, partObjects) {
		if err := r.reread(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

func gone(id []byte, reason string) dirsync.Object {
	return dirsync.Object{ID: base64.StdEncoding.EncodeToString(id), Gone: true, Reason: cut(reason)}
}

// reread reads some objects wherever they are now. Who is not found any more is gone.
func (r *run) reread(ctx context.Context, ids [][]byte) error {
	matching, err := r.matching(ctx, ids)
	if err != nil {
		return err
	}
	seen := make(map[string]bool, len(ids))
	for e, err := range r.at.Entries(ctx, ids, r.anyKind(), r.attributes()) {
		if err != nil {
			return fmt.Errorf("read what changed: %w", err)
		}
		id := string(r.at.ObjectID(e))
		seen[id] = true
		o := r.judged(e, matching == nil || matching[id])
		if o.ID == "" {
			continue
		}
		if err := r.out.add(o); err != nil {
			return err
		}
	}
	for _, id := range ids {
		if seen[string(id)] {
			continue
		}
		if err := r.out.add(gone(id, "is not in the directory any more, or this account may not see it")); err != nil {
			return err
		}
	}
	return nil
}

// anyKind finds what kindOf can tell apart.
func (s *source) anyKind() string {
	if s.ad() {
		return ""
	}
	return s.terms.kinds()
}

// matching are those of the objects that the filter of the rules finds; nil when there is none.
func (r *run) matching(ctx context.Context, ids [][]byte) (map[string]bool, error) {
	if r.terms.filter == "" {
		return nil, nil
	}
	found := map[string]bool{}
	for e, err := range r.at.Entries(ctx, ids, r.terms.filter, r.source.idAttributes()) {
		if err != nil {
			return nil, fmt.Errorf("read who matches the filter of the rules: %w", err)
		}
		found[string(r.at.ObjectID(e))] = true
	}
	return found, nil
}

// judged is an entry as it goes to the gateway: the object, that it is gone when it is not in scope, or nothing (no ID) when
// it is of a kind that never is.
func (r *run) judged(e onprem.Entry, matches bool) dirsync.Object {
	kind := r.terms.kindOf(e)
	if kind == "" {
		return dirsync.Object{}
	}
	if reason := r.terms.judge(e, matches); reason != "" {
		return gone(r.at.ObjectID(e), reason)
	}
	return r.object(kind, e)
}
