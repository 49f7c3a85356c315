package trace

import (
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode"

	"github.com/fourways-id/fourways/authn"
)

// entry is what a step says when it went well, was refused, or was skipped. {fact} stands for a fact's value; what stands
// in [brackets] is left out when one of its facts is missing; after a | stands what is said then.
type entry struct{ ok, refused, skipped string }

// Sentence says in plain English what a step did, with its facts. It is "" for an id that is not in the catalogue.
func Sentence(s authn.Step) string {
	e, ok := catalogue(s.ID)
	if !ok {
		return ""
	}
	template := e.ok
	switch {
	case s.ID == authn.C2 && authn.Path(s.Facts[authn.FactPath]) == authn.PathNone: // it was looked up, and it is nobody's
		template = e.refused
	case s.ID == authn.K3 && s.To == authn.Store:
		template = newPassword(s.Result)
	case s.ID == authn.H6 && s.Facts[authn.FactReason] == authn.CloudMustChange.String():
		template = rightButTemporary
	case s.Result == authn.StepRefused && e.refused != "":
		template = e.refused
	case s.Result == authn.StepRefused:
		template = "Refused[ ({reason})]: " + template
	case s.Result == authn.StepSkipped && e.skipped != "":
		template = e.skipped
	case s.Result == authn.StepSkipped:
		template = "Skipped: " + template
	}
	return expand(template, since(s))
}

func catalogue(id authn.StepID) (entry, bool) {
	for _, part := range []map[authn.StepID]entry{common(), cloud(), phs(), pta(), federated(), checks()} {
		if e, ok := part[id]; ok {
			return e, true
		}
	}
	return entry{}, false
}

func common() map[authn.StepID]entry {
	return map[authn.StepID]entry{
		authn.C1:  {ok: "The user name arrived at the gateway."},
		authn.C2:  {ok: "[The domain {domain} ]signs in[ by {path}][ at {idp}][, decided by the rule: {rule}].", refused: "No domain of ours[ ({rule})]: nobody there can be signed in."},
		authn.C3:  {ok: "The lockout counter allows a guess[; {remaining} left before a lock].", refused: "No guess is allowed now[: {reason}][, until {until}]."},
		authn.C7:  {ok: "The account is the one that was asked for, and it may sign in.", refused: "The account is not the one that was asked for, or may not sign in[: {reason}]."},
		authn.C8:  {ok: "The account's licences were read[: {licences}].", skipped: "The account's licences could not be read, which keeps nobody out."},
		authn.C9:  {ok: "A session was written down and its cookie handed to the browser."},
		authn.C10: {ok: "The gateway overwrote its copy of the password."},
	}
}

func cloud() map[authn.StepID]entry {
	return map[authn.StepID]entry{
		authn.K1: {ok: "The password arrived at the gateway."},
		authn.K2: {ok: "The account's password hash was loaded[: {scheme}][ {params}].", refused: "The account's password hash could not be loaded.", skipped: "No password hash was there to load: decoy work keeps the time the same."},
		authn.K3: {
			ok:      "The password was hashed[ with {scheme}][ {params}] and is the right one[; waited {wait} for a worker].",
			refused: "The password was hashed[ with {scheme}][ {params}] and is not the right one[; waited {wait} for a worker].",
			skipped: "The password was not checked: the hash workers had no room.",
		},
	}
}

// newPassword is what K3 says when it goes on to the store: the person chose a new password, and the old one was right.
func newPassword(r authn.StepResult) string {
	switch r {
	case authn.StepRefused:
		return "The new password was not taken: the old one stays."
	case authn.StepSkipped:
		return "The new password was not hashed: the hash workers had no room. The old one stays."
	default:
		return "The new password was hashed[ with {scheme}][ {params}], and its hash takes the old one's place[; waited {wait} for a worker]."
	}
}

