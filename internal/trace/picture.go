package trace

import (
	"fmt"
	"slices"
	"strings"

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
	Beside              int // how many others it stands beside
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
	chars     = 47 // of a line of words
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
	p.Says = says(p)
	return p
}

// lanesWidth has room for words even where there is no lane.
func (p picture) lanesWidth() int { return max(2*pitch, len(p.Columns)*p.Pitch) }

func head(records []authn.Record) []string {
	if len(records) == 0 {
		return []string{"Nothing was recorded"}
	}
	last := records[len(records)-1]
	return []string{printable(last.Who) + " " + byPath(last), "Correlation id " + printable(string(last.ID)) + rule(last)}
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
		for _, other := range all {
			if other.Column == b.Column && other.Top < b.Bottom && b.Top < other.Bottom {
				b.Beside++
			}
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

// says tells the diagram to whoever can't see it.
func says(p picture) string {
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
