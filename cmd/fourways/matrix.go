package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/lab/matrix"
	"github.com/fourways-id/fourways/internal/trace"
)

// matrixFlags are those of `compare --matrix`.
type matrixFlags struct {
	run       bool
	html, csv string
}

func (f *matrixFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.run, "matrix", false, "run every account state on every path instead, in a throw-away copy of the lab")
	cmd.Flags().StringVar(&f.html, "html", "matrix.html", "with --matrix: write the report with its traces into this `file`")
	cmd.Flags().StringVar(&f.csv, "csv", "", "with --matrix: write the cells into this `file` too")
}

// matrix has the lab run its matrix, and tells what came of it.
func (a *app) matrix(cmd *cobra.Command, idp string, f matrixFlags) error {
	if idp != "saml" && idp != "oidc" {
		return misuse(cmd, "--matrix federates by --idp saml or oidc, not by %s", idp)
	}
	c, err := a.console()
	if err != nil {
		return err
	}
	report, err := c.RunMatrix(cmd.Context(), api.MatrixRequest{IdP: idp})
	if err != nil {
		return err
	}
	if err := writeMatrixFiles(report, f); err != nil {
		return err
	}
	if err := a.printMatrix(report, f); err != nil {
		return err
	}
	return judgeMatrix(report)
}

func writeMatrixFiles(report api.Matrix, f matrixFlags) error {
	for _, file := range []struct {
		path  string
		write func(io.Writer) error
	}{
		{f.html, func(w io.Writer) error { return matrix.HTML(w, report) }},
		{f.csv, func(w io.Writer) error { return writeCSV(w, report.Cells, cellColumns()) }},
	} {
		if file.path == "" {
			continue
		}
		var b bytes.Buffer
		if err := file.write(&b); err != nil {
			return err
		}
		if err := os.WriteFile(file.path, b.Bytes(), 0o600); err != nil {
			return failure{exitFailed, "the matrix was run, but its report can't be written", err.Error(), "name another file with --html or --csv"}
		}
	}
	return nil
}

func (a *app) printMatrix(report api.Matrix, f matrixFlags) error {
	switch a.flags.output {
	case formatTable:
		return a.matrixTable(report, f)
	case formatJSON:
		report.Traces = nil // `trace show` gives them one by one
		return writeJSON(a.out, report)
	}
	return list(a, report.Cells, cellColumns())
}

func cellColumns() columns[api.MatrixCell] {
	return columns[api.MatrixCell]{
		names: []string{"state", "path", "mark", "user", "expected", "saw", "source", "trace", "second_trace", "evidence"},
		cells: func(c api.MatrixCell) []string {
			return []string{
				c.State, string(c.Path), string(matrix.MarkOf(c)), c.UPN, c.Expected, c.Saw, c.Source, string(c.TraceID), string(c.Second),
				strings.Join(c.Evidence, "; "),
			}
		},
	}
}

// matrixTable writes rows of states and columns of paths; where that is too wide, a state stands above its line.
func (a *app) matrixTable(report api.Matrix, f matrixFlags) error {
	cols := columns[matrix.Row]{names: []string{"state"}, cells: func(r matrix.Row) []string {
		cells := []string{r.State}
		for _, path := range matrix.Paths() {
			cells = append(cells, cellText(r.Cells[path]))
		}
		return cells
	}}
	for _, path := range matrix.Paths() {
		cols.names = append(cols.names, string(path))
	}
	rows := matrix.Rows(report)
	var b bytes.Buffer
	if err := writeTable(&b, rows, cols); err != nil {
		return err
	}
	if width := a.width(); width > 0 && trace.Widest(b.String()) > width {
		b.Reset()
		if err := writeStates(&b, rows, cols); err != nil {
			return err
		}
	}
	out := b.String()
	if !a.plain() {
		out = coloured(out)
	}
	_, _ = io.WriteString(a.out, out) // the next write tells of a broken pipe
	return a.matrixFooter(report, f)
}

// writeStates writes each state on a line of its own, and its cells below.
func writeStates(b *bytes.Buffer, rows []matrix.Row, cols columns[matrix.Row]) error {
	narrow := columns[matrix.Row]{names: cols.names[1:], cells: func(r matrix.Row) []string { return cols.cells(r)[1:] }}
	var cells bytes.Buffer
	if err := writeTable(&cells, rows, narrow); err != nil {
		return err
	}
	i := -1
	for line := range strings.Lines(cells.String()) {
		if i >= 0 {
			b.WriteString(rows[i].State + "\n")
		}
		b.WriteString("  " + line)
		i++
	}
	return nil
}

// cellText says a cell by words alone.
func cellText(c api.MatrixCell) string {
	if !c.Live {
		return string(matrix.NotApplicable)
	}
	const most = 30 // characters of what went wrong: the lines below the table say all of it
	saw := []rune(matrix.Brief(c))
	if len(saw) > most {
		saw = append(saw[:most-1], '…')
	}
	return string(matrix.MarkOf(c)) + " " + string(saw)
}

// coloured adds colours to the words of a table that stands already, so that its columns stay.
func coloured(table string) string {
	const off = "\x1b[0m"
	return strings.NewReplacer("AMBER ", "\x1b[33mAMBER "+off, "RED ", "\x1b[1;31mRED "+off, " ok ", " \x1b[32mok "+off).Replace(table)
}

func (a *app) matrixFooter(report api.Matrix, f matrixFlags) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%d/%d cells as expected (%d n/a)", report.AsExpected, report.Live, matrix.Count(report, matrix.NotApplicable))
	fmt.Fprintf(&b, " after %.1f s in a throw-away copy of the lab\n", float64(report.Took)/1000)
	fmt.Fprintf(&b, "AMBER: as documented, but the cloud says yes although the premises say no (%s)\n", count(matrix.Count(report, matrix.Amber), "cell"))
	b.WriteString("success / 50126: the old password still works, the temporary one does not yet\n")
	for _, path := range []string{f.html, f.csv} {
		if full, err := filepath.Abs(path); err == nil && path != "" {
			fmt.Fprintf(&b, "written: %s\n", full)
		}
	}
	b.WriteString("every cell has its trace there; `fourways trace show ID` shows it too, -o csv names the IDs\n")
	_, err := io.WriteString(a.out, strings.Join(wrapped(b.String(), a.width()), "\n")+"\n")
	return err
}

func wrapped(text string, width int) []string {
	var all []string
	for line := range strings.Lines(text) {
		all = append(all, trace.Wrap(strings.TrimRight(line, "\n"), width)...)
	}
	return all
}

// judgeMatrix names every red cell.
func judgeMatrix(report api.Matrix) error {
	var red []string
	for _, c := range report.Cells {
		if matrix.MarkOf(c) == matrix.Red {
			ids := []authn.AttemptID{c.TraceID}
			if c.Second != "" {
				ids = append(ids, c.Second)
			}
			red = append(red, fmt.Sprintf("%s / %s: expected %s, saw %s; trace %s", c.Path, c.State, c.Expected, c.Saw, strings.Trim(fmt.Sprint(ids), "[]")))
		}
	}
	if len(red) == 0 {
		return nil
	}
	return failure{
		exitUnexpected, count(len(red), "cell") + " of the matrix not as expected", strings.Join(red, "\n"),
		"`fourways trace show ID` shows what happened there; the copy has the rules of the lab's fourways.toml: was it edited?",
	}
}
