package onprem

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// What a directory's refusal comes down to, for errors.Is.
var (
	ErrNotFound = errors.New("no such entry")
	ErrExists   = errors.New("the entry or value exists already")
	ErrRefused  = errors.New("the account isn't allowed to do this")

	// ErrAmbiguous says that a name doesn't name one person.
	ErrAmbiguous = errors.New("not one person")
)

// defaultPage is below MaxPageSize (1000), which every domain controller allows.
const defaultPage = 500

// Query says what to read.
type Query struct {
	BaseDN     string // "": the configuration's
	Filter     string // "": (objectClass=*); values in it must be escaped by Escape
	Attributes []string
	PageSize   int // 0: 500
}

// Entry is one object as the directory sent it. The keys of Attrs are spelled as in Query.Attributes, or as the directory
// spells those that were not named; the values are raw octets.
type Entry struct {
	DN    string
	Attrs map[string][][]byte
}

// Get is all values of an attribute, however its name is spelled.
func (e Entry) Get(attr string) [][]byte {
	if v, ok := e.Attrs[attr]; ok {
		return v
	}
	for name, v := range e.Attrs {
		if strings.EqualFold(name, attr) {
			return v
		}
	}
	return nil
}

// First is the first value as a string; "" without one.
func (e Entry) First(attr string) string {
	if v := e.Get(attr); len(v) > 0 {
		return string(v[0])
	}
	return ""
}

// Escape makes a value safe to stand in a filter (RFC 4515 section 3).
func Escape(value string) string { return ldap.EscapeFilter(value) }

// EscapeDN makes a value safe to stand in a distinguished name (RFC 4514 section 2.4).
func EscapeDN(value string) string { return ldap.EscapeDN(value) }

// Read yields the entries under a base, page by page. The error, if there is one, comes last and alone: whoever gets it has
// not seen everything and must not take the missing for deleted. References to other partitions are ignored.
//
// A kept connection that turns out to be dead is replaced as long as nothing was yielded: nobody sees an entry twice.
func (d *Directory) Read(ctx context.Context, q Query) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for again := true; again; {
			l, err := d.takeHome(ctx)
			if err != nil {
				yield(Entry{}, fmt.Errorf("reading the directory: %w", err))
				return
			}
			seen := false
			whole, err := d.readPages(ctx, l, q, func(e Entry, err error) bool {
				seen = true
				return yield(e, err)
			})
			if whole && err == nil {
				d.services.put(l)
				return
			}
			l.close()
			again = l.reused && !seen && died(ctx, err)
			if err != nil && !again {
				yield(Entry{}, err)
			}
		}
	}
}

// readPages reports whether everything was read: neither an error nor a caller who stopped listening.
func (d *Directory) readPages(ctx context.Context, l *link, q Query, yield func(Entry, error) bool) (bool, error) {
	size := q.PageSize
	if size <= 0 {
		size = defaultPage
	}
	paging := ldap.NewControlPaging(uint32(min(size, 1<<20)))
	req := ldap.NewSearchRequest(or(q.BaseDN, d.cfg.BaseDN), ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
		or(q.Filter, "(objectClass=*)"), q.Attributes, []ldap.Control{paging})
	var on progress
	for {
		res, err := d.searchOn(ctx, l, req)
		if err == nil {
			err = on.page(res.Entries)
		}
		if err != nil {
			return false, err
		}
		for _, found := range res.Entries {
			e, err := d.entryOf(ctx, l, found, q.Attributes)
			if err != nil {
				return false, err
			}
			if !yield(e, nil) {
				return false, nil
			}
		}
		next, ok := ldap.FindControl(res.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if !ok || len(next.Cookie) == 0 {
			return true, nil
		}
		paging.SetCookie(next.Cookie)
	}
}

func (d *Directory) searchOn(ctx context.Context, l *link, req *ldap.SearchRequest) (*ldap.SearchResult, error) {
	done := l.during(ctx, d.cfg.Timeout)
	res, err := l.conn.Search(req)
	if err = l.failed(req.BaseDN, done(), err); err != nil {
		return nil, err
	}
	return res, nil
}

// failed says why a search ended without an answer; nil when err is.
func (l *link) failed(base string, late bool, err error) error {
	switch {
	case err == nil:
		return nil
	case late:
		err = fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)
	case l.frames.garbage() != nil:
		err = l.frames.garbage()
	default:
		err = classify(err)
	}
	return fmt.Errorf("searching %s at %s: %w", base, l.server, err)
}

