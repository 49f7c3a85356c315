// Package choose asks Microsoft's questions about identity and ends with a sign-in path.
//
// In come answers, by the key of a question; out comes the next question or a Recommendation: path, reasons, costs, the
// domain's lines of the configuration and what to type to see it work. The questions are data in tree.go, in Microsoft's
// order: the identity model first, then managed or federated, then the method. Microsoft draws the method's tree as a
// picture, so its edges are ours; its notes are theirs. It asks nobody and reads no file.
package choose

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/fourways-id/fourways/authn"
)

// Question is one node of the tree.
type Question struct {
	Key     string   `json:"key"`
	Ask     string   `json:"question"`
	Help    string   `json:"help"`
	Source  string   `json:"source"` // where Microsoft asks it
	Options []Option `json:"options"`
}

// Option is one answer. Next is the key of the question that follows; "" ends the tree. What an option decides stays
// decided: Path and Protocol when not empty, Hashes when true.
type Option struct {
	Word     string     `json:"answer"`
	Text     string     `json:"text"`
	Because  string     `json:"because"`
	Next     string     `json:"-"`
	Path     authn.Path `json:"-"`
	Protocol string     `json:"-"`
	Hashes   bool       `json:"-"`
}

// Answer is one that was given.
type Answer struct {
	Key     string `json:"key"`
	Word    string `json:"answer"`
	Because string `json:"because"`
	Source  string `json:"source"`
}

// Talk is a walk through the tree. The zero value is not ready: Begin makes one.
type Talk struct {
	questions map[string]Question
	given     []Answer
	options   []Option
}

// first is where every walk begins.
const first = "directory"

// Begin starts at the first question.
func Begin() *Talk {
	t := &Talk{questions: map[string]Question{}}
	for _, q := range Questions() {
		t.questions[q.Key] = q
	}
	return t
}

// Next is the question to answer; false at the end.
func (t *Talk) Next() (Question, bool) {
	key := first
	if n := len(t.options); n > 0 {
		key = t.options[n-1].Next
	}
	q, ok := t.questions[key]
	return q, ok
}

// Answer takes an answer to the next question: its word, its first letters, or its number.
func (t *Talk) Answer(said string) error {
	q, ok := t.Next()
	if !ok {
		return fmt.Errorf("%q answers nothing: there is no question left", said)
	}
	o, err := q.option(said)
	if err != nil {
		return err
	}
	t.given = append(t.given, Answer{q.Key, o.Word, o.Because, q.Source})
	t.options = append(t.options, o)
	return nil
}

// Back takes the last answer back; false when there is none.
func (t *Talk) Back() bool {
	n := len(t.given)
	if n == 0 {
		return false
	}
	t.given, t.options = t.given[:n-1], t.options[:n-1]
	return true
}

func (q Question) option(said string) (Option, error) {
	said = strings.ToLower(strings.TrimSpace(said))
	words := make([]string, len(q.Options))
	var near []Option
	for i, o := range q.Options {
		words[i] = o.Word
		switch {
		case said == o.Word || said == strconv.Itoa(i+1):
			return o, nil
		case said != "" && strings.HasPrefix(o.Word, said):
			near = append(near, o)
		}
	}
	if len(near) == 1 {
		return near[0], nil
	}
	return Option{}, fmt.Errorf("%.40q is no answer to %s: there are %s", said, q.Key, strings.Join(words, ", "))
}

// Recommendation is where a walk ends.
type Recommendation struct {
	Domain   string     `json:"domain"`
	Path     authn.Path `json:"path"`
	Protocol string     `json:"protocol,omitempty"`
	Hashes   bool       `json:"passwordHashSync"`
	Why      []Answer   `json:"why"`
	Costs    []string   `json:"costs"`
	TOML     string     `json:"toml"`
	Show     []string   `json:"show"` // commands for the lab
}

// Recommend ends the walk; false while a question is open.
func (t *Talk) Recommend(domain string) (Recommendation, bool) {
	if _, open := t.Next(); open {
		return Recommendation{}, false
	}
	r := Recommendation{Domain: domain, Why: append([]Answer{}, t.given...)}
	for _, o := range t.options {
		if o.Path != "" {
			r.Path = o.Path
		}
		if o.Protocol != "" {
			r.Protocol = o.Protocol
		}
		r.Hashes = r.Hashes || o.Hashes
	}
	r.Costs, r.TOML, r.Show = costs(r), toml(r), show(r)
	return r, true
}
