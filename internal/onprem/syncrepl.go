package onprem

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
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
	csns, err := d.contextCSNs(ctx, s)
	if err != nil {
		return place{}, err
	}
	p.Cookie = []byte("rid=000,csn=" + strings.Join(csns, ";"))
	if _, err := d.refresh(ctx, s, p.Cookie); err != nil { // the overlay may be gone, and its contextCSN still there
		return place{}, err
	}
	return p, nil
}

// contextCSNs are the numbers up to which the server has the changes of each server, in order.
func (d *Directory) contextCSNs(ctx context.Context, s *site) ([]string, error) {
	top, err := d.entryAt(ctx, s.l, s.base, "contextCSN")
	if err != nil {
		return nil, err
	}
	var csns []string
	for _, v := range top.Get("contextCSN") {
		if _, _, err := parseCSN(string(v)); err != nil {
			return nil, fmt.Errorf("contextCSN of %s: %w", s.base, err)
		}
		csns = append(csns, string(v))
	}
	if len(csns) == 0 {
		return nil, fmt.Errorf("%w: %s shows no contextCSN: put the overlay syncprov on its database, or give %q the right to read it", ErrPosition, s.base, d.cfg.BindDN)
	}
	sort.Strings(csns)
	return csns, nil
}

// cookieServers are the servers in whose numbers a cookie of OpenLDAP counts, as in rid=000,sid=001,csn=...#001#...;...#002#...
// nil when it holds no number.
func cookieServers(cookie []byte) []string {
	var servers []string
	for _, field := range strings.Split(string(cookie), ",") {
		list, isCSN := strings.CutPrefix(field, "csn=")
		if !isCSN {
			continue
		}
		for _, text := range strings.Split(list, ";") {
			_, server, err := parseCSN(text)
			if err != nil {
				return nil
			}
			servers = append(servers, server)
		}
	}
	return servers
}

// understood refuses a cookie that slapd would not take at its word: it begins anew then, and says nothing of what is gone.
func (d *Directory) understood(ctx context.Context, s *site, cookie []byte) error {
	csns, err := d.contextCSNs(ctx, s)
	if err != nil {
		return err
	}
	counted := cookieServers(cookie)
	for _, server := range counted {
		known := func(csn string) bool { _, of, _ := parseCSN(csn); return of == server }
		if !slices.ContainsFunc(csns, known) {
			return fmt.Errorf("%w: the cookie counts changes of server %s, of which %s knows nothing", ErrPosition, server, s.l.server)
		}
	}
	if len(counted) == 0 {
		return fmt.Errorf("%w: the cookie counts no changes", ErrPosition)
	}
	return nil
}

func (d *Directory) followSyncrepl(ctx context.Context, s *site, p place, yield func(Changes) error) error {
	if err := d.understood(ctx, s, p.Cookie); err != nil {
		return err
	}
	got, err := d.refresh(ctx, s, p.Cookie)
	if err != nil {
		return err
	}
	if !got.whole && slices.ContainsFunc(got.changed, func(c Changed) bool { return bytes.Equal(c.ID, s.domain) }) {
		// slapd sends all without a word on what is gone, when it holds nothing as old as the cookie. The top entry, which
		// hardly ever changes, gives it away; should it have changed for once, reading all costs time and nothing else.
		return fmt.Errorf("%w: %s seems to begin anew", ErrPosition, s.l.server)
	}
	behind := p
	if len(got.cookie) > 0 {
		behind.Cookie = got.cookie
	}
	return inPages(once(got.changed), got.whole, p, behind, yield)
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
	err = s.l.failed(s.base, late, err)
	switch {
	case answered(err, ldap.LDAPResultSyncRefreshRequired, ldap.LDAPResultProtocolError, ldap.LDAPResultUnwillingToPerform,
		ldap.LDAPResultUnavailableCriticalExtension):
		err = fmt.Errorf("%w: the server doesn't go on from its cookie by content synchronisation; is the overlay syncprov on its database?: %w", ErrPosition, err)
	case answered(err, ldap.LDAPResultSizeLimitExceeded, ldap.LDAPResultTimeLimitExceeded, ldap.LDAPResultAdminLimitExceeded):
		err = fmt.Errorf("%w; raise the limits of %q in the server", err, d.cfg.BindDN)
	}
	return got, err
}

// once leaves one of several words on an object, the last: slapd names what changed among the present as well.
func once(changed []Changed) []Changed {
	at := make(map[string]int, len(changed))
	kept := changed[:0]
	for _, c := range changed {
		i, known := at[string(c.ID)]
		switch {
		case !known:
			at[string(c.ID)] = len(kept)
			kept = append(kept, c)
		case !c.Same:
			kept[i] = c
		}
	}
	return kept
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
	if whole && len(changed) == 0 {
		return fmt.Errorf("%w: the server shows nothing at all under %s: nobody is taken for deleted on such an answer", ErrPosition, before.Base)
	}
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
