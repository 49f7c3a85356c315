package onprem

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// dirSyncBytes bounds the attributes in one answer to a DirSync search; Active Directory cuts at this, Samba doesn't.
const dirSyncBytes = 1 << 20

// Filters. The classes are those that may be in a synchronisation's scope, or hold what is; a deleted object keeps its class,
// but whoever may see only part of a deleted object is told of it all the same.
const (
	watchedClasses = "(|(objectClass=user)(objectClass=group)(objectClass=contact)(objectClass=organizationalUnit)(objectClass=container)(isDeleted=TRUE))"
	almostNothing  = "(objectClass=domainDNS)"
	containerClass = "(|(objectClass=organizationalUnit)(objectClass=container)(objectClass=builtinDomain))"
)

// locateDirSync finds the cookie of now: [MS-ADTS] 3.1.1.3.4.1.3. The cookie says how far replication was followed and is
// not bound to the filter, so one that matches almost nothing brings it without reading the directory.
func (d *Directory) locateDirSync(ctx context.Context, s *site, p place) (place, error) {
	for _, own := range []bool{false, true} {
		p.Cookie, p.Own = nil, own
		err := d.drain(ctx, s, &p)
		if err == nil && (own || s.samba()) {
			err = d.seesDeleted(ctx, s)
		}
		if err == nil {
			return p, nil
		}
		if !closed(err) {
			return place{}, err
		}
		if own && errors.Is(err, ErrPosition) {
			return place{}, err
		}
		if own {
			return place{}, fmt.Errorf("%w: the account %q may not follow changes by DirSync: give it the right \"Replicating Directory Changes\" on %s: %w",
				ErrPosition, d.cfg.BindDN, s.base, err)
		}
	}
	return place{}, ErrPosition
}

// samba reports a domain controller that shows by DirSync only what the account may read, deleted objects included, whatever
// its rights to replicate. Active Directory shows all to whoever may replicate.
func (s *site) samba() bool { return strings.Contains(s.root.First("vendorName"), "Samba") }

// closed reports a refusal that will not go away by itself.
func closed(err error) bool {
	return errors.Is(err, ErrPosition) || answered(err, ldap.LDAPResultInsufficientAccessRights,
		ldap.LDAPResultUnavailableCriticalExtension, ldap.LDAPResultUnwillingToPerform)
}

func (d *Directory) drain(ctx context.Context, s *site, p *place) error {
	for range mostRounds {
		_, more, err := d.dirSyncPage(ctx, s, p, almostNothing, []string{"objectGUID"})
		if err != nil || !more {
			return err
		}
	}
	return endless(s)
}

// mostRounds bounds the answers in a row that promise more and hold nothing: a domain controller gives one for every so many
// objects that the filter doesn't find.
const mostRounds = 10_000

func endless(s *site) error {
	return fmt.Errorf("searching %s at %s: DirSync promises more, and gave %d answers in a row without anything", s.base, s.l.server, mostRounds)
}

// dirSyncPage asks for what comes after p and moves p behind it.
func (d *Directory) dirSyncPage(ctx context.Context, s *site, p *place, filter string, attributes []string) ([]*ldap.Entry, bool, error) {
	flags := ldap.DirSyncAncestorsFirstOrder | ldap.DirSyncIncrementalValues
	if p.Own {
		flags |= ldap.DirSyncObjectSecurity
	}
	req := ldap.NewSearchRequest(s.base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, attributes,
		[]ldap.Control{ldap.NewRequestControlDirSync(flags, dirSyncBytes, p.Cookie)})
	res, err := d.searchOn(ctx, s.l, req)
	if err != nil {
		return nil, false, err
	}
	answer, ok := ldap.FindControl(res.Controls, ldap.ControlTypeDirSync).(*ldap.ControlDirSync)
	if !ok || len(answer.Cookie) == 0 {
		return nil, false, fmt.Errorf("searching %s at %s: the answer has no DirSync cookie", s.base, s.l.server)
	}
	more := answer.Flags != 0
	if more && bytes.Equal(answer.Cookie, p.Cookie) {
		return nil, false, fmt.Errorf("searching %s at %s: DirSync promises more, and gives the same again", s.base, s.l.server)
	}
	p.Cookie = bytes.Clone(answer.Cookie)
	return res.Entries, more, nil
}