// notHere is what step H0 says of a password that was changed on-premises and has not come.
const notHere = "[; changed on-premises {changed}, not yet synchronised[, {withheld}]|[; {withheld}]]"

// rightButTemporary is what step H6 says when the password was right, and is good only for changing it.
const rightButTemporary = "The result equals what was synchronised, but it is of a temporary password, which must be changed on-premises first."

func phs() map[authn.StepID]entry {
	return map[authn.StepID]entry{
		authn.H0: {
			ok:      "Earlier: [the password was set in the {source}|the password's hash was synchronised][ at {synced}][ by run {run}]" + notHere + ".",
			refused: "The synchronised hash could not be loaded.",
			skipped: "No synchronised hash was there to load" + notHere + ": decoy work keeps the time the same.",
		},
		authn.H1: {ok: "The password arrived at the gateway."},
		authn.H2: {ok: "Its NT hash was computed (MD4), as the premises hold it."},
		authn.H3: {ok: "The 16 bytes were written as hexadecimal text[: {length} bytes]."},
		authn.H4: {ok: "The account's own salt was added[: {length} bytes].", skipped: "A decoy's salt was added[: {length} bytes]."},
		authn.H5: {ok: "PBKDF2-HMAC-SHA256 was run[ {rounds} times over][; waited {wait} for a worker]."},
		authn.H6: {ok: "The result equals what was synchronised.", refused: "The result is not what was synchronised[: {reason}]."},
	}
}

func pta() map[authn.StepID]entry {
	return map[authn.StepID]entry{
		authn.P1: {ok: "The password arrived at the gateway."},
		authn.P2: {ok: "[The agent {agent}|An agent] was chosen.", refused: "[The agent {agent} was chosen in vain|No agent could be chosen][: {reason}]."},
		authn.P3: {ok: "The password was sealed so that only [{agent}|the chosen agent] can open it[ ({algorithm})].", refused: "The password could not be sealed[: {reason}].", skipped: "Nothing of the password was sealed, since nobody here has that name: a request of the same size was."},
		authn.P4: {ok: "The sealed request went to the agent over the connection that it had opened[; waited {wait}].", refused: "The sealed request was not taken in time[: {reason}]."},
		authn.P5: {ok: "The agent[ {agent}] opened the request in its memory.", refused: "The agent[ {agent}] could not open the request[: {reason}]."},
		authn.P6: {ok: "The agent[ {agent}] bound to the directory[ at {server}][ as its own {decoy}, since nobody here has that name].", refused: "The agent's bind[ at {server}] did not succeed[: {reason}]."},
		authn.P7: {ok: "The directory said yes[ (LDAP code {code})].", refused: "The directory did not say yes[ (LDAP code {code}[, data {data}])][: {reason}].", skipped: "What the directory said[ (LDAP code {code})] is about the agent's own account: it decides nothing."},
		authn.P8: {ok: "The agent signed its answer and sent it back.", refused: "No good answer came back[: {reason}]."},
		authn.P9: {ok: "The answer's signature is the agent's, and it belongs to this request.", refused: "The answer was not accepted[: {reason}]."},
	}
}

func federated() map[authn.StepID]entry {
	return map[authn.StepID]entry{
		authn.F1: {ok: "A sign-in request was made for [{idp}|the identity provider][ ({protocol}[, by {binding}])][; its issuer is {issuer}].", refused: "No sign-in request could be made[ for {idp}][: {reason}]."},
		authn.F2: {ok: "The person was away at [{idp}|the identity provider]: not seen by us."},
		authn.F3: {ok: "The browser carried back an answer[ of {idp}][, by {binding}][, {length} bytes].", refused: "The browser carried back no answer that can be used[: {reason}]."},
		authn.F5: {ok: "The code was exchanged for tokens and the provider's keys were read[ ({algorithm})].", refused: "The code could not be exchanged for tokens[: {reason}]."},
	}
}

