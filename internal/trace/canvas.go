package trace

import (
	"bytes"
	_ "embed" // the look
	"encoding/xml"
	"fmt"
	"strings"
)

//go:embed look/picture.css
var pictureLook string

// canvas collects an SVG picture. Text is escaped here and nowhere else: what others chose never becomes markup.
type canvas struct {
	bytes.Buffer
	prefix string // of every id, so that several pictures can stand in one page
}

// newCanvas begins a picture. A picture on its own brings its look and its ground along.
func newCanvas(prefix string, width, height int, title, says string, alone bool) *canvas {
	c := &canvas{prefix: prefix}
	fmt.Fprintf(c, `<svg xmlns="http://www.w3.org/2000/svg" class="fwt" role="img" width="%d" height="%d" viewBox="0 0 %d %d" aria-labelledby="%s-title %s-desc">`+"\n",
		width, height, width, height, prefix, prefix)
	fmt.Fprintf(c, "<title id=\"%s-title\">%s</title>\n<desc id=\"%s-desc\">%s</desc>\n", prefix, escape(title), prefix, escape(says))
	if alone {
		fmt.Fprintf(c, "<style>\n%s</style>\n<rect class=\"ground\" width=\"%d\" height=\"%d\"/>\n", pictureLook, width, height)
	}
	fmt.Fprintf(c, `<defs>
<pattern id="%[1]s-away" width="9" height="9" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch" d="M0 0V9"/></pattern>
<pattern id="%[1]s-sealed" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="stripe" d="M0 0V5"/></pattern>
<pattern id="%[1]s-hash" width="4" height="4" patternUnits="userSpaceOnUse"><circle class="dot" cx="2" cy="2" r="1.2"/></pattern>
<pattern id="%[1]s-stored" width="5" height="5" patternUnits="userSpaceOnUse"><path class="stripe" d="M0 2H5"/></pattern>
<marker id="%[1]s-head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path class="head" d="M0 0 10 5 0 10z"/></marker>
</defs>
`, prefix)
	return c
}

func (c *canvas) end() { c.WriteString("</svg>\n") }

// text writes a line; class may name several.
func (c *canvas) text(x, y int, class, text string) {
	fmt.Fprintf(c, "<text x=\"%d\" y=\"%d\" class=\"%s\">%s</text>\n", x, y, class, escape(text))
}

func (c *canvas) rect(x, y, w, h int, class string) {
	fmt.Fprintf(c, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" class=\"%s\"/>\n", x, y, max(w, 0), max(h, 0), class)
}

// filled is a rect with one of the patterns over it.
func (c *canvas) filled(x, y, w, h int, class, pattern string) {
	c.rect(x, y, w, h, class)
	fmt.Fprintf(c, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"url(#%s-%s)\"/>\n", x, y, max(w, 0), max(h, 0), c.prefix, pattern)
}

func (c *canvas) line(x1, y1, x2, y2 int, class string) {
	fmt.Fprintf(c, "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" class=\"%s\"/>\n", x1, y1, x2, y2, class)
}

// badge is a word in a frame; it gives its width.
func (c *canvas) badge(x, y int, class, word string) int {
	wide := 7*len([]rune(word)) + 14
	fmt.Fprintf(c, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"18\" rx=\"4\" class=\"badge %s\"/>\n", x, y, wide, class)
	c.text(x+7, y+13, "small badgeword "+class, word)
	return wide
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder takes everything
	return strings.ReplaceAll(b.String(), "&#xA;", "\n")
}

// anchor makes an id of what may be anything.
func anchor(id string) string {
	return "t-" + strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' {
			return r
		}
		return '_'
	}, id)
}
