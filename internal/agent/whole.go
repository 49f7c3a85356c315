package agent

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/onprem"
)

// directory reads people, groups and contacts: what changed since the cursor, or all when there is no way on from it.
func (s *source) directory(ctx context.Context, ask dirsync.Ask, yield func(dirsync.Part) error) error {
	in, members, err := s.membered(ctx)
	if err != nil {
		return err
	}
	r := &run{source: s, terms: in, cursor: cursor{Rules: s.digest(dirsync.KindDirectory), Members: members}}
	r.out = parts{yield: yield, writable: slices.Clone(s.o.WriteBack), done: s.adopt(ctx)}
	switch {
	case len(ask.IDs) > 0:
		return r.these(ctx, ask.IDs)
	case len(ask.Cursor) == 0:
		return r.whole(ctx, "")
	}
	from, why := goOn(ask.Cursor, r.cursor.Rules, members)
	if why != "" {
		return r.whole(ctx, why)
	}
	return r.since(ctx, from)
}

// these reads some objects, and says nothing of the others.
func (r *run) these(ctx context.Context, names []string) error {
	var changed []onprem.Changed
	for _, name := range names {
		id, err := base64.StdEncoding.DecodeString(name)
		if err != nil || len(id) != objectID {
			return fmt.Errorf("the gateway asks for %.64q, which is no id of an object", name)
		}
		changed = append(changed, onprem.Changed{ID: id})
	}
	if err := r.named(ctx, changed); err != nil {
		return err
	}
	return r.out.end(nil)
}

// run is one read of the directory.
type run struct {
	*source
	terms  terms  // with the members of the groups
	cursor cursor // all but the position
	out    parts
}

// whole reads every scope to its end. The position comes first: what changes meanwhile is read again the next time.
func (r *run) whole(ctx context.Context, note string) error {
	position, note, err := r.position(ctx, note)
	if err != nil {
		return err
	}
	r.out.full, r.out.note = true, note
	err = r.each(ctx, r.terms.matching(r.terms.kinds()), r.attributes(), func(e onprem.Entry) error {
		kind := r.terms.kindOf(e)
		if kind == "" {
			return nil
		}
		if reason := r.terms.judge(e, true); reason != "" {
			r.leftOut(kind, e.DN, reason)
			return nil
		}
		if len(r.at.ObjectID(e)) != objectID { // who is left out of a full read is taken for gone
			return fmt.Errorf("%.200q came without its %s: give the service account the right to read it", e.DN, r.source.idAttributes()[0])
		}
		return r.out.add(r.object(kind, e))
	})
	if err != nil {
		return err
	}
	if err := r.moved(ctx, position); err != nil {
		return err
	}
	r.cursor.Position = position
	return r.out.end(r.cursor.write())
}

// moved reads again what changed while several scopes were read one after another: whoever went from one that was not read yet
// to one that was is in neither. The next read begins at the same position, so what can't be followed now comes then.
func (r *run) moved(ctx context.Context, from []byte) error {
	if len(from) == 0 || len(r.terms.bases()) < 2 {
		return nil
	}
	n, err := r.follow(ctx, from)
	if err != nil || n.whole {
		return nil //nolint:nilerr // as said above
	}
	return r.named(ctx, n.changed)
}

// position is where a later read goes on; none, and a note why, when there is no way to learn what changes.
func (s *source) position(ctx context.Context, note string) (at []byte, why string, err error) {
	at, err = s.at.Position(ctx)
	if errors.Is(err, onprem.ErrPosition) {
		return nil, strings.TrimPrefix(note+"; ", "; ") + "changes can't be followed: " + line(err), nil
	}
	return at, note, err
}

// line is an error as one line: several ways may have been closed.
func line(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

func (s *source) leftOut(kind, dn, reason string) {
	if s.o.LeftOut != nil {
		s.o.LeftOut(kind, dn, reason)
	}
}

// membered reads the direct members of the groups that make the scope, and digests them. A group that is not there would
// empty the scope: it is an error.
func (s *source) membered(ctx context.Context) (terms, string, error) {
	t := s.terms
	if len(t.groups) == 0 {
		return t, "", nil
	}
	t.members = map[string]struct{}{}
	for _, dn := range t.groups {
		found := false
		q := onprem.Query{BaseDN: dn, Attributes: []string{"member", "uniqueMember"}}
		for e, err := range s.at.Read(ctx, q) {
			if err != nil {
				return t, "", fmt.Errorf("read the group %s of sync.groups: %w", dn, err)
			}
			if onprem.NormalDN(e.DN) != onprem.NormalDN(dn) {
				continue
			}
			found = true
			for _, member := range slices.Concat(e.Get("member"), e.Get("uniqueMember")) {
				t.members[dirsync.Ref(onprem.NormalDN(string(member)))] = struct{}{}
			}
		}
		if !found {
			return t, "", fmt.Errorf("the group %s of sync.groups isn't there, or can't be seen by this account: correct the name or give the right to read it", dn)
		}
	}
	refs := make([]string, 0, len(t.members))
	for ref := range t.members {
		refs = append(refs, ref)
	}
	slices.Sort(refs)
	return t, fingerprint([]byte(strings.Join(refs, " "))), nil
}
