package onprem

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// parseCSN reads a change sequence number of OpenLDAP: time, count, server and modification, as in
//
//	20260102030405.000001Z#000000#001#000000
//
// The numbers of one server compare as text; those of two servers don't compare.
func parseCSN(text string) (csn, server string, err error) {
	parts := strings.Split(text, "#")
	if len(parts) != 4 || len(text) > 64 || len(parts[0]) != len("20060102150405.000000Z") || strings.ContainsAny(text, ";, ") {
		return "", "", fmt.Errorf("%.64q is no change sequence number", text)
	}
	return text, parts[2], nil
}

// locateCSN finds the greatest number of each server. The listing of numbers alone is the price of a server without syncprov.
func (d *Directory) locateCSN(ctx context.Context, s *site, p place) (place, error) {
	p.CSNs = map[string]string{}
	err := d.eachPage(ctx, s.l, listing(s.base, "entryCSN"), func(entries []*ldap.Entry) error {
		for _, e := range entries {
			if csn, server, err := parseCSN(e.GetEqualFoldAttributeValue("entryCSN")); err == nil {
				p.CSNs[server] = max(p.CSNs[server], csn)
			}
		}
		return nil
	})
	if err == nil && len(p.CSNs) == 0 {
		err = fmt.Errorf("%w: %s shows no entryCSN under %s: give %q the right to read it", ErrPosition, s.l.server, s.base, d.cfg.BindDN)
	}
	return p, err
}

func listing(base string, attributes ...string) *ldap.SearchRequest {
	return ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", attributes, nil)
}

// followCSN lists everything, for a deletion leaves no trace. The numbers are taken before the listing: a number seen in it
// may be greater than that of a change which the listing had already passed.
func (d *Directory) followCSN(ctx context.Context, s *site, p place, yield func(Changes) error) error {
	behind := p
	now, err := d.locateCSN(ctx, s, p)
	if err != nil {
		return err
	}
	behind.CSNs = maps.Clone(p.CSNs)
	for server, csn := range now.CSNs {
		behind.CSNs[server] = max(behind.CSNs[server], csn)
	}
	var all []Changed
	err = d.eachPage(ctx, s.l, listing(s.base, "entryUUID", "entryCSN", "objectClass"), func(entries []*ldap.Entry) error {
		for _, e := range entries {
			csn, server, err := parseCSN(e.GetEqualFoldAttributeValue("entryCSN"))
			c := Changed{ID: parseUUID(e.GetEqualFoldAttributeValue("entryUUID")), Same: err == nil && csn <= p.CSNs[server]}
			if c.ID == nil {
				return fmt.Errorf("%s came without its entryUUID: give the service account the right to read it", e.DN)
			}
			if !c.Same {
				c.DN, c.Container = e.DN, isContainer(e.GetEqualFoldRawAttributeValues("objectClass"))
			}
			all = append(all, c)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return inPages(all, true, p, behind, yield)
}
