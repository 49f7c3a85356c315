package trace

import (
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// rows lays the steps of all Records out, in their order; Y is not set yet.
func rows(records []authn.Record, away []Away, p picture) []row {
	var all []row
	steps := allSteps(records)
	agents := agentOf(steps)
	n := 0
	for i, r := range records {
		if i > 0 && len(r.Steps) > 0 && r.Steps[0].ID != authn.F2 {
			all = append(all, row{Kind: rowBack, H: 30, From: -1, To: -1, About: -1, Text: []string{"The browser came back after " + ms(r.At.Sub(records[i-1].At)) + "."}})
		}
		for _, s := range r.Steps {
			next := stepRow(s, r.Began, agents[n], p)
			if s.ID == authn.F2 {
				next.awayAt(away, s.Took, p)
				away = nil
			}
			all = append(all, next)
			n++
		}
		if r.Reason == authn.IdPAbandoned {
			gone := row{Text: Wrap("The person went to the identity provider and did not come back.", chars), From: -1, To: -1, About: -1}
			gone.awayAt(away, 0, p)
			away = nil
			all = append(all, gone)
		}
	}
	if len(away) > 0 {
		late := row{Text: []string{"What the identity provider wrote of it"}, From: -1, To: -1, About: -1}
		late.awayAt(away, 0, p)
		all = append(all, late)
	}
	if len(records) > 0 {
		all = append(all, endRow(records[len(records)-1]))
	}
	return all
}

func stepRow(s authn.Step, began time.Time, agent string, p picture) row {
	what := Sentence(s)
	if what == "" {
		what = "A step that is not in the catalogue."
	}
	r := row{
		ID: printable(string(s.ID)), Mark: mark(s.Result), Time: "at " + ms(s.At.Sub(began)) + ", took " + ms(s.Took), Text: Wrap(what, chars), Result: s.Result,
		From: p.column(holderOf(s.From, agent)), To: p.column(holderOf(s.To, agent)), About: -1,
	}
	if s.Result == authn.StepRefused {
		r.Badges = append(r.Badges, "refused")
	}
	if s.Simulated {
		r.Badges = append(r.Badges, "simulated")
	}
	if s.Fault != "" {
		r.Badges = append(r.Badges, Wrap("fault: "+printable(s.Fault), 44)[0])
	}
	if s.Facts[authn.FactAgent] != "" && s.From != authn.Agent && s.To != authn.Agent {
		r.About = p.column(holder{authn.Agent, s.Facts[authn.FactAgent]})
	}
	r.H = lineHigh*(1+len(r.Text)) + 16
	if len(r.Badges) > 0 {
		r.H += 22
	}
	return r
}

// awayAt makes r the gap in which nobody here was looking. What the identity provider wrote stands in it as its own words.
func (r *row) awayAt(away []Away, took time.Duration, p picture) {
	r.Kind = rowAway
	r.Words = []string{"not seen by us"}
	if took > 0 {
		r.Words[0] += ", " + ms(took)
	}
	if len(away) > 0 {
		r.Words = append(r.Words, "The identity provider's own words:")
	}
	for _, a := range away {
		r.Words = append(r.Words, Wrap(a.words(), max(20, p.lanesWidth()/7-6))...)
	}
	r.H = max(lineHigh*(1+len(r.Text))+16+22*min(1, len(r.Badges)), lineHigh*len(r.Words)+44)
}

func (a Away) words() string {
	line := a.At.UTC().Format("15:04:05.000 MST") + "  " + printable(a.Who) + ": " + printable(a.Result)
	if a.Reason != "" {
		line += " (" + printable(a.Reason) + ")"
	}
	return line
}

func endRow(last authn.Record) row {
	said, cause, _ := strings.Cut(verdict(last), "\n")
	text := Wrap(strings.TrimSpace(said), chars-8)
	if cause != "" {
		text = append(text, Wrap(strings.TrimSpace(cause), chars)...)
	}
	return row{Kind: rowEnd, H: lineHigh*len(text) + 24, Text: text, From: -1, To: -1, About: -1}
}
