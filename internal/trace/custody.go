package trace

import (
	"slices"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Entry is what one lane held of the secret in one form.
type Entry struct {
	Lane   authn.Lane     `json:"lane"`
	Agent  string         `json:"-"`             // which one, on the agents' lane; "" when no step names it
	Form   authn.Form     `json:"form"`          // without the suffix of a stored one
	Stored bool           `json:"stored"`        // it outlives the sign-in
	For    time.Duration  `json:"for,omitempty"` // nanoseconds it was held; 0 when nobody saw its end
	Ended  bool           `json:"ended"`         // it is seen to have been given up
	Step   authn.StepID   `json:"step"`          // the evidence
	Steps  []authn.StepID `json:"-"`             // every step from the one where it began to the one where it ended, or to the last
}

// Ledger says who held the secret in which form, in the order in which they came to hold it. What net/http and the
// runtime copied on the way is beyond it, and so is all that happens at an identity provider.
type Ledger struct {
	Entries []Entry `json:"entries"`
	Away    bool    `json:"away"`              // part of it happened at the identity provider, not seen by us
	Missing []Gap   `json:"missing,omitempty"` // what can't be told, since the evidence is not there
}

// holder is whoever can hold a secret: a lane, or one of the agents.
type holder struct {
	lane  authn.Lane
	agent string
}

// Custody draws the ledger from the Held of each step.
func Custody(records []authn.Record) Ledger {
	l := Ledger{Missing: missing(records)}
	steps := allSteps(records)
	for _, s := range steps {
		l.Away = l.Away || s.ID == authn.F2 || s.ID == authn.F3 || s.ID == authn.F1 && s.Result == authn.StepOK // sent there
	}
	for _, r := range records {
		l.Away = l.Away || r.Reason == authn.IdPAbandoned
	}
	for _, h := range holdings(steps) {
		l.Entries = append(l.Entries, h.Entry)
	}
	return l
}

// holding is an entry with the places of the steps where it began and ended.
type holding struct {
	Entry
	first, last int
}

func holdings(steps []authn.Step) []holding {
	var all []holding
	agents := agentOf(steps)
	open := map[holder]int{} // its entry that has not ended
	for n, s := range steps {
		for _, lane := range lanes() {
			form, ok := s.Held[lane]
			if !ok {
				continue
			}
			who := holder{lane: lane}
			if lane == authn.Agent {
				who.agent = agents[n]
			}
			bare, stored := strings.CutSuffix(string(form), string(authn.Stored))
			if i, held := open[who]; held {
				if all[i].Form == authn.Form(bare) {
					continue
				}
				delete(open, who)
				if all[i].last = n; s.ID == authn.F2 { // nobody here saw the browser give it up
					all[i].last = len(steps) - 1
				} else {
					all[i].Ended, all[i].For = true, max(0, s.At.Add(s.Took).Sub(came(steps[all[i].first])))
				}
			}
			if authn.Form(bare) == authn.FormNone {
				continue
			}
			all = append(all, holding{Entry{Lane: lane, Agent: who.agent, Form: authn.Form(bare), Stored: stored, Step: s.ID}, n, n})
			if !stored { // what is stored stays; the next form in memory doesn't end it
				open[who] = len(all) - 1
			}
		}
	}
	for _, i := range open {
		all[i].last = len(steps) - 1
	}
	for i := range all {
		all[i].Steps = ids(steps[all[i].first : all[i].last+1])
	}
	return all
}

// came is when the secret of a step was there: of what came back from an identity provider at the end.
func came(s authn.Step) time.Time {
	if s.ID == authn.F2 {
		return s.At.Add(s.Took)
	}
	return s.At
}

func ids(steps []authn.Step) []authn.StepID {
	all := make([]authn.StepID, len(steps))
	for i, s := range steps {
		all[i] = s.ID
	}
	return all
}

// agentOf says for each step which agent it is about: the one that it names, or the last one that was named.
func agentOf(steps []authn.Step) []string {
	all := make([]string, len(steps))
	last := ""
	for i, s := range steps {
		if name := s.Facts[authn.FactAgent]; name != "" {
			last = name
		}
		all[i] = last
	}
	return all
}

// Clear lists the lanes that held the password in clear, in lane order.
func (l Ledger) Clear() []authn.Lane {
	var all []authn.Lane
	for _, lane := range lanes() {
		if slices.ContainsFunc(l.Entries, func(e Entry) bool { return e.Lane == lane && e.Form == authn.FormClear }) {
			all = append(all, lane)
		}
	}
	return all
}

// Stored lists what outlives the sign-in.
func (l Ledger) Stored() []Entry {
	var all []Entry
	for _, e := range l.Entries {
		if e.Stored {
			all = append(all, e)
		}
	}
	return all
}

// String is the ledger in one line.
func (l Ledger) String() string {
	var clear, sealed []string
	for _, lane := range l.Clear() {
		clear = append(clear, laneName(lane)+l.clearFor(lane))
	}
	for _, e := range l.Entries {
		if agent, ok := strings.CutPrefix(string(e.Form), "sealed:"); ok {
			sealed = append(sealed, laneName(e.Lane)+" (only "+printable(agent)+" can open it)")
		}
	}
	if l.Away {
		clear = append(clear, "browser and identity provider (not seen by us)")
	}
	line := "Password in clear: " + orNobody(clear, "nobody") + "."
	if len(sealed) > 0 {
		line += " Sealed: " + strings.Join(slices.Compact(sealed), ", ") + "."
	}
	return line + " Stored in the cloud: " + l.storedInCloud() + "."
}

// clearFor is how long a lane held it, when that was seen.
func (l Ledger) clearFor(lane authn.Lane) string {
	var total time.Duration
	for _, e := range l.Entries {
		if e.Lane == lane && e.Form == authn.FormClear && e.Ended {
			total += e.For
		}
	}
	if total == 0 {
		return ""
	}
	return " (" + ms(total) + ")"
}

func (l Ledger) storedInCloud() string {
	var all []string
	for _, e := range l.Stored() {
		if e.Lane == authn.Store && !slices.Contains(all, formName(e.Form)) {
			all = append(all, formName(e.Form))
		}
	}
	return orNobody(all, "nothing")
}

func orNobody(list []string, nobody string) string {
	if len(list) == 0 {
		return nobody
	}
	return strings.Join(list, ", ")
}

func lanes() []authn.Lane {
	return []authn.Lane{authn.Browser, authn.Gateway, authn.Store, authn.Queue, authn.Agent, authn.OnpremDir, authn.Sync, authn.IdP}
}

// laneName is the lane as a person calls it.
func laneName(l authn.Lane) string {
	switch l { //nolint:exhaustive // the others are called what they are
	case authn.OnpremDir:
		return "domain controller"
	case authn.IdP:
		return "identity provider"
	}
	return string(l)
}

// formName is the form as a person calls it.
func formName(f authn.Form) string {
	switch f { //nolint:exhaustive // the others are called what they are
	case authn.FormArgon2id:
		return "Argon2id hash"
	case authn.FormForeign:
		return "password hash from elsewhere"
	case authn.FormHashOfHash:
		return "hash of the NT hash"
	case authn.FormNTHash:
		return "NT hash"
	case authn.FormClear:
		return "clear text"
	}
	return printable(string(f))
}
