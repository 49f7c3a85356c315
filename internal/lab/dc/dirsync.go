package dc

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// The flags of a DirSync request, [MS-ADTS] 3.1.1.3.4.1.3. IncrementalValues is taken and has no effect: of an object that
// changed all values of all attributes that were asked for are sent, whether they changed or not, and never cut into ranges.
const (
	dirSyncObjectSecurity = 0x1        // only what the account may read; else the right to replicate is needed
	dirSyncAncestorsFirst = 0x800      // a parent comes before what is below it
	dirSyncPublicOnly     = 0x2000     // without effect in Active Directory too
	dirSyncIncremental    = 0x80000000 // of long lists only the values that changed
	dirSyncFlags          = dirSyncObjectSecurity | dirSyncAncestorsFirst | dirSyncPublicOnly | dirSyncIncremental
)

// dirSyncPage is the most objects in one answer.
const dirSyncPage = 1000

// cookieMagic begins every cookie; the invocationId and the number of the last change that was sent follow.
const cookieMagic = "FWD1"

// dirSyncRequest is a decoded control value.
type dirSyncRequest struct {
	flags  uint32
	bytes  int // most octets of values in one answer; 0: any
	cookie string
}

// decodeDirSync reads DirSyncRequestValue: flags, size limit, cookie.
func decodeDirSync(value string) (dirSyncRequest, bool) {
	p, err := ber.DecodePacketErr([]byte(value))
	if err != nil || len(p.Children) != 3 {
		return dirSyncRequest{}, false
	}
	size := number(p.Children[1])
	if size < 0 || size > math.MaxInt32 {
		return dirSyncRequest{}, false
	}
	// Clients send the flags as four octets, of which the first bit isn't meant as a sign.
	return dirSyncRequest{flags: uint32(number(p.Children[0])), bytes: int(size), cookie: contents(p.Children[2])}, true
}

// dirSync answers a search for what has changed since a cookie; without a cookie for everything. Whatever its scope, the
// whole domain is searched. The entries come in the order of their last change, so that the place where an answer ends says
// all that the next one needs: nothing is kept for the client. An object that changes between two answers comes again.
func (s *session) dirSync(r request, q query, c control) outcome {
	out := outcome{tag: opSearchDone, op: "search", target: q.base}
	ask, ok := decodeDirSync(c.value)
	if !ok {
		return out.with(codeProtocolError, "malformed DirSync control")
	}
	if err := s.mayDirSync(q, ask); err != nil {
		return out.fail(err)
	}
	d, v := s.srv.dom, view{deleted: s.who.replicates()} // no hashes, whoever asks
	from, err := d.decodeCookie(ask.cookie)
	if err != nil {
		return out.fail(err)
	}
	q.attrs, q.whole = dirSyncAttributes(q.attrs), true
	found, end := d.changedSince(from, q, ask, v)
	for _, e := range found {
		if !s.write(message(r.id, d.encode(e, q, v))) {
			out.end = true
			return out
		}
	}
	out.controls = append(out.controls, dirSyncControl(end))
	return out
}

// mayDirSync refuses in the codes that a Samba domain controller gives.
func (s *session) mayDirSync(q query, ask dirSyncRequest) error {
	refused := codeNoAccess
	if ask.flags&dirSyncObjectSecurity != 0 {
		refused = codeUnwilling
	}
	base, err := parseDN(q.base)
	switch {
	case err != nil:
		return refuse(codeInvalidDN, err.Error())
	case ask.flags&^dirSyncFlags != 0:
		return refuse(codeUnwilling, "00000057: LdapErr: DSID-0C09079A, comment: Error processing control, data 0, v1db1")
	case base.key() != s.srv.dom.base.key():
		return refuse(refused, "the base of a DirSync search is the top of a naming context: "+s.srv.dom.base.String())
	case refused == codeNoAccess && !s.who.replicates():
		return refuse(codeNoAccess, "00002105: LdapErr: DSID-0C0907B1, comment: Error processing control, data 0, v1db1")
	}
	return nil
}

