package onprem

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/go-ldap/ldap/v3"
)

// showDeleted makes a search find deleted objects too: [MS-ADTS] 3.1.1.3.4.1.14.
const showDeleted = ldap.ControlTypeMicrosoftShowDeleted

// invocation is the id of the domain controller's database: update sequence numbers count in it and in no other.
func (d *Directory) invocation(ctx context.Context, s *site) ([]byte, error) {
	service := s.root.First("dsServiceName")
	if service == "" {
		return nil, fmt.Errorf("%s names no dsServiceName in its rootDSE: is it a domain controller?", s.l.server)
	}
	e, err := d.entryAt(ctx, s.l, service, "invocationId")
	if err != nil {
		return nil, err
	}
	id := e.Get("invocationId")
	if len(id) != 1 || len(id[0]) != idLength {
		return nil, fmt.Errorf("%s at %s shows no invocationId: give the service account the right to read it", service, s.l.server)
	}
	return id[0], nil
}

// seesDeleted is ErrPosition when the account can't see deleted objects: every deletion would be missed. The container in
// which they lie can be found by everybody, and read by those who were given it.
func (d *Directory) seesDeleted(ctx context.Context, s *site) error {
	base := "CN=Deleted Objects," + s.base
	req := ldap.NewSearchRequest(base, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)",
		[]string{d.idAttribute()}, []ldap.Control{ldap.NewControlString(showDeleted, true, "")})
	res, err := d.searchOn(ctx, s.l, req)
	switch {
	case err == nil && len(res.Entries) == 1 && len(res.Entries[0].Attributes) == 1:
		return nil
	case err == nil || closed(err) || errors.Is(err, ErrNotFound):
		return fmt.Errorf("%w: the account %q can't see deleted objects, so deletions would be missed: give it \"List Contents\" and \"Read Property\" on %s, or at Active Directory the right \"Replicating Directory Changes\" on %s",
			ErrPosition, d.cfg.BindDN, base, s.base)
	}
	return err
}

func (d *Directory) locateUSN(ctx context.Context, s *site, p place) (place, error) {
	if err := d.seesDeleted(ctx, s); err != nil {
		return place{}, err
	}
	var err error
	if p.Server, err = d.invocation(ctx, s); err != nil {
		return place{}, err
	}
	p.USN, err = highestUSN(s.root)
	return p, err
}

func (d *Directory) followUSN(ctx context.Context, s *site, p place, yield func(Changes) error) error {
	now, err := d.locateUSN(ctx, s, place{Mode: USN, Base: s.base, Domain: s.domain})
	switch {
	case err != nil:
		return err
	case !bytes.Equal(now.Server, p.Server):
		return fmt.Errorf("%w: %s is another domain controller than the one the position counts in, or its database was restored", ErrPosition, s.l.server)
	case now.USN < p.USN:
		return fmt.Errorf("%w: %s counts changes up to %d, and was seen at %d: its database was put back", ErrPosition, s.l.server, now.USN, p.USN)
	}
	before, err := p.position()
	if err != nil {
		return err
	}
	behind, err := now.position()
	if err != nil {
		return err
	}
	req := ldap.NewSearchRequest(s.base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
		fmt.Sprintf("(&(uSNChanged>=%d)%s)", p.USN+1, watchedClasses), []string{"objectGUID", "objectClass", "isDeleted"},
		[]ldap.Control{ldap.NewControlString(showDeleted, true, "")})
	err = d.eachPage(ctx, s.l, req, func(entries []*ldap.Entry) error {
		page := Changes{Position: before} // pages come in no order of numbers
		for _, raw := range entries {
			c, err := d.changedOf(raw)
			if err != nil {
				return err
			}
			page.Changed = append(page.Changed, c)
		}
		return yield(page)
	})
	if err != nil {
		return err
	}
	return yield(Changes{Position: behind})
}

// eachPage runs a search in pages (RFC 2696).
func (d *Directory) eachPage(ctx context.Context, l *link, req *ldap.SearchRequest, each func([]*ldap.Entry) error) error {
	paging := ldap.NewControlPaging(defaultPage)
	req.Controls = append(req.Controls, paging)
	var on progress
	for {
		res, err := d.searchOn(ctx, l, req)
		if err == nil {
			err = on.page(res.Entries)
		}
		if err != nil {
			return err
		}
		if err := each(res.Entries); err != nil {
			return err
		}
		next, ok := ldap.FindControl(res.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if !ok || len(next.Cookie) == 0 {
			return nil
		}
		paging.SetCookie(next.Cookie)
	}
}
