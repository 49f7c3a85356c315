package dc

import (
	"cmp"
	"crypto/rand"
	"slices"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// Controls that a request may insist on, and a capability.
const (
	oidPaged        = "1.2.840.113556.1.4.319"  // RFC 2696
	oidDomainScope  = "1.2.840.113556.1.4.1339" // no search references
	oidPermissive   = "1.2.840.113556.1.4.1413" // modify: adding what is there is no error
	oidBypassHash   = "1.3.6.1.4.1.7165.4.3.12" // Samba's DSDB_CONTROL_BYPASS_PASSWORD_HASH: see modify.go
	oidShowDeleted  = "1.2.840.113556.1.4.417"  // tombstones are found too
	oidDirSync      = "1.2.840.113556.1.4.841"  // what has changed: dirsync.go
	oidRanges       = "1.2.840.113556.1.4.802"  // announced only: ranges come without it, as in Active Directory
	oidActiveDirect = "1.2.840.113556.1.4.800"  // capability: this is Active Directory
)

const (
	maxResults = 1000 // MaxPageSize of a domain controller: more than this only comes in pages
	maxValues  = 1500 // MaxValRange: more values of one attribute only come in ranges
	maxPages   = 8    // paged searches open at once on one connection
)

const bindFirst = "000004DC: LdapErr: DSID-0C090A5C, comment: In order to perform this operation a successful bind must be " +
	"completed on the connection., data 0, v4563"

func noSuchObject(base dn) string {
	return "0000208D: NameErr: DSID-0310028B, problem 2001 (NO_OBJECT), data 0, best match of: '" + base.String() + "'"
}

// page is the rest of a paged search, under the cookie that the client got.
type page struct {
	cookie string
	rest   []*entry
}

// query is a decoded SearchRequest.
type query struct {
	base      string
	scope     int64
	sizeLimit int64
	typesOnly bool
	filter    filter
	attrs     []string
	whole     bool // long lists of values aren't cut
}

func decodeQuery(p *ber.Packet) (query, error) {
	if len(p.Children) != 8 {
		return query{}, refuse(codeProtocolError, "malformed search request")
	}
	q := query{base: contents(p.Children[0]), scope: number(p.Children[1]), sizeLimit: number(p.Children[3])}
	q.typesOnly, _ = p.Children[5].Value.(bool)
	var err error
	if q.filter, err = decodeFilter(p.Children[6]); err != nil {
		return query{}, refuse(codeProtocolError, err.Error())
	}
	for _, a := range p.Children[7].Children {
		q.attrs = append(q.attrs, contents(a))
	}
	if q.scope < 0 || q.scope > 2 || q.sizeLimit < 0 {
		return query{}, refuse(codeProtocolError, "search scope or size limit out of range")
	}
	return q, nil
}

// search answers a SearchRequest: entries, perhaps a reference, and the result with which serve ends it.
func (s *session) search(r request) outcome {
	out := outcome{tag: opSearchDone, op: "search"}
	q, err := decodeQuery(r.op)
	if err != nil {
		return out.fail(err)
	}
	out.target = q.base
	if q.base == "" && q.scope == 0 {
		s.write(message(r.id, s.srv.rootDSE().encode(q, view{}, nil)))
		return out
	}
	if !s.who.known() {
		return out.with(codeOperationsError, bindFirst)
	}
	v := s.view()
	_, v.deleted = r.control(oidShowDeleted)
	v.deleted = v.deleted && s.who.replicates()
	if c, asked := r.control(oidDirSync); asked {
		return s.dirSync(r, q, c)
	}
	found, done, err := s.results(r, q, v)
	if err != nil {
		return out.fail(err)
	}
	for _, e := range found {
		if !s.write(message(r.id, s.srv.dom.encode(e, q, v))) {
			out.end = true
			return out
		}
	}
	if ref := s.srv.dom.reference(q); ref != "" && !done.more {
		if _, quiet := r.control(oidDomainScope); !quiet {
			s.write(message(r.id, reference(ref)))
		}
	}
	if done.paged {
		out.controls = append(out.controls, pagedControl(done.cookie))
	}
	return out.with(done.code, done.text)
}

// ending is how a search ends.
type ending struct {
	code   int
	text   string
	paged  bool
	more   bool
	cookie string
}

// results finds what to send now: everything, a page, or as much as the size limit lets through.
func (s *session) results(r request, q query, v view) ([]*entry, ending, error) {
	c, paged := r.control(oidPaged)
	size, cookie := 0, ""
	if paged {
		var ok bool
		if size, cookie, ok = decodePaged(c.value); !ok {
			return nil, ending{}, refuse(codeProtocolError, "malformed paged results control")
		}
	}
	var found []*entry
	if cookie != "" {
		i := slices.IndexFunc(s.pages, func(p page) bool { return p.cookie == cookie })
		if i < 0 {
			return nil, ending{}, refuse(codeUnwilling, "00000057: LdapErr: DSID-0C09079A, comment: Error processing control, data 0, v1db1")
		}
		found = s.pages[i].rest
		s.pages = slices.Delete(s.pages, i, i+1)
		if size == 0 { // the client gives the search up
			return nil, ending{paged: true}, nil
		}
	} else {
		var err error
		if found, err = s.srv.dom.lookup(q, v); err != nil {
			return nil, ending{}, err
		}
	}
	if paged && size > 0 {
		return s.onePage(found, min(size, maxResults))
	}
	limit := maxResults
	if q.sizeLimit > 0 {
		limit = min(limit, int(q.sizeLimit))
	}
	if len(found) > limit {
		return found[:limit], ending{code: codeSizeLimit}, nil
	}
	return found, ending{paged: paged}, nil
}

func (s *session) onePage(found []*entry, size int) ([]*entry, ending, error) {
	if len(found) <= size {
		return found, ending{paged: true}, nil
	}
	if len(s.pages) == maxPages { // the oldest is forgotten, as a domain controller does
		s.pages = slices.Delete(s.pages, 0, 1)
	}
	cookie := rand.Text()
	s.pages = append(s.pages, page{cookie: cookie, rest: found[size:]})
	return found[:size], ending{paged: true, more: true, cookie: cookie}, nil
}

// lookup evaluates a query. The entries found never change afterwards, so they may be sent without the lock.
func (d *domain) lookup(q query, v view) ([]*entry, error) {
	base, err := parseDN(q.base)
	if err != nil {
		return nil, refuse(codeInvalidDN, err.Error())
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	root := d.visible(base, v)
	if root == nil {
		return nil, refuse(codeNoSuchObject, noSuchObject(d.base))
	}
	var found []*entry
	for _, e := range d.candidates(q, root, v) {
		get := func(attr string) ([]string, bool) { return d.values(e, attr, v) }
		if q.filter.match(get) == yes {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b *entry) int {
		if order := cmp.Compare(len(a.name.norm), len(b.name.norm)); order != 0 {
			return order
		}
		return slices.Compare(a.name.norm, b.name.norm)
	})
	return found, nil
}

// reference is where a search from the top of the domain would have to go on: a domain controller always names its
// configuration partition there, and a client must not choke on it.
func (d *domain) reference(q query) string {
	base, err := parseDN(q.base)
	if err != nil || q.scope != 2 || base.key() != d.base.key() {
		return ""
	}
	return "ldap://" + d.dns + "/CN=Configuration," + d.base.String()
}

func reference(url string) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, opSearchReference, nil, "")
	p.AppendChild(octetString(url))
	return p
}

// decodePaged reads realSearchControlValue of RFC 2696.
func decodePaged(value string) (size int, cookie string, ok bool) {
	p, err := ber.DecodePacketErr([]byte(value))
	if err != nil || len(p.Children) != 2 {
		return 0, "", false
	}
	n := number(p.Children[0])
	if n < 0 || n > 1<<31-1 {
		return 0, "", false
	}
	return int(n), contents(p.Children[1]), true
}

func pagedControl(cookie string) *ber.Packet {
	value := sequence(ber.TagSequence)
	value.AppendChild(integerOf(0))
	value.AppendChild(octetString(cookie))
	p := sequence(ber.TagSequence)
	p.AppendChild(octetString(oidPaged))
	p.AppendChild(octetString(string(value.Bytes())))
	return p
}
