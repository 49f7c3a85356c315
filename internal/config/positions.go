package config

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// place is where a key stands in its file.
type place struct{ line, column int }

// source is where the keys of a configuration came from.
type source struct {
	name string            // of the file
	at   map[string]place  // dotted key -> where it stands; tables too
	env  map[string]string // dotted key -> the variable that set it
}

// Origins of a key, as Show prints them.
const (
	OriginDefault = "default"
	OriginFile    = "file"
	OriginEnv     = "env"
)

// origin says where the value of key came from.
func (s source) origin(key string) string {
	if _, ok := s.env[key]; ok {
		return OriginEnv
	}
	if _, ok := s.at[key]; ok {
		return OriginFile
	}
	return OriginDefault
}

// complaint makes a complaint that points at key, or at the nearest table around it.
func (s source) complaint(key, wrong, do string) Complaint {
	if name, ok := s.env[key]; ok {
		return Complaint{File: "environment", Key: name, Wrong: wrong, Do: do}
	}
	c := Complaint{File: s.name, Key: key, Wrong: wrong, Do: do}
	for k := key; k != ""; k = parent(k) {
		if p, ok := s.at[k]; ok {
			c.Line, c.Column = p.line, p.column
			break
		}
	}
	return c
}

// parent is the key of the table that holds key: domain[1].path -> domain[1] -> domain.
func parent(key string) string {
	for i := len(key) - 1; i > 0; i-- {
		if key[i] == '.' || key[i] == '[' {
			return key[:i]
		}
	}
	return ""
}

// parse reads the document into plain values and remembers where each key stands. The error is a single complaint: a
// document that isn't TOML can't be judged further.
func parse(name string, data []byte) (map[string]any, source, error) {
	src := source{name: name, at: map[string]place{}, env: map[string]string{}}
	doc := map[string]any{}
	if err := toml.Unmarshal(data, &doc); err != nil {
		c := Complaint{File: name, Wrong: err.Error(), Do: "see https://toml.io for how a file is written"}
		var at *toml.DecodeError
		if errors.As(err, &at) {
			c.Line, c.Column = at.Position()
		}
		return nil, src, &Errors{List: []Complaint{c}}
	}
	m := mapper{at: src.at, arrays: map[string]int{}}
	m.parser.Reset(data)
	for m.parser.NextExpression() {
		m.expression(m.parser.Expression())
	}
	return doc, src, nil
}

// mapper walks a document that has been found to be good TOML.
type mapper struct {
	parser unstable.Parser
	at     map[string]place
	table  string         // the one that key-values go into now
	arrays map[string]int // array tables and their number of elements so far
}

func (m *mapper) expression(n *unstable.Node) {
	switch n.Kind {
	case unstable.Table:
		m.table = m.name("", n.Key())
	case unstable.ArrayTable:
		m.table = m.element(n.Key())
	case unstable.KeyValue:
		m.keyValue(m.table, n)
	default: // comments
	}
}

// name joins the parts of a dotted key under prefix and notes where each stands. An array table on the way means its
// last element.
func (m *mapper) name(prefix string, parts unstable.Iterator) string {
	for parts.Next() {
		prefix = join(prefix, string(parts.Node().Data))
		m.note(prefix, parts.Node())
		if n, ok := m.arrays[prefix]; ok {
			prefix = fmt.Sprintf("%s[%d]", prefix, n-1)
		}
	}
	return prefix
}

// element begins the next element of an array table.
func (m *mapper) element(parts unstable.Iterator) string {
	var nodes []*unstable.Node
	for parts.Next() {
		nodes = append(nodes, parts.Node())
	}
	prefix := ""
	for i, n := range nodes {
		prefix = join(prefix, string(n.Data))
		if i == len(nodes)-1 {
			m.arrays[prefix]++
		}
		if count, ok := m.arrays[prefix]; ok {
			prefix = fmt.Sprintf("%s[%d]", prefix, count-1)
		}
		m.note(prefix, n)
	}
	return prefix
}

func (m *mapper) keyValue(prefix string, n *unstable.Node) {
	m.value(m.name(prefix, n.Key()), n.Value())
}

func (m *mapper) value(key string, n *unstable.Node) {
	children, i := n.Children(), 0
	for ; children.Next(); i++ {
		switch child := children.Node(); {
		case n.Kind == unstable.InlineTable:
			m.keyValue(key, child)
		case child.Kind == unstable.InlineTable:
			element := fmt.Sprintf("%s[%d]", key, i)
			m.note(element, child)
			m.value(element, child)
		}
	}
}

func (m *mapper) note(key string, n *unstable.Node) {
	start := m.parser.Shape(n.Raw).Start
	if _, ok := m.at[key]; !ok {
		m.at[key] = place{start.Line, start.Column}
	}
}

func join(prefix, key string) string {
	if prefix == "" {
		return key
	}
	return prefix + "." + key
}

// closest is the known word nearest to the one typed, or "" when none is near.
func closest(typed string, known []string) string {
	best, least := "", max(2, len(typed)/3)+1
	for _, k := range slices.Sorted(slices.Values(known)) {
		if d := distance(typed, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is Levenshtein's, bounded by the length of what anybody types as a key.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
