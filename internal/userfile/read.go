package userfile

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Reader reads a list of people.
type Reader struct {
	lines   *lines
	columns []column // of a CSV file
	comma   rune
}

// Open begins to read a file of that format. A CSV file's header is read, and a BadFile returned when it can't be used.
func Open(r io.Reader, format string) (*Reader, error) {
	f := &Reader{lines: newLines(r)}
	if format == CSV {
		return f, f.header()
	}
	return f, nil
}

// header reads the names of the columns. The comma may be a semicolon or a tab, as spreadsheets of some countries write it,
// and a first line may say so (sep=;).
func (f *Reader) header() error {
	line, err := f.headerLine()
	if err != nil {
		return err
	}
	if sep, ok := bytes.CutPrefix(line, []byte("sep=")); ok && len(sep) == 1 {
		if line, err = f.headerLine(); err != nil {
			return err
		}
	}
	f.comma = ','
	for _, other := range ";\t" {
		if bytes.Count(line, []byte(string(other))) > bytes.Count(line, []byte(string(f.comma))) {
			f.comma = other
		}
	}
	cells, err := f.cells(line)
	if err != nil {
		return BadFile(fmt.Sprintf("the header in line %d can't be read: %v", f.lines.number, err))
	}
	for _, name := range cells {
		c, ok := known(name)
		if !ok {
			return BadFile(fmt.Sprintf("the header in line %d names %.60q, which is no column: there are %s", f.lines.number, name, strings.Join(ColumnNames(), ", ")))
		}
		if slices.ContainsFunc(f.columns, func(other column) bool { return other.name == c.name }) {
			return BadFile(fmt.Sprintf("the header in line %d names %s twice", f.lines.number, c.name))
		}
		f.columns = append(f.columns, c)
	}
	if !slices.ContainsFunc(f.columns, func(c column) bool { return c.name == columns()[0].name }) {
		return BadFile(fmt.Sprintf("the header in line %d has no userPrincipalName", f.lines.number))
	}
	return nil
}

func (f *Reader) headerLine() ([]byte, error) {
	line, err := f.lines.next()
	var bad BadLine
	switch {
	case errors.Is(err, io.EOF):
		return nil, BadFile("the file is empty: its first line names the columns")
	case errors.As(err, &bad):
		return nil, BadFile("the header can't be read: " + bad.Error())
	}
	return line, err
}

// Length is how many bytes the line of the last row has.
func (f *Reader) Length() int { return f.lines.length }

// Next reads one row: io.EOF at the end, a BadLine for one that can't be read, after which the next can.
func (f *Reader) Next() (api.ImportRow, error) {
	line, err := f.lines.next()
	if err != nil {
		return api.ImportRow{}, err
	}
	var row api.ImportRow
	if f.columns != nil {
		row, err = f.csvRow(line)
	} else {
		row, err = jsonRow(line)
	}
	if err != nil {
		return api.ImportRow{}, BadLine{f.lines.number, err.Error()}
	}
	row.Line = f.lines.number
	return row, nil
}

// csvRow leaves what an empty cell is for as it is.
func (f *Reader) csvRow(line []byte) (api.ImportRow, error) {
	var row api.ImportRow
	cells, err := f.cells(line)
	if err != nil {
		return row, err
	}
	if len(cells) != len(f.columns) {
		return row, fmt.Errorf("it has %d cells, and the header names %d columns", len(cells), len(f.columns))
	}
	for i, c := range f.columns {
		if cells[i] == "" {
			continue
		}
		if err := c.set(&row, cells[i]); err != nil {
			return row, fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return row, nil
}

// cells reads each line by itself: a quote that is not closed spoils no line but its own.
func (f *Reader) cells(line []byte) ([]string, error) {
	r := csv.NewReader(bytes.NewReader(line))
	r.Comma = f.comma
	cells, err := r.Read()
	var bad *csv.ParseError
	if errors.As(err, &bad) {
		return nil, fmt.Errorf("a quote (\") is not closed, or stands in the middle of a cell; a cell can't go over several lines (%w, column %d)", bad.Err, bad.Column)
	}
	return cells, err
}

// jsonLine is what a JSON line may hold.
type jsonLine struct {
	directory.UserChange
	Password     string `json:"password,omitempty"`
	PasswordHash string `json:"passwordHash,omitempty"`
}

func jsonRow(line []byte) (api.ImportRow, error) {
	var asked *jsonLine
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	err := d.Decode(&asked)
	if err == nil {
		if _, after := d.Token(); !errors.Is(after, io.EOF) {
			err = errors.New("there is something after the object")
		}
	}
	var mistyped *json.UnmarshalTypeError
	switch {
	case errors.As(err, &mistyped):
		return api.ImportRow{}, fmt.Errorf("%s can't be a %s", mistyped.Field, mistyped.Value)
	case err != nil && strings.Contains(err.Error(), "unknown field"):
		return api.ImportRow{}, fmt.Errorf("%s: there are %s", strings.TrimPrefix(err.Error(), "json: "), strings.Join(ColumnNames(), ", "))
	case err != nil:
		return api.ImportRow{}, fmt.Errorf("no JSON object that can be read: %w", err)
	case asked == nil:
		return api.ImportRow{}, errors.New("null is no account")
	}
	return api.ImportRow{UserChange: asked.UserChange, Password: asked.Password, PasswordHash: asked.PasswordHash}, nil
}
