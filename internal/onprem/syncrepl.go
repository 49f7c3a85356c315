package onprem

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// locateSyncrepl makes the cookie of now from the contextCSN of the suffix, which the overlay syncprov keeps: it reads as the
// one that a consumer (RFC 4533) of this server has at the end of a refresh.
func (d *Directory) locateSyncrepl(ctx context.Context, s *site, p place) (place, error) {
	if !s.controls(ldap.ControlTypeSyncRequest) {
		return place{}, fmt.Errorf("%w: %s doesn't offer content synchronisation: load the overlay syncprov", ErrPosition, s.l.server)
	}
	top, err := d.entryAt(ctx, s.l, s.base, "contextCSN")
	if err != nil {
		return place{}, err
	}
	var csns []string
	for _, v := range top.Get("contextCSN") {
		if _, _, err := parseCSN(string(v)); err != nil {
			return place{}, err
		}
		csns = append(csns, string(v))
	}
	if len(csns) == 0 {
		return place{}, fmt.Errorf("%w: %s shows no contextCSN: put the overlay syncprov on its database, or give %q the right to read it", ErrPosition, s.base, d.cfg.BindDN)
	}
	sort.Strings(csns)
	p.Cookie = []byte("rid=000,csn=" + strings.Join(csns, ";"))
	return p, nil
}

func (d *Directory) followSyncrepl(ctx context.Context, s *site, p place, yield func(Changes) error) error {
	got, err := d.refresh(ctx, s, p.Cookie)
	switch {
	case answered(err, ldap.LDAPResultSyncRefreshRequired, ldap.LDAPResultProtocolError, ldap.LDAPResultUnwillingToPerform,
		ldap.LDAPResultUnavailableCriticalExtension):
		return fmt.Errorf("%w: the server doesn't go on from this cookie: %w", ErrPosition, err)
	case answered(err, ldap.LDAPResultSizeLimitExceeded, ldap.LDAPResultTimeLimitExceeded, ldap.LDAPResultAdminLimitExceeded):
		return fmt.Errorf("%w; raise the limits of %q in the server", err, d.cfg.BindDN)
	case err != nil:
		return err
	case got.whole && len(got.changed) == 0:
		return fmt.Errorf("%w: %s shows nothing at all under %s: nothing is taken for deleted on such an answer", ErrPosition, s.l.server, s.base)
	}
	behind := p
	if len(got.cookie) > 0 {
		behind.Cookie = got.cookie
	}
	return inPages(got.changed, got.whole, p, behind, yield)
}

// refreshed is what a refresh said.
type refreshed struct {
	changed []Changed
	cookie  []byte
	whole   bool // it named what is present: what it didn't name is gone
	done    bool
}

// refresh runs a refreshOnly search. Whether it named the present or the deleted is known at its end only, so it is kept
// until then: an id and a name of each changed object, an id of each other one.
func (d *Directory) refresh(ctx context.Context, s *site, cookie []byte) (refreshed, error) {
	ctx, cancel := context.WithCancel(ctx)
	req := ldap.NewSearchRequest(s.base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)",
		[]string{"objectClass"}, nil)
	renew, done := s.l.streaming(ctx, d.cfg.Timeout)
	res := s.l.conn.Syncrepl(ctx, req, 0, ldap.SyncRequestModeRefreshOnly, cookie, false)
	var got refreshed
	var err error
	for err == nil && res.Next() {
		renew()
		err = got.take(res.Entry(), res.Controls())
	}
	late := done()
	cancel()
	for res.Next() { // the library's goroutine ends
	}
	if err = errors.Join(err, res.Err()); err == nil && !got.done {
		err = errors.New("the connection was lost in the middle")
	}
	return got, s.l.failed(s.base, late, err)
}

// take reads one message of RFC 4533.
func (r *refreshed) take(entry *ldap.Entry, controls []ldap.Control) error {
	known := entry == nil
	for _, control := range controls {
		switch c := control.(type) {
		case *ldap.ControlSyncState:
			if entry == nil {
				return errors.New("a sync state without an entry")
			}
			known = true
			r.add(c, entry)
		case *ldap.ControlSyncInfo:
			r.info(c)
		case *ldap.ControlSyncDone:
			r.done = true
			r.whole = r.whole || !c.RefreshDeletes
			r.keep(c.Cookie)
		}
	}
	if !known {
		return fmt.Errorf("%s came without its sync state", entry.DN)
	}
	return nil
}

func (r *refreshed) add(state *ldap.ControlSyncState, entry *ldap.Entry) {
	r.keep(state.Cookie)
	c := Changed{ID: state.EntryUUID[:], DN: entry.DN}
	switch state.State {
	case ldap.SyncStateDelete:
		c.Deleted = true
	case ldap.SyncStatePresent:
		c.Same = true
	default:
		c.Container = isContainer(entry.GetEqualFoldRawAttributeValues("objectClass"))
	}
	r.changed = append(r.changed, c)
}

func (r *refreshed) info(c *ldap.ControlSyncInfo) {
	switch {
	case c.NewCookie != nil:
		r.keep(c.NewCookie.Cookie)
	case c.RefreshDelete != nil:
		r.keep(c.RefreshDelete.Cookie)
	case c.RefreshPresent != nil:
		r.keep(c.RefreshPresent.Cookie)
		r.whole = true
	case c.SyncIdSet != nil:
		r.keep(c.SyncIdSet.Cookie)
		for _, id := range c.SyncIdSet.SyncUUIDs {
			r.changed = append(r.changed, Changed{ID: id[:], Deleted: c.SyncIdSet.RefreshDeletes, Same: !c.SyncIdSet.RefreshDeletes})
		}
	}
}

func (r *refreshed) keep(cookie []byte) {
	if len(cookie) > 0 {
		r.cookie = cookie
	}
}

// inPages yields what can be trusted only as a whole: until the last page, the position stays where it was.
func inPages(changed []Changed, whole bool, before, behind place, yield func(Changes) error) error {
	first, err := before.position()
	if err != nil {
		return err
	}
	last, err := behind.position()
	if err != nil {
		return err
	}
	for len(changed) > defaultPage {
		if err := yield(Changes{Changed: changed[:defaultPage:defaultPage], Position: first, Whole: whole}); err != nil {
			return err
		}
		changed = changed[defaultPage:]
	}
	return yield(Changes{Changed: changed, Position: last, Whole: whole})
}
