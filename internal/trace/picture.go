package trace

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// picture is a sequence diagram as data: everything in it has its place. The unit is an SVG pixel.
type picture struct {
	Width, Height int
	Head, Foot    []string // lines above and below; none when it stands in a page that says the same
	Columns       []column
	Pitch         int // from column to column
	Top, Bottom   int // of the lifelines
	Rows          []row
	Bars          []bar
	Says          string // all of it in words
}

// column is a lane, or one of its agents.
type column struct {
	holder
	X    int
	Name []string
}

type rowKind int

const (
	rowStep rowKind = iota
	rowAway         // nobody here saw what happened
	rowBack         // the browser came back
	rowEnd          // what came of it
)

// row is what stands at one height: the words on the left, the arrow between the lanes.
type row struct {
	Kind     rowKind
	Y, H     int
	ID       string
	Mark     string
	Time     string
	Text     []string
	Badges   []string
	Result   authn.StepResult
	From, To int      // places in Columns; -1: no such lane
	About    int      // the agent that it is about without touching its lane, else -1
	Words    []string // in the gap of a rowAway
}

// bar is the time during which a lane holds the secret.
type bar struct {
	Column, Top, Bottom int
	Form                barForm
}

type barForm string

const (
	barClear     barForm = "clear"
	barSealed    barForm = "sealed"
	barHash      barForm = "hash"
	barAssertion barForm = "assertion"
	barStored    barForm = "stored"
)

// Measures of the diagram.
const (
	margin    = 16
	wordsWide = 336 // the words on the left
	pitch     = 116 // from lane to lane, while there is room
	lanesWide = 760 // for all lanes
	lineHigh  = 17
	chars     = 50 // of a line of words
)

// draw lays the diagram out. bare leaves head and foot to the page around it.
func draw(a Attempt, bare bool) picture {
	records := inOrder(a.Records)
	steps := allSteps(records)
	p := picture{Columns: columns(records, steps)}
	p.Pitch = min(pitch, lanesWide/max(1, len(p.Columns)))
	p.Width = margin + wordsWide + p.lanesWidth() + margin
	y := margin
	if !bare {
		p.Head = head(records)
		y += 8 + len(p.Head)*(lineHigh+4)
	}
	for i := range p.Columns {
		p.Columns[i].X = margin + wordsWide + i*p.Pitch + p.Pitch/2
	}
	p.Top = y + 44
	y = p.Top + 6
	for _, r := range rows(records, a.Away, p) {
		r.Y = y
		y += r.H
		p.Rows = append(p.Rows, r)
	}
	p.Bottom = y
	p.Bars = bars(steps, p)
	if !bare && len(records) > 0 {
		p.Foot = Wrap(printable(Custody(records).String()), (p.Width-2*margin)/7)
	}
	p.Height = y + 40 + len(p.Foot)*lineHigh + margin
	p.Says = inWords(p)
	return p
}

// lanesWidth has room for words even where there is no lane.
func (p picture) lanesWidth() int { return max(2*pitch, len(p.Columns)*p.Pitch) }

func head(records []authn.Record) []string {
	if len(records) == 0 {
		return []string{"Nothing was recorded"}
	}
	last := records[len(records)-1]
	return []string{printable(last.Who) + " by " + last.Path().InWords(), "Correlation id " + printable(string(last.ID)) + rule(last)}
}

func rule(r authn.Record) string {
	if r.Realm.Rule == "" {
		return ""
	}
	return ", decided by the rule: " + printable(r.Realm.Rule)
}

// columns are the lanes that this sign-in touched, the agents one by one.
func columns(records []authn.Record, steps []authn.Step) []column {
	used := map[holder]bool{}
	agents := agentOf(steps)
	var names []string
	for i, s := range steps {
		for _, lane := range []authn.Lane{s.From, s.To} {
			used[holderOf(lane, agents[i])] = true
		}
		for lane := range s.Held {
			used[holderOf(lane, agents[i])] = true
		}
		if agents[i] != "" && !slices.Contains(names, agents[i]) {
			names = append(names, agents[i])
		}
	}
	for _, r := range records {
		used[holder{lane: authn.IdP}] = used[holder{lane: authn.IdP}] || r.Reason == authn.IdPAbandoned
	}
	var all []column
	for _, lane := range lanes() {
		if lane == authn.Agent {
			for _, name := range names {
				all = append(all, column{holder: holder{lane, name}, Name: append([]string{"agent"}, Wrap(printable(name), 13)[0])})
			}
		}
		if used[holder{lane: lane}] {
			all = append(all, column{holder: holder{lane: lane}, Name: Wrap(laneName(lane), 11)})
		}
	}
	return all
}

func holderOf(lane authn.Lane, agent string) holder {
	if lane == authn.Agent {
		return holder{lane, agent}
	}
	return holder{lane: lane}
}

func (p picture) column(h holder) int {
	return slices.IndexFunc(p.Columns, func(c column) bool { return c.holder == h })
}

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
		r.Badges = append(r.Badges, "fault: "+printable(s.Fault))
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

// bars are drawn from the ledger's entries. What is stored is held to the end.
func bars(steps []authn.Step, p picture) []bar {
	var at []row // of each step
	for _, r := range p.Rows {
		if r.ID != "" {
			at = append(at, r)
		}
	}
	var all []bar
	for _, h := range holdings(steps) {
		c := p.column(holderOf(h.Lane, h.Agent))
		if c < 0 || h.last >= len(at) {
			continue
		}
		b := bar{Column: c, Top: at[h.first].middle(), Bottom: at[h.last].middle(), Form: formOf(h.Entry)}
		if !h.Ended {
			b.Bottom = p.Bottom - p.Rows[len(p.Rows)-1].H
		}
		all = append(all, b)
	}
	return all
}

func (r row) middle() int { return r.Y + r.H/2 }

func formOf(e Entry) barForm {
	switch {
	case e.Stored:
		return barStored
	case e.Form == authn.FormClear:
		return barClear
	case e.Form == authn.FormAssertion:
		return barAssertion
	case strings.HasPrefix(string(e.Form), "sealed:"):
		return barSealed
	}
	return barHash
}

// inWords tells the diagram to whoever can't see it.
func inWords(p picture) string {
	var b strings.Builder
	for _, r := range p.Rows {
		what := strings.Join(append(slices.Clone(r.Text), r.Badges...), " ")
		if r.ID != "" {
			what = r.ID + ", " + p.between(r) + ": " + what
		}
		fmt.Fprintf(&b, "%s", what)
		if len(r.Words) > 0 {
			fmt.Fprintf(&b, " %s", strings.Join(r.Words, " "))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func (p picture) between(r row) string {
	name := func(i int) string {
		if i < 0 {
			return "nowhere"
		}
		return strings.Join(p.Columns[i].Name, " ")
	}
	if r.From == r.To {
		return name(r.From)
	}
	return name(r.From) + " to " + name(r.To)
}
