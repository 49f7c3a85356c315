// Package userfile reads and writes the files in which people come and go: CSV as spreadsheets write it, JSON Lines, and
// lists of leaked passwords.
//
// In comes text; out come rows, each with the number of its line, or what is wrong with that line and no other. It judges
// no account, asks no gateway, and keeps no more than one line at a time. What it writes holds no credential.
package userfile

import "fmt"

// The formats of a list of people.
const (
	CSV   = "csv"
	JSONL = "jsonl"
)

// Formats lists them.
func Formats() []string { return []string{CSV, JSONL} }

// BadLine is a line that can't be read. The lines after it can. It shows nothing of the line that may be a password.
type BadLine struct {
	Line int
	Why  string
}

func (b BadLine) Error() string { return fmt.Sprintf("line %d: %s", b.Line, b.Why) }

// BadFile says that nothing of the file can be read.
type BadFile string

func (b BadFile) Error() string { return string(b) }
