package dirsync

import (
	"cmp"
	"slices"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// outlook is what a plan that is not carried out would have changed by now, so that a preview sees what a run would: names
// that are free or given, and accounts that are there or gone.
type outlook struct {
	planned map[string]bool                    // objects of the source, by id
	gone    map[authn.AccountID]bool           // accounts
	changed map[authn.AccountID]directory.User // accounts that are here, as they would be
	given   map[string]string                  // new name -> anchor
	ids     map[[2]string]string               // kind and anchor -> id, where it is not the one that the anchor gives
}

func newOutlook() *outlook {
	return &outlook{
		planned: map[string]bool{}, gone: map[authn.AccountID]bool{}, changed: map[authn.AccountID]directory.User{},
		given: map[string]string{}, ids: map[[2]string]string{},
	}
}

// take is called with each page that is planned and not applied.
func (l *outlook) take(some []directory.Imported, p Plan) {
	for _, o := range some {
		l.planned[o.ID] = true
	}
	for _, u := range p.changes.Delete.Users {
		l.gone[u.ID] = true
	}
	for _, u := range p.changes.Put.Users {
		l.given[u.UPN] = u.Onprem.Anchor
		if string(u.ID) != idOf(User, u.Onprem.Anchor) {
			l.ids[[2]string{User, u.Onprem.Anchor}] = string(u.ID)
		}
		if !u.Created.IsZero() || !u.Changed.IsZero() {
			l.changed[u.ID] = u
		}
	}
}

// adjust makes what the tenant has what it would have.
func (l *outlook) adjust(now *directory.Objects) {
	for _, u := range now.Users {
		if l.gone[u.ID] {
			now.Deleted = append(now.Deleted, u)
		}
	}
	now.Users = slices.DeleteFunc(now.Users, func(u directory.User) bool { return l.gone[u.ID] })
	for i, u := range now.Users {
		if as, ok := l.changed[u.ID]; ok {
			now.Users[i] = as
		}
	}
}

func (l *outlook) idOf(kind, anchor string) string {
	return cmp.Or(l.ids[[2]string{kind, anchor}], idOf(kind, anchor))
}