// entryOf copies a result. Active Directory cuts long lists of values (1500 members) and names the part it sent, as in
// member;range=0-1499: the rest is fetched, for a group read in part would look like a group that lost its members.
func (d *Directory) entryOf(ctx context.Context, l *link, found *ldap.Entry, asked []string) (Entry, error) {
	e := Entry{DN: found.DN, Attrs: make(map[string][][]byte, len(found.Attributes))}
	for _, a := range found.Attributes {
		name, option, isRange := strings.Cut(a.Name, ";range=")
		vals := a.ByteValues
		for isRange && !strings.HasSuffix(option, "-*") {
			part, bounds, err := d.nextRange(ctx, l, found.DN, name, len(vals))
			if err != nil {
				return Entry{}, err
			}
			vals, option = append(vals, part...), bounds
		}
		if !isRange && len(vals) == 0 {
			continue
		}
		key := spelled(name, asked)
		e.Attrs[key] = append(e.Attrs[key], vals...)
	}
	return e, nil
}

func (d *Directory) nextRange(ctx context.Context, l *link, dn, attr string, from int) ([][]byte, string, error) {
	req := ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)",
		[]string{fmt.Sprintf("%s;range=%d-*", attr, from)}, nil)
	res, err := d.searchOn(ctx, l, req)
	if errors.Is(err, ErrNotFound) { // not what was searched is gone, only what was found
		return nil, "", fmt.Errorf("%s was renamed or deleted while it was read: try again (%v)", dn, err) //nolint:errorlint // no ErrNotFound
	}
	if err != nil {
		return nil, "", err
	}
	for _, e := range res.Entries {
		for _, a := range e.Attributes {
			name, option, ok := strings.Cut(a.Name, ";range=")
			if !ok || !strings.EqualFold(name, attr) || from > mostValues {
				continue
			}
			if strings.HasSuffix(option, "-*") && len(a.ByteValues) == 0 || len(a.ByteValues) > 0 && goesOn(option, from) {
				return a.ByteValues, option, nil
			}
		}
	}
	return nil, "", fmt.Errorf("reading %s of %s: the directory stopped after %d values", attr, dn, from)
}

func spelled(name string, asked []string) string {
	for _, a := range asked {
		if strings.EqualFold(a, name) {
			return a
		}
	}
	return name
}

// Find is the entry of one person, by the user filter or else by the attribute that holds the user principal name. It is an
// error when there is nobody (ErrNotFound) or more than one.
func (d *Directory) Find(ctx context.Context, upn string, attributes ...string) (Entry, error) {
	filter := or(d.cfg.UserFilter, "("+d.cfg.UPNAttribute+"=%s)")
	local, _, _ := strings.Cut(upn, "@")
	filter = strings.NewReplacer("%s", ldap.EscapeFilter(upn), "%u", ldap.EscapeFilter(local)).Replace(filter)
	if len(attributes) == 0 {
		attributes = []string{"1.1"} // RFC 4511 section 4.5.1.8: none
	}
	req := ldap.NewSearchRequest(d.cfg.BaseDN, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 2, 0, false, filter, attributes, nil)
	var found Entry
	err := d.withService(ctx, true, func(l *link) error {
		res, err := d.searchOn(ctx, l, req)
		switch {
		case err != nil:
			return err
		case len(res.Entries) == 0:
			return fmt.Errorf("%w: nobody under %s matches %s", ErrNotFound, d.cfg.BaseDN, filter)
		case len(res.Entries) > 1:
			return fmt.Errorf("%w: more than one entry under %s matches %s: make the filter stricter", ErrAmbiguous, d.cfg.BaseDN, filter)
		}
		found, err = d.entryOf(ctx, l, res.Entries[0], attributes)
		return err
	})
	return found, err
}
