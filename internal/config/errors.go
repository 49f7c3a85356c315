package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Complaint is one thing that is wrong with a configuration.
type Complaint struct {
	File   string // the file's name, or "environment"
	Line   int    // from 1; 0 when there is no place to point at
	Column int
	Key    string // dotted, e.g. server.public_url or domain[2].path
	Wrong  string // what is wrong
	Do     string // what to do about it
}

// String is `file:line:column: key: what is wrong, what to do`.
func (c Complaint) String() string {
	var b strings.Builder
	b.WriteString(c.File)
	if c.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", c.Line, c.Column)
	}
	b.WriteString(": ")
	if c.Key != "" {
		b.WriteString(c.Key + ": ")
	}
	b.WriteString(c.Wrong)
	if c.Do != "" {
		b.WriteString(", " + c.Do)
	}
	return b.String()
}

// Errors is every complaint about one configuration, in the order of the file.
type Errors struct{ List []Complaint }

// Error is one complaint a line.
func (e *Errors) Error() string {
	lines := make([]string, len(e.List))
	for i, c := range e.List {
		lines[i] = c.String()
	}
	return strings.Join(lines, "\n")
}

// asError sorts the complaints; nil when there is none.
func asError(list []Complaint) error {
	if len(list) == 0 {
		return nil
	}
	slices.SortStableFunc(list, func(a, b Complaint) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &Errors{List: list}
}