func (d *Directory) followDirSync(ctx context.Context, s *site, p place, yield func(Changes) error) error {
	if p.Own || s.samba() {
		if err := d.seesDeleted(ctx, s); err != nil {
			return err
		}
	}
	var attributes []string
	if d.cfg.Watch != nil {
		// An object of which none of these changed doesn't come: a deletion changes isDeleted, a rename or move the name.
		attributes = append(slices.Clone(d.cfg.Watch), "objectGUID", "objectClass", "isDeleted", "name")
	}
	empty := 0
	for more := true; more; {
		if empty > mostRounds {
			return endless(s)
		}
		var entries []*ldap.Entry
		var err error
		entries, more, err = d.dirSyncPage(ctx, s, &p, watchedClasses, attributes)
		switch {
		case answered(err, ldap.LDAPResultNoSuchAttribute, ldap.LDAPResultUndefinedAttributeType) && attributes != nil:
			attributes, more = nil, true // one of them isn't in this schema: all come then
			continue
		case closed(err) || answered(err, ldap.LDAPResultProtocolError, ldap.LDAPResultOperationsError):
			return fmt.Errorf("%w: the domain controller doesn't go on from this DirSync cookie; was a right taken from the account?: %w", ErrPosition, err)
		case err != nil:
			return err
		}
		if empty++; len(entries) > 0 {
			empty = 0
		}
		page := Changes{}
		if page.Changed, err = d.dirSyncChanged(ctx, entries); err != nil {
			return err
		}
		if page.Position, err = p.position(); err != nil {
			return err
		}
		if err := yield(page); err != nil {
			return err
		}
	}
	return nil
}

// dirSyncChanged reads what DirSync says of objects: their ids, and of the rest only what changed. The class of an object
// that was renamed or moved is therefore asked for.
func (d *Directory) dirSyncChanged(ctx context.Context, entries []*ldap.Entry) ([]Changed, error) {
	changed := make([]Changed, 0, len(entries))
	moved := map[string]int{} // id: place in changed
	for _, raw := range entries {
		c, err := d.changedOf(raw)
		if err != nil {
			return nil, err
		}
		classes := raw.GetEqualFoldRawAttributeValues("objectClass")
		if !c.Deleted && len(classes) == 0 && !c.Container && len(raw.GetEqualFoldRawAttributeValues("name")) > 0 {
			moved[string(c.ID)] = len(changed)
		}
		changed = append(changed, c)
	}
	ids := make([][]byte, 0, len(moved))
	for id := range moved {
		ids = append(ids, []byte(id))
	}
	for e, err := range d.Entries(ctx, ids, containerClass, []string{d.idAttribute()}) {
		if err != nil {
			return nil, err
		}
		if i, ok := moved[string(d.ObjectID(e))]; ok {
			changed[i].Container = true
		}
	}
	return changed, nil
}

// changedOf reads id, name, deletion and, as far as it is told, class of an object of Active Directory.
func (d *Directory) changedOf(raw *ldap.Entry) (Changed, error) {
	id := raw.GetEqualFoldRawAttributeValue("objectGUID")
	if len(id) != idLength {
		return Changed{}, fmt.Errorf("%s came without its objectGUID: give the service account the right to read it", raw.DN)
	}
	c := Changed{ID: id, DN: raw.DN, Deleted: raw.GetEqualFoldAttributeValue("isDeleted") == "TRUE"}
	c.Container = !c.Deleted && (isContainer(raw.GetEqualFoldRawAttributeValues("objectClass")) ||
		len(raw.DN) > 3 && strings.EqualFold(raw.DN[:3], "OU="))
	return c, nil
}
