package userfile

import (
	"bytes"
	"io"

	"github.com/fourways-id/fourways/internal/console/api"
)

// Pairs reads a list of leaked passwords: lines of name:password, or name;password. Such lists are often written by several
// hands, so each line is taken by itself.
type Pairs struct{ lines *lines }

// OpenPairs begins to read.
func OpenPairs(r io.Reader) *Pairs { return &Pairs{newLines(r)} }

// Length is how many bytes the line of the last pair has.
func (p *Pairs) Length() int { return p.lines.length }

// Next reads one pair: io.EOF at the end, a BadLine for one that can't be read. A password may hold the sign too: the first
// one in the line parts it.
func (p *Pairs) Next() (api.LeakedPair, error) {
	line, err := p.lines.next()
	if err != nil {
		return api.LeakedPair{}, err
	}
	at := bytes.IndexAny(line, ":;")
	if at < 0 {
		return api.LeakedPair{}, BadLine{p.lines.number, "neither : nor ; parts a name from a password"}
	}
	pair := api.LeakedPair{Line: p.lines.number, User: string(bytes.TrimSpace(line[:at])), Password: string(line[at+1:])}
	switch {
	case pair.User == "":
		return api.LeakedPair{}, BadLine{p.lines.number, "there is no name before the password"}
	case pair.Password == "":
		return api.LeakedPair{}, BadLine{p.lines.number, "there is no password after the name"}
	}
	return pair, nil
}
