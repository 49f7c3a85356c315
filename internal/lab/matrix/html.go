package matrix

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/trace"
)

var (
	//go:embed matrix.html.tmpl
	pageSource string
	//go:embed matrix.css
	pageLook string
)

// page is what the template is filled with.
type page struct {
	Policy string       // Content-Security-Policy: nothing is loaded and nothing runs
	Style  template.CSS // the page's and the traces'
	Matrix api.Matrix
	Paths  []authn.Path
	Table  [][]box // a line for each state
	States []string
	Live   []box
	Ambers int
	Not    int // applicable
}

// box is a cell with what belongs to it.
type box struct {
	api.MatrixCell
	Mark   Mark
	Traces []template.HTML
}

// HTML writes a report as one file that needs no other: the table, and behind each cell its evidence, its source and its
// trace. Nothing in it loads anything; links to Microsoft's pages are there to be clicked.
func HTML(w io.Writer, m api.Matrix) error {
	t, err := template.New("matrix").Funcs(template.FuncMap{
		"linked": func(s string) bool { return strings.HasPrefix(s, "https://") },
		"lower":  strings.ToLower,
		"brief":  func(b box) string { return Brief(b.MatrixCell) },
	}).Parse(pageSource)
	if err != nil {
		return err
	}
	style := pageLook + trace.Style()
	sum := sha256.Sum256([]byte(style))
	p := page{
		Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; img-src data:; base-uri 'none'; form-action 'none'",
		Style:  template.CSS(style), //nolint:gosec // G203: our own files
		Matrix: m, Paths: Paths(), Ambers: Count(m, Amber), Not: Count(m, NotApplicable),
	}
	for _, row := range Rows(m) {
		var line []box
		for _, path := range p.Paths {
			b, err := boxOf(m, row.Cells[path])
			if err != nil {
				return err
			}
			line = append(line, b)
			if b.MatrixCell.Live {
				p.Live = append(p.Live, b)
			}
		}
		p.Table, p.States = append(p.Table, line), append(p.States, row.State)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return fmt.Errorf("write the matrix as HTML: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

func boxOf(m api.Matrix, c api.MatrixCell) (box, error) {
	b := box{MatrixCell: c, Mark: MarkOf(c)}
	for _, t := range m.Traces {
		if t.ID != c.TraceID && t.ID != c.Second {
			continue
		}
		html, err := drawn(t)
		if err != nil {
			return b, err
		}
		b.Traces = append(b.Traces, html)
	}
	return b, nil
}

// drawn is a trace as it stands in the page.
func drawn(t api.Trace) (template.HTML, error) {
	var section bytes.Buffer
	if err := trace.Section(&section, trace.Attempt{Records: t.Records, Away: t.Away}); err != nil {
		return "", err
	}
	return template.HTML(section.String()), nil //nolint:gosec // G203: a template of its own escaped it
}
