package trace

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/fourways-id/fourways/authn"
)

// Redaction says what an export leaves out of what it tells of people. A secret is in none of them: no Record has one.
type Redaction string

// The closed list of redactions.
const (
	Mask     Redaction = "mask"   // people's names and addresses are made unreadable, the same person the same way
	Remove   Redaction = "remove" // and they are left out, with all that others wrote and with the names of machines
	Unmasked Redaction = "none"
)

// Redactions lists them, the default first.
func Redactions() []Redaction { return []Redaction{Mask, Remove, Unmasked} }

// ParseRedaction finds a redaction by its name.
func ParseRedaction(name string) (Redaction, error) {
	if r := Redaction(name); slices.Contains(Redactions(), r) {
		return r, nil
	}
	return Mask, fmt.Errorf("%q is no redaction: there are mask, remove and none", name)
}

// Redact gives a copy of the attempt that may be shown to others. Whatever is no known redaction masks.
func Redact(a Attempt, how Redaction) Attempt {
	if how == Unmasked {
		return a
	}
	m := masker{how: how}
	for _, r := range a.Records {
		m.know(r.Who, r.Name)
	}
	for _, l := range a.Away {
		m.know(l.Who)
	}
	var out Attempt
	for _, r := range a.Records {
		out.Records = append(out.Records, m.record(r))
	}
	for _, l := range a.Away {
		l.Who = m.person(l.Who)
		l.Result, l.Reason = m.text(l.Result), m.text(l.Reason)
		if how == Remove {
			l.Request, l.Reason = "", ""
		}
		out.Away = append(out.Away, l)
	}
	return out
}

// masker hides the people of one attempt.
type masker struct {
	how    Redaction
	people []string // names that occur in texts
}

func (m *masker) know(names ...string) {
	for _, name := range names {
		if len(name) > 2 && !slices.Contains(m.people, name) {
			m.people = append(m.people, name)
		}
	}
	slices.SortStableFunc(m.people, func(a, b string) int { return len(b) - len(a) }) // a name within a name comes later
}

func (m *masker) record(r authn.Record) authn.Record {
	r.Who, r.Name = m.person(r.Who), m.person(r.Name)
	r.Proof.IdPSession = ""
	r.Cause = m.text(r.Cause)
	r.Place.Addr = coarse(r.Place.Addr)
	if m.how == Remove {
		r.Account, r.Place, r.Cause = "", authn.Place{}, ""
		r.Realm = authn.Realm{Path: r.Realm.Path, Protocol: r.Realm.Protocol, Match: r.Realm.Match}
	}
	steps := make([]authn.Step, 0, len(r.Steps))
	for _, s := range r.Steps {
		steps = append(steps, m.step(s))
	}
	r.Steps = steps
	return r
}

func (m *masker) step(s authn.Step) authn.Step {
	facts := map[authn.Fact]string{}
	for k, v := range s.Facts {
		switch {
		case m.how == Remove && slices.Contains(telling(), k):
		case s.ID == authn.F4Subject && k == authn.FactGot: // whom the provider named
			facts[k] = m.person(v)
		default:
			facts[k] = m.text(v)
		}
	}
	s.Facts = facts
	return s
}

// telling are the facts that name somebody's machines, or hold what others wrote.
func telling() []authn.Fact {
	return []authn.Fact{
		authn.FactDomain, authn.FactRule, authn.FactServer, authn.FactIdP, authn.FactIssuer, authn.FactRequest, authn.FactExpected, authn.FactGot, authn.FactRun,
	}
}

// address is what looks like a user name or a mail address.
var address = regexp.MustCompile(`[^\s"'<>()\[\],;:@]+@[^\s"'<>()\[\],;:@]+`)

// text masks the people that are named in it.
func (m *masker) text(s string) string {
	for _, name := range m.people {
		s = replaceFold(s, name, m.person(name))
	}
	return address.ReplaceAllStringFunc(s, m.person)
}

// replaceFold replaces old whatever its case.
func replaceFold(s, old, fresh string) string {
	old, s = strings.ToValidUTF8(old, "?"), strings.ToValidUTF8(s, "?") // an expression must be
	return regexp.MustCompile(`(?i)`+regexp.QuoteMeta(old)).ReplaceAllLiteralString(s, fresh)
}

// person masks a name: alice@example.com is a***e@example.com, Alice Adams is A***e A***s. One word alone may be anything
// that was typed, a password in the wrong field too: nothing is left of it.
func (m *masker) person(name string) string {
	switch {
	case name == "":
		return ""
	case m.how == Remove:
		return "somebody"
	}
	local, domain, isUPN := strings.Cut(name, "@")
	words := strings.Fields(local)
	if !isUPN && len(words) == 1 {
		return "***"
	}
	for i, w := range words {
		words[i] = hide(w)
	}
	masked := strings.Join(words, " ")
	if isUPN {
		masked += "@" + domain
	}
	return masked
}

// hide keeps the ends of a word that is long enough. A word that is hidden already stays as it is.
func hide(word string) string {
	runes := []rune(word)
	switch {
	case len(runes) == 5 && string(runes[1:4]) == "***":
		return word
	case len(runes) < 4:
		return "***"
	}
	return string(runes[0]) + "***" + string(runes[len(runes)-1])
}

// coarse keeps of an address where about it is: 16 bits, of IPv6 32.
func coarse(a netip.Addr) netip.Addr {
	bits := 16
	if a.Is6() {
		bits = 32
	}
	p, err := a.Prefix(bits)
	if err != nil { // no address
		return netip.Addr{}
	}
	return p.Addr()
}
