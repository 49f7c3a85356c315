package matrix

import (
	"strings"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
)

// Mark is what a cell is called in a report: by a word, so that nothing depends on a colour.
type Mark string

// The marks.
const (
	OK            Mark = "ok"
	Amber         Mark = "AMBER" // as expected, and the cloud says yes although the premises say no
	Red           Mark = "RED"   // not as expected
	NotApplicable Mark = "n/a"
)

// MarkOf judges a cell of a report.
func MarkOf(c api.MatrixCell) Mark {
	switch {
	case !c.Live:
		return NotApplicable
	case !c.OK:
		return Red
	case c.Amber:
		return Amber
	}
	return OK
}

// Row is one account state of a report, by path.
type Row struct {
	State string
	Cells map[authn.Path]api.MatrixCell
}

// Rows puts a report's cells into the table they are.
func Rows(m api.Matrix) []Row {
	var rows []Row
	for _, c := range m.Cells {
		if len(rows) == 0 || rows[len(rows)-1].State != c.State {
			rows = append(rows, Row{c.State, map[authn.Path]api.MatrixCell{}})
		}
		rows[len(rows)-1].Cells[c.Path] = c
	}
	return rows
}

// Count is how many cells have a mark.
func Count(m api.Matrix, mark Mark) int {
	n := 0
	for _, c := range m.Cells {
		if MarkOf(c) == mark {
			n++
		}
	}
	return n
}

// Brief is what was seen, short enough for a table: what a log says otherwise is left to the cell's own lines.
func Brief(c api.MatrixCell) string {
	parts := strings.Split(c.Saw, and)
	for i, part := range parts {
		if saw, _, differs := strings.Cut(part, but); differs {
			parts[i] = saw + " (log differs)"
		}
	}
	return strings.Join(parts, and)
}
