package userfile

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"io"

	"github.com/fourways-id/fourways/internal/directory"
)

// Writer writes a list of people that Open reads again. It never holds a credential.
type Writer struct {
	buffer *bufio.Writer
	csv    *csv.Writer // nil: JSON Lines
}

// NewWriter begins a file of that format.
func NewWriter(w io.Writer, format string) (*Writer, error) {
	f := &Writer{buffer: bufio.NewWriter(w)}
	if format != CSV {
		return f, nil
	}
	f.csv = csv.NewWriter(f.buffer)
	var names []string
	for _, c := range columns() {
		if c.of != nil {
			names = append(names, c.name)
		}
	}
	return f, f.csv.Write(names)
}

// Write writes one account.
func (f *Writer) Write(u directory.User) error {
	if f.csv == nil {
		return f.line(u)
	}
	var cells []string
	for _, c := range columns() {
		if c.of != nil {
			cells = append(cells, inert(c.of(u)))
		}
	}
	return f.csv.Write(cells)
}

func (f *Writer) line(u directory.User) error {
	some := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	e := json.NewEncoder(f.buffer)
	e.SetEscapeHTML(false)
	return e.Encode(directory.UserChange{
		UPN: &u.UPN, DisplayName: &u.DisplayName, GivenName: some(u.GivenName), Surname: some(u.Surname), Mail: some(u.Mail),
		Department: some(u.Department), JobTitle: some(u.JobTitle), UsageLocation: some(u.UsageLocation), ImmutableID: some(u.Onprem.Anchor),
		Enabled: &u.Enabled, Blocked: &u.Blocked, MustChange: &u.MustChange,
	})
}

// Flush writes what is still to be written.
func (f *Writer) Flush() error {
	if f.csv != nil {
		f.csv.Flush()
		if err := f.csv.Error(); err != nil {
			return err
		}
	}
	return f.buffer.Flush()
}
