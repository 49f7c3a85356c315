package agent

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/onprem"
	"github.com/fourways-id/fourways/internal/passhash"
)

// HashSource finds NT hashes. An attribute that holds them is one way; replication ([MS-DRSR]) is another.
type HashSource interface {
	// Attributes are what an entry must be read with.
	Attributes() []string
	// NTHash is a person's; the caller wipes it, and the source wipes what the entry holds. errNoHash: there is none, or
	// none that may be read.
	NTHash(ctx context.Context, e onprem.Entry) ([16]byte, error)
}

var errNoHash = errors.New("no NT hash can be seen")

// How people are chosen whose hashes are sent (Microsoft: "Selective password hash synchronization"): by the value of
// adminDescription.
const (
	SelectExclude = "exclude" // all but those marked PHSFiltered
	SelectInclude = "include" // those marked PHSIncluded alone

	markAttribute = "adminDescription"
	markFiltered  = "PHSFiltered"
	markIncluded  = "PHSIncluded"
)

// hashes reads the hashes of people in scope: of those who changed since the cursor and those asked for by name, or of all.
func (s *source) hashes(ctx context.Context, ask dirsync.Ask, yield func(dirsync.Part) error) error {
	if s.hash == nil {
		return errors.New("no hash source is configured for this agent: set sync.hash_source")
	}
	return s.people(ctx, ask, yield, passwords{
		attributes: append(s.hash.Attributes(), markAttribute, s.o.CloudUPN),
		of:         func(e onprem.Entry) dirsync.Object { return s.hashOf(ctx, e, ask) },
		drop:       s.wipe,
	})
}

// changes reads who changed since the cursor of the last hash run, and when their passwords did. No hash is asked for.
func (s *source) changes(ctx context.Context, ask dirsync.Ask, yield func(dirsync.Part) error) error {
	return s.people(ctx, dirsync.Ask{Cursor: ask.Cursor}, yield, passwords{of: s.dated})
}

// passwords is what is read of a person.
type passwords struct {
	attributes []string
	of         func(onprem.Entry) dirsync.Object
	drop       func(onprem.Entry) // what an entry holds that is not sent; nil: nothing
}

func (s *source) people(ctx context.Context, ask dirsync.Ask, yield func(dirsync.Part) error, what passwords) error {
	in, members, err := s.membered(ctx)
	if err != nil {
		return err
	}
	p := &persons{source: s, terms: in, what: what, out: parts{yield: yield}}
	p.cursor = cursor{Rules: s.digest(dirsync.KindHash), Members: members}
	if len(ask.Cursor) == 0 {
		return p.all(ctx, "")
	}
	from, why := goOn(ask.Cursor, p.cursor.Rules, members)
	if why != "" {
		return p.all(ctx, why)
	}
	n, err := s.follow(ctx, from)
	if errors.Is(err, onprem.ErrPosition) {
		return p.all(ctx, line(err))
	}
	if err != nil {
		return err
	}
	return p.some(ctx, n, ask.IDs)
}

// persons is one read of what belongs to passwords.
type persons struct {
	*source
	terms  terms
	cursor cursor
	what   passwords
	out    parts
}

func (p *persons) attributes() []string {
	return distinct(slices.Concat(p.idAttributes(), p.terms.ruleAttributes(), p.passwordTimes(), p.what.attributes))
}

func (p *persons) all(ctx context.Context, note string) error {
	position, note, err := p.position(ctx, note)
	if err != nil {
		return err
	}
	p.out.full, p.out.note = true, note
	if err := p.each(ctx, p.terms.matching(p.terms.people()), p.attributes(), p.take); err != nil {
		return err
	}
	p.cursor.Position = position
	return p.out.end(p.cursor.write())
}

