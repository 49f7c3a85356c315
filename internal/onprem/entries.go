package onprem

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// idsPerSearch bounds a filter that names objects.
const idsPerSearch = 50

// idLength is that of an objectGUID and of an entryUUID.
const idLength = 16

// idAttribute names an object for ever and is the directory's own, unlike Config.AnchorAttribute.
func (d *Directory) idAttribute() string {
	if d.cfg.Kind == LDAP {
		return "entryUUID"
	}
	return "objectGUID"
}

// ObjectID is the 16 octets of an entry's objectGUID or entryUUID; nil when it has none, for instance because the attribute
// was not asked for.
func (d *Directory) ObjectID(e Entry) []byte {
	raw := e.Get(d.idAttribute())
	if len(raw) != 1 {
		return nil
	}
	if d.cfg.Kind == AD {
		if len(raw[0]) != idLength {
			return nil
		}
		return raw[0]
	}
	return parseUUID(string(raw[0]))
}

// parseUUID reads the text of RFC 4530: eight, four, four, four and twelve hexadecimal digits; nil when it is none.
func parseUUID(text string) []byte {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return nil
	}
	id, err := hex.DecodeString(text[:8] + text[9:13] + text[14:18] + text[19:23] + text[24:])
	if err != nil {
		return nil
	}
	return id
}

func formatUUID(id []byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// Entries yields the objects with these ids, wherever in the directory they are, in any order; who isn't there, or doesn't
// match the filter ("": all), is left out. Long lists of values are whole, and the id is always among the attributes. The
// error, if there is one, comes last and alone.
func (d *Directory) Entries(ctx context.Context, ids [][]byte, filter string, attributes []string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if len(ids) == 0 {
			return
		}
		base, err := d.whole(ctx)
		if err != nil {
			yield(Entry{}, fmt.Errorf("reading the directory: %w", err))
			return
		}
		q := Query{BaseDN: base, Attributes: d.withID(attributes)}
		for batch := range slices.Chunk(ids, idsPerSearch) {
			if q.Filter, err = d.idFilter(batch, filter); err != nil {
				yield(Entry{}, err)
				return
			}
			for e, err := range d.Read(ctx, q) {
				if !yield(e, err) || err != nil {
					return
				}
			}
		}
	}
}

func (d *Directory) withID(attributes []string) []string {
	named := func(a string) bool { return strings.EqualFold(a, d.idAttribute()) }
	if len(attributes) == 0 {
		return []string{"*", d.idAttribute()}
	}
	if slices.ContainsFunc(attributes, named) {
		return attributes
	}
	return append(slices.Clone(attributes), d.idAttribute())
}

func (d *Directory) idFilter(ids [][]byte, filter string) (string, error) {
	var b strings.Builder
	b.WriteString("(&(|")
	for _, id := range ids {
		if len(id) != idLength {
			return "", fmt.Errorf("an object id has %d octets, not %d", idLength, len(id))
		}
		fmt.Fprintf(&b, "(%s=%s)", d.idAttribute(), d.idValue(id))
	}
	b.WriteString(")" + filter + ")")
	return b.String(), nil
}

// idValue is an id as a filter takes it: octets in Active Directory, text in OpenLDAP.
func (d *Directory) idValue(id []byte) string {
	if d.cfg.Kind == LDAP {
		return formatUUID(id)
	}
	var b strings.Builder
	for _, octet := range id {
		fmt.Fprintf(&b, `\%02x`, octet)
	}
	return b.String()
}

// whole is where the directory begins; a directory stays where it is, so one look is enough.
func (d *Directory) whole(ctx context.Context) (string, error) {
	if base := d.base.Load(); base != nil {
		return *base, nil
	}
	var base string
	err := d.visit(ctx, func(s *site) error {
		base = s.base
		return nil
	})
	if err == nil {
		d.base.Store(&base)
	}
	return base, err
}

// Write replaces one attribute of the object with this id by one value. It is the only way in which a synchronisation
// writes, and is for write-back alone. It is ErrNotFound when there is no such object.
func (d *Directory) Write(ctx context.Context, id []byte, attribute string, value []byte) error {
	if attribute == "" || len(value) == 0 {
		return errors.New("write-back needs an attribute and a value")
	}
	var found []Entry
	for e, err := range d.Entries(ctx, [][]byte{id}, "", []string{d.idAttribute()}) {
		if err != nil {
			return err
		}
		found = append(found, e)
	}
	if len(found) != 1 {
		return fmt.Errorf("%w: %d objects have the id %x", ErrNotFound, len(found), id)
	}
	op := Replace
	if strings.EqualFold(attribute, "ms-DS-ConsistencyGuid") {
		op = AddValues // an anchor is never replaced, whatever this account was shown of it
	}
	return d.Modify(ctx, found[0].DN, Change{Op: op, Attr: attribute, Values: []string{string(value)}})
}
