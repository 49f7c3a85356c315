package trace

import (
	"fmt"
	"io"

	"github.com/fourways-id/fourways/authn"
)

// SVG writes the sequence diagram as one picture that needs nothing else: light or dark as its reader has it, with every
// step also in words. The bars on the lanes are the custody of the secret.
func SVG(w io.Writer, a Attempt) error {
	return write(w, "the sequence diagram", diagram(a, false))
}

func write(w io.Writer, what string, c *canvas) error {
	if _, err := w.Write(c.Bytes()); err != nil {
		return fmt.Errorf("write %s: %w", what, err)
	}
	return nil
}

func diagram(a Attempt, bare bool) *canvas {
	p := draw(a, bare)
	c := newCanvas(prefix(a)+"-diagram", p.Width, p.Height, "Sequence diagram: "+headline(a), p.Says, !bare)
	y := margin + lineHigh
	for i, line := range p.Head {
		class := "soft"
		if i == 0 {
			class = "big"
		}
		c.text(margin, y, class, line)
		y += lineHigh + 4
	}
	c.lanes(p)
	for _, r := range p.Rows {
		c.line(margin, r.Y, p.Width-margin, r.Y, "rule")
	}
	for _, b := range p.Bars {
		c.bar(p.Columns[b.Column].X-5+7*b.Beside, b.Top, 10, b.Bottom-b.Top, b.Form)
	}
	for i, r := range p.Rows {
		fmt.Fprintf(c, "<g class=\"row\" data-row=\"%d\">\n", i)
		c.rect(0, r.Y, margin+wordsWide-10, r.H, "cursor")
		c.row(p, r)
		c.WriteString("</g>\n")
	}
	c.legend(p)
	for i, line := range p.Foot {
		c.text(margin, p.Bottom+40+lineHigh*(i+1), "soft", line)
	}
	c.end()
	return c
}

func prefix(a Attempt) string {
	if len(a.Records) == 0 {
		return "t-none"
	}
	return anchor(string(a.Records[0].ID))
}

// headline is one sentence: who, by which path, and what came of it.
func headline(a Attempt) string {
	records := inOrder(a.Records)
	if len(records) == 0 {
		return "nothing was recorded"
	}
	last := records[len(records)-1]
	return printable(last.Who) + " " + byPath(last) + ", " + last.Verdict.String()
}

func (c *canvas) lanes(p picture) {
	for _, col := range p.Columns {
		c.line(col.X, p.Top, col.X, p.Bottom, "life")
		c.rect(col.X-p.Pitch/2+4, p.Top-42, p.Pitch-8, 42, "lane")
		y := p.Top - 16
		if len(col.Name) > 1 {
			y -= 8
		}
		for i, name := range col.Name {
			c.text(col.X, y+i*16, "mid bold", name)
		}
	}
}

func (c *canvas) bar(x, y, w, h int, form barForm) {
	switch form {
	case barClear, barAssertion:
		c.rect(x, y, w, h, "hold "+string(form))
	case barSealed, barHash, barStored:
		c.filled(x, y, w, h, "hold", string(form))
	}
}

func (c *canvas) row(p picture, r row) {
	switch r.Kind {
	case rowBack:
		c.text(margin, r.Y+20, "soft", r.Text[0])
		return
	case rowEnd:
		for i, line := range r.Text {
			class := "soft"
			if i == 0 {
				class = "bold"
			}
			c.text(margin, r.Y+24+i*lineHigh, class, line)
		}
		return
	case rowAway:
		c.away(p, r)
	case rowStep:
	}
	y := r.Y + lineHigh + 2
	if r.ID != "" {
		c.text(margin, y, "bold", r.Mark+" "+r.ID)
		c.text(margin+wordsWide-20, y, "small soft end", r.Time)
		y += lineHigh
	}
	for _, line := range r.Text {
		c.text(margin, y, "", line)
		y += lineHigh
	}
	x := margin
	for _, word := range r.Badges {
		class := ""
		if word == "refused" {
			class = "refused"
		}
		x += c.badge(x, y-9, class, word) + 6
	}
	if r.Kind == rowStep {
		c.arrow(p, r)
	}
}

// arrow draws a step between its lanes, or on its one lane. Refused: a cross; skipped: a broken line.
func (c *canvas) arrow(p picture, r row) {
	if r.From < 0 || r.To < 0 {
		return
	}
	y, from, to := r.middle(), p.Columns[r.From].X, p.Columns[r.To].X
	if r.About >= 0 {
		x := p.Columns[r.About].X
		c.line(to, y, x, y, "about")
		fmt.Fprintf(c, "<circle cx=\"%d\" cy=\"%d\" r=\"5\" class=\"ring\"/>\n", x, y)
	}
	class := "arrow " + string(r.plain())
	mid := (from + to) / 2
	cross := to - (to-from)/4
	if from == to {
		fmt.Fprintf(c, "<path d=\"M%d %dh20v14h-18\" class=\"%s\" marker-end=\"url(#%s-head)\"/>\n", from, y-7, class, c.prefix)
		mid, cross = from+20, from+20
		c.label(mid+8+len(r.ID)*7/2, y+4, r.ID)
	} else {
		tip := to + 6*sign(from-to) // beside the bar
		fmt.Fprintf(c, "<path d=\"M%d %dH%d\" class=\"%s\" marker-end=\"url(#%s-head)\"/>\n", from, y, tip, class, c.prefix)
		c.label(mid, y-6, r.ID)
	}
	if r.Result == authn.StepRefused {
		fmt.Fprintf(c, "<path d=\"M%d %dl12 12m0 -12l-12 12\" class=\"arrow refused\"/>\n", cross-6, y-6)
	}
}

func (c *canvas) label(x, y int, text string) {
	c.rect(x-len(text)*7/2-3, y-11, len(text)*7+6, 14, "plate")
	c.text(x, y, "small mid bold", text)
}

// plain keeps a result that nobody knows out of the class.
func (r row) plain() authn.StepResult {
	if r.Result == authn.StepRefused || r.Result == authn.StepSkipped {
		return r.Result
	}
	return authn.StepOK
}

func sign(n int) int {
	if n < 0 {
		return -1
	}
	return 1
}

// away hatches what nobody here saw.
func (c *canvas) away(p picture, r row) {
	left, wide := margin+wordsWide+2, p.lanesWidth()-4
	c.filled(left, r.Y+5, wide, r.H-10, "away", "away")
	high := lineHigh*len(r.Words) + 14
	widest := 0
	for _, line := range r.Words {
		widest = max(widest, len([]rune(line)))
	}
	plate := min(wide-8, widest*7+28)
	top := r.middle() - high/2
	c.rect(left+(wide-plate)/2, top, plate, high, "plate")
	for i, line := range r.Words {
		class := "mid"
		if i == 0 {
			class = "mid bold"
		}
		c.text(left+wide/2, top+lineHigh*(i+1)+1, class, line)
	}
}

// legend explains the bars that occur.
func (c *canvas) legend(p picture) {
	x, y := margin, p.Bottom+18
	for _, l := range []struct {
		form barForm
		says string
	}{
		{barClear, "password in clear"},
		{barSealed, "sealed"},
		{barHash, "as a hash"},
		{barAssertion, "an assertion"},
		{barStored, "stored: outlives the sign-in"},
	} {
		for _, b := range p.Bars {
			if b.Form == l.form {
				c.bar(x, y, 10, 16, l.form)
				c.text(x+16, y+13, "small", l.says)
				x += 16 + len(l.says)*7 + 18
				break
			}
		}
	}
}
