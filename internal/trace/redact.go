package trace

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

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
		for _, s := range r.Steps {
			if s.ID == authn.F4Subject {
				m.know(s.Facts[authn.FactGot])
			}
		}
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
	people []known // names that occur in texts
	words  []known // of which they are made
}

// known is a name with the expression that finds it.
type known struct {
	name string
	find *regexp.Regexp
}

// add keeps the longest first: a name within a name comes later.
func add(to []known, name string) []known {
	if slices.ContainsFunc(to, func(k known) bool { return k.name == name }) {
		return to
	}
	valid := strings.ToValidUTF8(name, "?") // an expression must be
	to = append(to, known{name, regexp.MustCompile(`(?i)` + regexp.QuoteMeta(valid))})
	slices.SortStableFunc(to, func(a, b known) int { return len(b.name) - len(a.name) })
	return to
}

func (m *masker) know(names ...string) {
	for _, name := range names {
		if len(name) > 2 {
			m.people = add(m.people, name)
		}
		local, _, _ := strings.Cut(name, "@")
		for _, word := range append(strings.Fields(local), local) {
			if len(word) > 1 {
				m.words = add(m.words, word)
			}
		}
	}
}

func (m *masker) record(r authn.Record) authn.Record {
	r.Who, r.Name, r.Account = m.person(r.Who), m.person(r.Name), ""
	r.Cause, r.Realm.Rule = m.text(r.Cause), m.text(r.Realm.Rule)
	r.Place = authn.Place{Addr: coarse(r.Place.Addr), UserAgent: m.text(r.Place.UserAgent), App: m.text(r.Place.App)}
	r.Proof.IdPSession, r.Proof.Context = "", m.text(r.Proof.Context)
	methods := slices.Clone(r.Proof.Methods)
	for i := range methods {
		methods[i] = m.text(methods[i])
	}
	r.Proof.Methods = methods
	if m.how == Remove {
		r.Place, r.Cause, r.Proof.Context = authn.Place{}, "", ""
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
		case k == authn.FactAgent || k == authn.FactPath: // ours, and others point to them
			facts[k] = v
		case m.how == Remove && !slices.Contains(harmless(), k):
		case s.ID == authn.F4Subject && k == authn.FactGot: // whom the provider named
			facts[k] = m.person(v)
		default:
			facts[k] = m.text(v)
		}
	}
	s.Facts, s.Fault = facts, m.text(s.Fault)
	return s
}

// harmless are the facts that name nobody's machines and hold nothing that others wrote freely.
func harmless() []authn.Fact {
	return []authn.Fact{
		authn.FactReason, authn.FactCode, authn.FactData, authn.FactScheme, authn.FactParams, authn.FactWait, authn.FactSynced, authn.FactChanged,
		authn.FactRounds, authn.FactProtocol, authn.FactBinding, authn.FactMatch, authn.FactRemaining, authn.FactUntil, authn.FactAlgorithm,
		authn.FactLength, authn.FactDecoy, authn.FactWithheld, authn.FactSource,
	}
}

var (
	// address is what looks like a user name or a mail address, in a URL too.
	address = regexp.MustCompile(`[^\s"'<>()\[\],;:@][^\s"<>()\[\],;:@]*(?:@|%40)[^\s"'<>()\[\],;:@]+`)
	// named is a part of a distinguished name or of a filter that names a person (RFC 4514, RFC 4519), or a down-level name.
	named = regexp.MustCompile(`(?i)\b(cn|uid|sn|givenName|displayName|sAMAccountName|userPrincipalName|mail)=(?:\\.|[^,+)"\\])+|\b[\w.-]+\\[\w.-]+`)
)

// text masks the people that are named in it, in whole or in part.
func (m *masker) text(s string) string {
	for _, name := range m.people {
		s = m.replace(s, name, false)
	}
	s = address.ReplaceAllStringFunc(s, func(a string) string { return m.person(strings.ReplaceAll(a, "%40", "@")) })
	s = named.ReplaceAllStringFunc(s, func(n string) string {
		if kind, _, ok := strings.Cut(n, "="); ok {
			return kind + "=***"
		}
		return "***"
	})
	for _, word := range m.words {
		s = m.replace(s, word, true)
	}
	return s
}

// replace masks a name whatever its case; alone: only where it isn't a part of a longer word.
func (m *masker) replace(s string, who known, alone bool) string {
	s = strings.ToValidUTF8(s, "?")
	var b strings.Builder
	from := 0
	for _, at := range who.find.FindAllStringIndex(s, -1) {
		before, _ := utf8.DecodeLastRuneInString(s[:at[0]])
		after, _ := utf8.DecodeRuneInString(s[at[1]:])
		if alone && (inWord(before) || inWord(after)) {
			continue
		}
		b.WriteString(s[from:at[0]] + m.person(who.name))
		from = at[1]
	}
	return b.String() + s[from:]
}

// inWord says that a name beside which r stands is a part of something else: *, of what is masked already.
func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '*' }

// person masks a name: alice@example.com is a***e@example.com, Alice Adams is A***e A***s. One word alone, or with an @ and
// no domain behind it, may be anything that was typed, a password in the wrong field too: nothing is left of it.
func (m *masker) person(name string) string {
	switch {
	case name == "":
		return ""
	case m.how == Remove:
		return "somebody"
	}
	local, domain, isUPN := strings.Cut(name, "@")
	words := strings.Fields(local)
	if isUPN && authn.ParseIdentifier(name).Domain() == "" || !isUPN && len(words) == 1 {
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
