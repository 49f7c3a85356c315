package trace

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// Mermaid writes the sequence diagram in Mermaid's language, for pages that draw it themselves.
func Mermaid(w io.Writer, a Attempt) error {
	p := draw(a, true)
	var b bytes.Buffer
	b.WriteString("sequenceDiagram\n")
	fmt.Fprintf(&b, "  accTitle: %s\n", inert(headline(a)))
	for i, c := range p.Columns {
		fmt.Fprintf(&b, "  participant L%d as %s\n", i, inert(strings.Join(c.Name, " ")))
	}
	across := ""
	switch n := len(p.Columns); n {
	case 0:
		b.WriteString("  participant L0 as nobody\n")
		across = "L0"
	case 1:
		across = "L0"
	default:
		across = fmt.Sprintf("L0,L%d", n-1)
	}
	for _, r := range p.Rows {
		r.mermaid(&b, across)
	}
	fmt.Fprintf(&b, "  Note over %s: %s\n", across, inert(Custody(a.Records).String()))
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write the diagram: %w", err)
	}
	return nil
}

func (r row) mermaid(b *bytes.Buffer, across string) {
	says := strings.Join(r.Text, " ")
	if r.ID != "" {
		says = r.ID + " " + says + " (" + strings.Join(append([]string{r.Time}, r.Badges...), ", ") + ")"
	}
	if r.Kind == rowAway {
		says = says + " – " + strings.Join(r.Words, " ")
	}
	if r.Kind != rowStep || r.From < 0 || r.To < 0 {
		fmt.Fprintf(b, "  Note over %s: %s\n", across, inert(says))
		return
	}
	arrow := map[string]string{"ok": "->>", "refused": "-x", "skipped": "-->>"}[string(r.plain())]
	fmt.Fprintf(b, "  L%d%sL%d: %s\n", r.From, arrow, r.To, inert(says))
}

// inert spells all that means something to Mermaid, or to the HTML that it makes, by its number.
func inert(s string) string {
	var b strings.Builder
	for _, r := range printable(s) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" .,()/_-'=:@*+?!–→✓✗", r) {
			b.WriteRune(r)
			continue
		}
		fmt.Fprintf(&b, "#%d;", r)
	}
	return b.String()
}
