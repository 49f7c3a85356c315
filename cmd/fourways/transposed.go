package main

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/fourways-id/fourways/internal/trace"
)

// writeFitting is writeTable where the lines fit into width, else the table turned over: a column for each item, a row
// for each name. A width of 0 is no limit.
func writeFitting[T any](w io.Writer, items []T, c columns[T], width int) error {
	var table bytes.Buffer
	if err := writeTable(&table, items, c); err != nil {
		return err
	}
	if width > 0 && trace.Widest(table.String()) > width {
		return writeTransposed(w, items, c, width)
	}
	_, err := w.Write(table.Bytes())
	return err
}

// writeTransposed breaks the cells between words, so that items stand side by side on a narrow terminal.
func writeTransposed[T any](w io.Writer, items []T, c columns[T], width int) error {
	const (
		label = 15 // characters of the names
		least = 8  // and of an item: on a terminal that is narrower still, lines wrap
	)
	widthOf := func(column int) int {
		if column == 0 {
			return label
		}
		return max(least, (width-label)/len(items)-2)
	}
	rows := make([][]string, len(c.names)) // a name, then the cells of all items
	for i, name := range c.names {
		rows[i] = []string{strings.ToUpper(name)}
	}
	for _, item := range items {
		for i, cell := range readable(c.cells(item)) {
			rows[i] = append(rows[i], cell)
		}
	}
	var b strings.Builder
	for i, row := range rows {
		if i > 0 {
			b.WriteByte('\n') // a cell may take several lines: rows stand apart
		}
		writeRow(&b, row, widthOf)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeRow writes cells side by side, each broken into lines of its width.
func writeRow(b *strings.Builder, cells []string, width func(column int) int) {
	parts, tallest := make([][]string, len(cells)), 0
	for i, cell := range cells {
		parts[i] = trace.Wrap(cell, width(i))
		tallest = max(tallest, len(parts[i]))
	}
	for k := range tallest {
		line := ""
		for i, lines := range parts {
			cell := ""
			if k < len(lines) {
				cell = lines[k]
			}
			line += cell + strings.Repeat(" ", max(0, width(i)+2-utf8.RuneCountInString(cell)))
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}