func checks() map[authn.StepID]entry {
	check := func(what string) entry {
		return entry{
			ok:      "Checked: " + what + "[ ({got})].",
			refused: "Refused, since this does not hold: " + what + "[; expected {expected}][; got {got}][: {reason}].",
			skipped: "Not checked: " + what + ".",
		}
	}
	return map[authn.StepID]entry{
		authn.F4Structure:  check("the answer has the shape that it must have"),
		authn.F4Signature:  check("the signature is the provider's[, {algorithm}]"),
		authn.F4Issuer:     check("the issuer is the configured one"),
		authn.F4Realm:      check("the provider may speak for the person's domain"),
		authn.F4Audience:   check("the answer is meant for this gateway"),
		authn.F4Recipient:  check("the answer was sent to this address"),
		authn.F4InResponse: check("the answer belongs to the request that this browser began"),
		authn.F4Time:       check("the answer is neither too old nor too new[, good until {until}]"),
		authn.F4Replay:     check("the answer was not used before"),
		authn.F4Subject:    check("the provider named one person, in the form that was agreed[, by {match}]"),
	}
}

// expand fills a template. Brackets may be nested once.
func expand(template string, facts map[authn.Fact]string) string {
	out, _, _ := expandUntil(template, facts)
	out = strings.TrimSpace(strings.Join(strings.Fields(out), " "))
	if out == "" {
		return out
	}
	return strings.ToUpper(out[:1]) + out[1:]
}

// expandUntil works up to the closing bracket; whole is false when a fact was missing.
func expandUntil(t string, facts map[authn.Fact]string) (out, rest string, whole bool) {
	var b strings.Builder
	whole = true
	for t != "" {
		switch t[0] {
		case '[':
			inner, after, ok := expandUntil(t[1:], facts)
			if ok {
				b.WriteString(inner)
			}
			t = after
		case '|':
			other, after, _ := expandUntil(t[1:], facts)
			if whole {
				other = b.String()
			}
			return other, after, true
		case ']':
			return b.String(), t[1:], whole
		case '{':
			name, after, _ := strings.Cut(t[1:], "}")
			value := inWords(authn.Fact(name), facts[authn.Fact(name)])
			whole = whole && value != ""
			b.WriteString(value)
			t = after
		default:
			n := strings.IndexAny(t, "[]{|")
			if n < 0 {
				n = len(t)
			}
			b.WriteString(t[:n])
			t = t[n:]
		}
	}
	return b.String(), "", whole
}

// since gives the facts of a step, with the time of a change as the span until the step.
func since(s authn.Step) map[authn.Fact]string {
	at, err := time.Parse(time.RFC3339, s.Facts[authn.FactChanged])
	if err != nil {
		return s.Facts
	}
	facts := maps.Clone(s.Facts)
	facts[authn.FactChanged] = clock(s.At.Sub(at)) + " ago"
	return facts
}

// clock is a span in minutes and seconds, with hours from the first on.
func clock(d time.Duration) string {
	d = max(0, d).Round(time.Second)
	h, m, s := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	if h > 0 {
		return fmt.Sprintf("%d:%02d:%02d", h, m, s)
	}
	return fmt.Sprintf("%d:%02d", m, s)
}

// withheld says why a hash stays on-premises.
func withheld(why string) string {
	switch why {
	case "temporary":
		return "withheld until it is changed"
	case "filtered":
		return "withheld by its adminDescription"
	case "missing", "malformed":
		return "its hash is " + why
	default:
		return why
	}
}

// inWords is a fact's value as it stands in a sentence.
func inWords(f authn.Fact, value string) string {
	switch f { //nolint:exhaustive // the others stand there as they are
	case authn.FactPath:
		value = authn.Path(value).InWords()
	case authn.FactWithheld:
		value = withheld(value)
	case authn.FactWait:
		if wait, err := time.ParseDuration(value); err == nil {
			value = ms(wait)
		}
	}
	return printable(value)
}

// printable keeps characters that steer a terminal, or hide, out of it.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
