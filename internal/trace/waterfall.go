package trace

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Waterfall writes a bar for each step, to scale, as an SVG picture. Time that the person took (another page, another
// provider) is cut out and drawn as a gap of its own; time that no step accounts for has a line of its own.
func Waterfall(w io.Writer, a Attempt) error {
	return write(w, "the waterfall", waterfall(a, false))
}

// Measures of the waterfall.
const (
	barsFrom  = 165 // the ids stand before it
	barsWide  = 760
	timesWide = 150
	gapWide   = 70
	barHigh   = 22
)

// piece is a stretch of time in which the gateway was at work on a Record, or the gap before it.
type piece struct {
	from, to time.Time
	gap      bool
	x, wide  float64
}

// pieces lay the time of all Records out, from the left to the right.
func pieces(records []authn.Record) []piece {
	var all []piece
	var total time.Duration
	for _, r := range records {
		from, to := span(r)
		if n := len(all); n > 0 {
			if from.Before(all[n-1].to) {
				from = all[n-1].to
			}
			to = later(from, to)
			if from.After(all[n-1].to) {
				all = append(all, piece{from: all[n-1].to, to: from, gap: true})
			}
		}
		all = append(all, piece{from: from, to: to})
		total += to.Sub(from)
	}
	room := float64(barsWide)
	for _, p := range all {
		if p.gap {
			room -= gapWide
		}
	}
	x := float64(barsFrom)
	for i, p := range all {
		all[i].x, all[i].wide = x, gapWide
		if !p.gap {
			all[i].wide = max(room, gapWide) * float64(p.to.Sub(p.from)) / max(float64(total), 1)
		}
		x += all[i].wide
	}
	return all
}

// span is when the gateway worked on a Record: from its first step but F2, which lies before it, to its end.
func span(r authn.Record) (from, to time.Time) {
	from, to = r.At, r.At.Add(max(0, r.Took))
	for _, s := range r.Steps {
		if s.ID != authn.F2 {
			if s.At.Before(from) {
				from = s.At
			}
			to = later(to, s.At.Add(s.Took))
		}
	}
	return from, later(from, to)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// place finds where a moment stands.
func place(all []piece, at time.Time) float64 {
	for _, p := range all {
		if !at.After(p.to) {
			if !at.After(p.from) {
				return p.x
			}
			return p.x + p.wide*float64(at.Sub(p.from))/float64(p.to.Sub(p.from))
		}
	}
	if len(all) == 0 {
		return barsFrom
	}
	return all[len(all)-1].x + all[len(all)-1].wide
}

// idle lists the stretches of the pieces that no step accounts for.
func idle(all []piece, steps []authn.Step) []piece {
	steps = slices.SortedStableFunc(slices.Values(steps), func(a, b authn.Step) int { return a.At.Compare(b.At) })
	var out []piece
	for _, p := range all {
		if p.gap {
			continue
		}
		at := p.from
		for _, s := range steps {
			if s.ID == authn.F2 || s.At.After(p.to) {
				continue
			}
			if s.At.After(at) {
				out = append(out, piece{from: at, to: s.At})
			}
			at = later(at, s.At.Add(s.Took))
		}
		if p.to.After(at) {
			out = append(out, piece{from: at, to: p.to})
		}
	}
	return out
}

func waterfall(a Attempt, bare bool) *canvas {
	records := inOrder(a.Records)
	steps, all := allSteps(records), pieces(records)
	unaccounted := idle(all, steps)
	top := margin + 8
	if !bare {
		top += 30
	}
	height := top + barHigh*(len(steps)+1) + 50
	c := newCanvas(prefix(a)+"-waterfall", barsFrom+barsWide+timesWide, height, "Waterfall: "+headline(a), waterfallWords(steps, unaccounted), !bare)
	if !bare {
		c.text(margin, margin+lineHigh, "big", strings.Join(head(records)[:1], ""))
	}
	bottom := top + barHigh*(len(steps)+1)
	c.scale(all, top, bottom)
	for i, s := range steps {
		y := top + i*barHigh
		c.text(margin, y+15, "bold", mark(s.Result)+" "+printable(string(s.ID)))
		from, to := place(all, s.At), place(all, s.At.Add(max(0, s.Took)))
		if s.ID == authn.F2 {
			c.filled(int(from), y+4, max(int(to-from), 3), barHigh-8, "away", "away")
		} else {
			c.rect(int(from), y+4, max(int(to-from), 3), barHigh-8, "step "+string(row{Result: s.Result}.plain()))
		}
		c.text(int(max(to, from+3))+6, y+15, "small", ms(s.Took)+notes(s))
	}
	y := top + len(steps)*barHigh
	c.text(margin, y+15, "soft", "in no step")
	var sum time.Duration
	for _, u := range unaccounted {
		from, to := place(all, u.from), place(all, u.to)
		sum += u.to.Sub(u.from)
		c.filled(int(from), y+6, max(int(to-from), 1), barHigh-12, "nobody", "away")
	}
	c.text(barsFrom+barsWide+6, y+15, "small soft", ms(sum))
	c.end()
	return c
}

func notes(s authn.Step) string {
	note := ""
	switch s.Result {
	case authn.StepRefused:
		note = ", refused"
	case authn.StepSkipped:
		note = ", skipped"
	case authn.StepOK:
	}
	if s.ID == authn.F2 {
		note += ", not seen by us"
	}
	if s.Simulated {
		note += ", simulated"
	}
	if s.Fault != "" {
		note += ", fault"
	}
	return note
}

// scale draws where each piece begins and ends, and what each gap was.
func (c *canvas) scale(all []piece, top, bottom int) {
	var worked time.Duration
	for i, p := range all {
		x := int(p.x)
		if p.gap {
			c.filled(x, top, int(p.wide), bottom-top, "plate", "away")
			c.text(x+int(p.wide)/2, bottom+16, "small mid soft", "gap of")
			c.text(x+int(p.wide)/2, bottom+31, "small mid soft", ms(p.to.Sub(p.from)))
			continue
		}
		c.line(x, top, x, bottom, "grid")
		c.line(x+int(p.wide), top, x+int(p.wide), bottom, "grid")
		if i == 0 {
			c.text(x, bottom+16, "small soft", "0")
		}
		worked += p.to.Sub(p.from)
		if i == len(all)-1 {
			c.text(barsFrom+barsWide+6, bottom+16, "small soft", ms(worked)+" at work") // beside the scale: a gap may be last
		}
	}
}

func waterfallWords(steps []authn.Step, unaccounted []piece) string {
	var b strings.Builder
	for _, s := range steps {
		fmt.Fprintf(&b, "%s took %s%s.\n", printable(string(s.ID)), ms(s.Took), notes(s))
	}
	var sum time.Duration
	for _, u := range unaccounted {
		sum += u.to.Sub(u.from)
	}
	fmt.Fprintf(&b, "%s were in no step.\n", ms(sum))
	return b.String()
}