// some reads those who changed, and those with these ids. Containers don't matter: who comes into scope with one has no hash
// at the gateway, and is asked for by name.
func (p *persons) some(ctx context.Context, n news, names []string) error {
	var ids [][]byte
	for _, c := range n.changed {
		if !c.Deleted && !c.Same && !c.Container {
			ids = append(ids, c.ID)
		}
	}
	for _, name := range names {
		id, err := base64.StdEncoding.DecodeString(name)
		if err == nil && len(id) == objectID {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, slices.Compare)
	ids = slices.CompactFunc(ids, slices.Equal)
	for some := range slices.Chunk(ids, partObjects) {
		for e, err := range p.at.Entries(ctx, some, p.terms.matching(p.terms.people()), p.attributes()) {
			if err != nil {
				return fmt.Errorf("read the people who changed: %w", err)
			}
			if err := p.take(e); err != nil {
				return err
			}
		}
	}
	p.cursor.Position = []byte(n.position)
	return p.out.end(p.cursor.write())
}

// objectID is the length of an objectGUID and an entryUUID.
const objectID = 16

func (p *persons) take(e onprem.Entry) error {
	if p.what.drop != nil {
		defer p.what.drop(e)
	}
	if p.terms.kindOf(e) != dirsync.User || p.terms.judge(e, true) != "" {
		return nil
	}
	return p.out.add(p.what.of(e))
}

// dated is when a person's password was changed.
func (s *source) dated(e onprem.Entry) dirsync.Object {
	at, _ := passwordTime(e)
	return dirsync.Object{Kind: dirsync.User, ID: s.id(e), Anchor: s.anchor(e), DN: cut(e.DN), PasswordAt: at}
}

// hashOf makes the record that may leave the premises, or says why none does. A password that is good only for being changed
// is withheld until it was, unless it is asked for (Microsoft: password hash synchronization, "Temporary passwords").
func (s *source) hashOf(ctx context.Context, e onprem.Entry, ask dirsync.Ask) dirsync.Object {
	o := s.dated(e)
	_, mustChange := passwordTime(e)
	switch {
	case !wanted(e.First(s.o.CloudUPN), ask.Domains):
		o.Withheld = dirsync.WithheldUnasked
		return o
	case s.filtered(e):
		o.Withheld = dirsync.WithheldFiltered
		return o
	case mustChange && !ask.Temporary:
		o.Withheld = dirsync.WithheldTemporary
		return o
	}
	nt, err := s.hash.NTHash(ctx, e)
	defer clear(nt[:])
	switch {
	case errors.Is(err, errNoHash):
		o.Withheld = dirsync.WithheldMissing
	case err != nil:
		o.Withheld = dirsync.WithheldMalformed
	default:
		o.Hash, o.MustChange = passhash.NewOrgID(nt).String(), mustChange
	}
	return o
}

// wanted reports that the hash of whoever has this name in the tenant was asked for: no other leaves the premises.
func wanted(upn string, domains []string) bool {
	_, domain, _ := strings.Cut(upn, "@")
	return len(domains) == 0 || slices.ContainsFunc(domains, func(d string) bool { return strings.EqualFold(d, domain) })
}

// filtered reports people whose hashes are not sent: those marked so, and in Active Directory those of the class
// inetOrgPerson, which password hash synchronisation leaves out (Microsoft: "only supports the object type user").
func (s *source) filtered(e onprem.Entry) bool {
	if s.ad() && slices.ContainsFunc(e.Get("objectClass"), func(c []byte) bool { return strings.EqualFold(string(c), "inetOrgPerson") }) {
		return true
	}
	switch mark := e.First(markAttribute); s.o.SelectiveHashes {
	case SelectExclude:
		return strings.EqualFold(mark, markFiltered)
	case SelectInclude:
		return !strings.EqualFold(mark, markIncluded)
	}
	return false
}

// wipe clears what was read of a hash.
func (s *source) wipe(e onprem.Entry) {
	for _, name := range s.hash.Attributes() {
		for _, v := range e.Get(name) {
			clear(v)
		}
	}
}

// attributeHash takes the NT hash from an attribute: 16 octets, or 32 hex digits as in sambaNTPassword.
type attributeHash struct{ name string }

// Attributes implements HashSource.
func (a attributeHash) Attributes() []string { return []string{a.name} }

// NTHash implements HashSource.
func (a attributeHash) NTHash(_ context.Context, e onprem.Entry) (nt [16]byte, err error) {
	values := e.Get(a.name)
	if len(values) == 0 {
		return nt, errNoHash
	}
	switch v := values[0]; {
	case len(v) == len(nt):
		copy(nt[:], v)
	case len(v) == 2*len(nt):
		if _, err := hex.Decode(nt[:], v); err != nil {
			clear(nt[:])
			return nt, errors.New("the value is no NT hash in hex")
		}
	default:
		return nt, fmt.Errorf("the value has %d bytes; an NT hash has 16, or 32 hex digits", len(v))
	}
	return nt, nil
}