// dirSyncAttributes adds what always comes.
func dirSyncAttributes(asked []string) []string {
	if len(asked) == 0 {
		asked = []string{"*"}
	}
	return append(slices.Clone(asked), "objectGUID", "instanceType", "parentGUID", "isDeleted")
}

// reached is where an answer ends.
type reached struct {
	usn    int64
	more   bool
	cookie string
}

func (d *domain) encodeCookie(usn int64) string {
	return string(binary.BigEndian.AppendUint64(append([]byte(cookieMagic), d.id...), uint64(usn)))
}

// decodeCookie is the number of the last change that the client was told of; 0 without a cookie.
func (d *domain) decodeCookie(cookie string) (int64, error) {
	if cookie == "" {
		return 0, nil
	}
	rest, ok := strings.CutPrefix(cookie, cookieMagic)
	if !ok || len(rest) != 16+8 {
		return 0, refuse(codeProtocolError, "00000057: LdapErr: DSID-0C09079A, comment: Error processing control, data 0, v1db1")
	}
	usn := binary.BigEndian.Uint64([]byte(rest[16:]))
	d.mu.RLock()
	defer d.mu.RUnlock()
	if rest[:16] != string(d.id) || usn > uint64(d.usn) {
		return 0, refuse(codeUnwilling, "000020F7: LdapErr: DSID-0C09079B, comment: the cookie is of another database than this one, data 0, v1db1")
	}
	return int64(usn), nil
}

// changedSince are the entries for one answer, and where it ends.
func (d *domain) changedSince(from int64, q query, ask dirSyncRequest, v view) ([]*entry, reached) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	b := batch{d: d, q: q, v: v, from: from, sent: map[*entry]bool{}}
	end := reached{usn: d.usn}
	last := from
	for _, m := range d.history.marks[d.history.from(from+1):] {
		if m.e == nil || !b.matches(m.e) {
			continue
		}
		if len(b.found) >= dirSyncPage || ask.bytes > 0 && b.size >= ask.bytes {
			end = reached{usn: last, more: true}
			break
		}
		if ask.flags&dirSyncAncestorsFirst != 0 {
			b.ancestors(m.e)
		}
		b.add(m.e)
		last = m.usn
	}
	end.cookie = d.encodeCookie(end.usn)
	return b.found, end
}

// batch collects the entries of one answer.
type batch struct {
	d     *domain
	q     query
	v     view
	from  int64
	sent  map[*entry]bool
	found []*entry
	size  int
}

func (b *batch) matches(e *entry) bool {
	get := func(attr string) ([]string, bool) { return b.d.values(e, attr, b.v) }
	return (b.v.deleted || !e.grave) && b.q.filter.match(get) == yes
}

// ancestors adds what is above e and was changed later. It comes again in its turn.
func (b *batch) ancestors(e *entry) {
	parent := b.d.entries[e.name.parentKey()]
	if parent == nil || b.sent[parent] {
		return
	}
	b.ancestors(parent)
	if parent.usn > b.from && b.matches(parent) {
		b.add(parent)
	}
}

func (b *batch) add(e *entry) {
	if b.sent[e] {
		return
	}
	b.sent[e] = true
	b.found = append(b.found, e)
	for _, name := range e.selected(b.q.attrs) {
		for _, v := range e.get(baseAttribute(name)) {
			b.size += len(v)
		}
	}
}

func dirSyncControl(end reached) *ber.Packet {
	value := sequence(ber.TagSequence)
	more := int64(0)
	if end.more {
		more = 1
	}
	value.AppendChild(integerOf(more))
	value.AppendChild(integerOf(0))
	value.AppendChild(octetString(end.cookie))
	p := sequence(ber.TagSequence)
	p.AppendChild(octetString(oidDirSync))
	p.AppendChild(octetString(string(value.Bytes())))
	return p
}
