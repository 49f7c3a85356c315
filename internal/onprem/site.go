package onprem

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// site is one connection, and what the server at its other end says of itself.
type site struct {
	l      *link
	base   string // where the directory begins: the naming context that holds the configured base
	domain []byte // id of the object there
	root   Entry  // the rootDSE
}

// rootAttributes are of the rootDSE; [MS-ADTS] 3.1.1.3.2, RFC 4512 section 5.1.
func rootAttributes() []string {
	return []string{"defaultNamingContext", "namingContexts", "dsServiceName", "highestCommittedUSN", "supportedControl", "vendorName"}
}

// visit runs work on one connection of the service account, that is known to be alive. The connection is kept when the work
// ended well or the server refused it.
func (d *Directory) visit(ctx context.Context, work func(*site) error) error {
	s, err := d.arrive(ctx)
	if err != nil {
		return err
	}
	if err = work(s); err != nil && !alive(err) {
		s.l.close()
		return err
	}
	d.services.put(s.l)
	return err
}

func (d *Directory) arrive(ctx context.Context) (*site, error) {
	for {
		l, err := d.services.take(ctx)
		if err != nil {
			return nil, err
		}
		s, err := d.look(ctx, l)
		if err == nil {
			return s, nil
		}
		l.close()
		if !l.reused || !died(ctx, err) {
			return nil, err
		}
	}
}

// homeFirst are the servers in order, but for the one that last said where it stands: update sequence numbers count there and
// nowhere else, and other servers may be behind it.
func (d *Directory) homeFirst() []server {
	home := d.home.Load()
	if home == nil {
		return d.servers
	}
	isHome := func(s server) int {
		if s.name == *home {
			return 0
		}
		return 1
	}
	return slices.SortedStableFunc(slices.Values(d.servers), func(a, b server) int { return isHome(a) - isHome(b) })
}

// takeHome gives a connection for reading. What a server said to have changed must not be read from another one, which may
// not have it yet: when the first is gone, that is an error once, and the reader begins again where it stood.
func (d *Directory) takeHome(ctx context.Context) (*link, error) {
	for {
		l, err := d.services.take(ctx)
		home := d.home.Load()
		if err != nil || home == nil || *home == l.server {
			return l, err
		}
		if l.reused { // kept from before
			l.close()
			continue
		}
		d.services.put(l)
		d.home.CompareAndSwap(home, nil)
		return nil, fmt.Errorf("%s can't be reached any more, and %s may not hold yet what it told: try again", *home, l.server)
	}
}

// look asks the server who it is.
func (d *Directory) look(ctx context.Context, l *link) (*site, error) {
	root, err := d.entryAt(ctx, l, "", rootAttributes()...)
	if err != nil {
		return nil, err
	}
	bases, err := d.beginnings(root)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.server, err)
	}
	var hidden error
	for _, base := range bases {
		top, err := d.entryAt(ctx, l, base, d.idAttribute())
		if id := d.ObjectID(top); id != nil {
			return &site{l: l, root: root, base: base, domain: id}, nil
		}
		if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrRefused) {
			return nil, err
		}
		hidden = fmt.Errorf("%s at %s shows %q no %s: correct the base DN, or give the account the right to read", base, l.server, d.cfg.BindDN, d.idAttribute())
	}
	return nil, hidden
}

// beginnings are where the directory may begin, the best first: the naming context in which the configured base lies, and, in
// a directory that may show the account no more than a part of the tree, the base.
func (d *Directory) beginnings(root Entry) ([]string, error) {
	base, err := ldap.ParseDN(d.cfg.BaseDN)
	if err != nil || d.cfg.BaseDN == "" {
		return nil, fmt.Errorf("the base DN %q is none: correct it", d.cfg.BaseDN)
	}
	names := root.Get("namingContexts")
	if d.cfg.Kind == AD {
		names = root.Get("defaultNamingContext")
	}
	found := ""
	for _, name := range names {
		context, err := ldap.ParseDN(string(name))
		if err == nil && len(name) > len(found) && (context.EqualFold(base) || context.AncestorOfFold(base)) {
			found = string(name)
		}
	}
	switch {
	case d.cfg.Kind == LDAP && found == "":
		return []string{d.cfg.BaseDN}, nil
	case d.cfg.Kind == LDAP:
		return []string{found, d.cfg.BaseDN}, nil
	case found == "":
		return nil, fmt.Errorf("the base DN %s isn't in the domain of this domain controller, %s: correct the base DN, or name a domain controller of its domain",
			d.cfg.BaseDN, root.First("defaultNamingContext"))
	}
	return []string{found}, nil
}

// entryAt reads one object by its name.
func (d *Directory) entryAt(ctx context.Context, l *link, dn string, attributes ...string) (Entry, error) {
	req := ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, "(objectClass=*)", attributes, nil)
	res, err := d.searchOn(ctx, l, req)
	if err != nil {
		return Entry{}, err
	}
	if len(res.Entries) == 0 {
		return Entry{}, fmt.Errorf("%w: %q at %s can't be seen by %q", ErrNotFound, dn, l.server, d.cfg.BindDN)
	}
	return d.entryOf(ctx, l, res.Entries[0], attributes)
}

func (s *site) controls(oid string) bool {
	for _, c := range s.root.Get("supportedControl") {
		if string(c) == oid {
			return true
		}
	}
	return false
}

// highestUSN is the number of the last change that the domain controller committed.
func highestUSN(root Entry) (uint64, error) {
	text := root.First("highestCommittedUSN")
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("the domain controller's highestCommittedUSN %.40q is no number", text)
	}
	return n, nil
}

// isContainer reports classes below which people and groups live.
func isContainer(classes [][]byte) bool {
	for _, c := range classes {
		switch strings.ToLower(string(c)) {
		case "organizationalunit", "container", "builtindomain", "organization", "locality", "country", "domain":
			return true
		}
	}
	return false
}

// answered reports that the server refused with one of these result codes.
func answered(err error, codes ...uint16) bool {
	var answer *ldap.Error
	if !errors.As(err, &answer) {
		return false
	}
	for _, c := range codes {
		if answer.ResultCode == c {
			return true
		}
	}
	return false
}
