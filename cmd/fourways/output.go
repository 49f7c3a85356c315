package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// The formats of -o.
const (
	formatTable = "table"
	formatJSON  = "json"
	formatJSONL = "jsonl"
	formatCSV   = "csv"
)

func formats() []string { return []string{formatTable, formatJSON, formatJSONL, formatCSV} }

func (a *app) checkOutput(cmd *cobra.Command) error {
	if !slices.Contains(formats(), a.flags.output) {
		return misuse(cmd, "-o %s is no format: there are %s", a.flags.output, strings.Join(formats(), ", "))
	}
	return nil
}

// columns say how a thing stands in a table or a CSV file.
type columns[T any] struct {
	names []string // lower case; upper case in a table
	cells func(T) []string
}

// list writes things in the format of -o. An empty list is an empty table, [], no line, a header.
func list[T any](a *app, items []T, c columns[T]) error {
	switch a.flags.output {
	case formatJSON:
		if items == nil {
			items = []T{}
		}
		return writeJSON(a.out, items)
	case formatJSONL:
		return writeLines(a.out, items)
	case formatCSV:
		return writeCSV(a.out, items, c)
	}
	return writeTable(a.out, items, c)
}

// show writes one thing: text when a person reads it, else in the format of -o.
func show[T any](a *app, item T, c columns[T], text func(io.Writer) error) error {
	switch a.flags.output {
	case formatJSON:
		return writeJSON(a.out, item)
	case formatJSONL:
		return writeLines(a.out, []T{item})
	case formatCSV:
		return writeCSV(a.out, []T{item}, c)
	}
	return text(a.out)
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func writeLines[T any](w io.Writer, items []T) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, item := range items {
		if err := e.Encode(item); err != nil {
			return err
		}
	}
	return nil
}

func writeTable[T any](w io.Writer, items []T, c columns[T]) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(cells []string) {
		_, _ = fmt.Fprintln(tw, strings.Join(cells, "\t")) // Flush reports what went wrong
	}
	header := make([]string, len(c.names))
	for i, name := range c.names {
		header[i] = strings.ToUpper(name)
	}
	row(header)
	for _, item := range items {
		row(readable(c.cells(item)))
	}
	return tw.Flush()
}

// readable makes cells what a person reads: an empty one is a dash.
func readable(cells []string) []string {
	for i, cell := range cells {
		if cells[i] = printable(cell); cell == "" {
			cells[i] = "-"
		}
	}
	return cells
}

func writeCSV[T any](w io.Writer, items []T, c columns[T]) error {
	cw := csv.NewWriter(w)
	_ = cw.Write(c.names) // Error reports what went wrong
	for _, item := range items {
		cells := c.cells(item)
		for i, cell := range cells {
			cells[i] = inert(cell)
		}
		_ = cw.Write(cells)
	}
	cw.Flush()
	return cw.Error()
}

// inert keeps a spreadsheet from taking a name that somebody typed at the door for a formula (CSV injection).
func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// when is a point in time as a list shows it: RFC 3339, whole seconds, UTC; "" for none.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// ascii is an io.Writer that spells the signs of a trace in ASCII, one for one, so that columns stay columns.
type ascii struct{ w io.Writer }

func (t ascii) Write(p []byte) (int, error) {
	plain := strings.NewReplacer("✓", "+", "✗", "x", "→", ">", "•", "*", "–", "-", "…", ".", "×", "x").Replace(string(p))
	if _, err := io.WriteString(t.w, plain); err != nil {
		return 0, err
	}
	return len(p), nil
}
