package fault

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bounds of a setting.
const (
	usual     = 10 * time.Minute
	longest   = 30 * time.Minute // of a fault, and of a wait
	mostCount = 1_000_000
	mostText  = 256
	inWords   = "30m" // longest
)

// parse checks a setting and fills in what was left open.
func parse(s Setting) (*entry, error) {
	k, ok := Find(s.Name)
	if !ok {
		return nil, Unknown(s.Name)
	}
	e := &entry{Active: Active{Setting: s}, over: make(chan struct{})}
	e.strike.Over = e.over
	for _, step := range []func(Kind) error{e.checkTime, e.checkShare, e.checkParam, e.checkScope, e.checkText} {
		if err := step(k); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// Unknown says that there is no such fault, and names the nearest.
func Unknown(name string) error {
	if len(name) > mostText {
		return errors.New("there is no fault of so long a name: `fourways fault list` shows them all")
	}
	best, least := "", 4
	for _, k := range Kinds() {
		if d := distance(name, k.Name); d < least {
			best, least = k.Name, d
		}
	}
	if best != "" {
		return fmt.Errorf("there is no fault %q: did you mean %s?", name, best)
	}
	return fmt.Errorf("there is no fault %q: `fourways fault list` shows them all", name)
}

func (e *entry) checkTime(Kind) error {
	if e.For == 0 {
		e.For = usual
	}
	if e.For < 0 || e.For > longest {
		return fmt.Errorf("a fault can't be on for %s, since a forgotten one must end by itself: give more than 0 and at most %s", e.For, inWords)
	}
	return nil
}

func (e *entry) checkShare(k Kind) error {
	if e.Rate == 0 {
		e.Rate = 1
	}
	if math.IsNaN(e.Rate) || e.Rate < 0 || e.Rate > 1 {
		return fmt.Errorf("a rate of %g is no share of the messages: give more than 0 and at most 1 (or 100%%)", e.Rate)
	}
	if k.Whole && (e.Rate < 1 || e.Next != 0) {
		return fmt.Errorf("%s breaks no single message, so it can't hit a share or a number of them: leave the rate and the number out", k.Name)
	}
	if e.Next < 0 || e.Next > mostCount {
		return fmt.Errorf("the next %d messages can't be hit: give 1 to %d, or nothing for no limit", e.Next, mostCount)
	}
	return nil
}

func (e *entry) checkParam(k Kind) error {
	if e.Param == "" {
		e.Param = k.Default
	}
	switch k.Unit {
	case Duration:
		d, err := time.ParseDuration(e.Param)
		if err != nil || d <= 0 || d > longest {
			return fmt.Errorf("%s takes a duration, not %q: give more than 0 and at most %s, such as %s", k.Name, e.Param, inWords, k.Default)
		}
		e.strike.Wait = d
	case Count:
		n, err := strconv.Atoi(e.Param)
		if err != nil || n < 1 || n > mostCount {
			return fmt.Errorf("%s takes a number, not %q: give 1 to %d, such as %s", k.Name, e.Param, mostCount, k.Default)
		}
		e.strike.Count = n
	default:
		if e.Param != "" {
			return fmt.Errorf("%s takes no parameter, and %q was given: leave it out", k.Name, e.Param)
		}
	}
	return nil
}

func (e *entry) checkScope(k Kind) error {
	if e.Scope == "" {
		return nil
	}
	if len(k.Aims) == 0 {
		return fmt.Errorf("%s hits everybody alike and can't be aimed at %q: leave the scope out", k.Name, e.Scope)
	}
	what, value, _ := strings.Cut(strings.ToLower(e.Scope), "=")
	if !slices.Contains(k.Aims, what) {
		return fmt.Errorf("%s can't be aimed at %q: give %s= and a name", k.Name, e.Scope, strings.Join(k.Aims, "=, "))
	}
	if value == "" || what == AimUser && !strings.Contains(value, "@") || what == AimPath && !slices.Contains(paths(), value) {
		return fmt.Errorf("the scope %q names no %s: give %s=%s", e.Scope, what, what, example(what))
	}
	e.Scope, e.aim = what+"="+value, aim{what, value}
	return oneLine("the scope", e.Scope)
}

func paths() []string { return []string{"cloud", "phs", "pta", "federated"} }

func example(what string) string {
	switch what {
	case AimUser:
		return "alice@pta.example.test"
	case AimDomain:
		return "pta.example.test"
	case AimAgent:
		return "agent-1"
	default:
		return strings.Join(paths(), ", ")
	}
}

func (e *entry) checkText(Kind) error {
	if err := oneLine("who asks", e.By); err != nil {
		return err
	}
	return oneLine("the reason", e.Reason)
}

// oneLine keeps what is printed in terminals, pages and the audit log printable.
func oneLine(what, s string) error {
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > mostText || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Errorf("%s is one line of at most %d printable characters", what, mostText)
	}
	return nil
}

// aim is a scope, parsed; the zero value hits everybody.
type aim struct{ what, value string }

// meets reports whether a message is in the scope. One that doesn't say is not.
func (a aim) meets(t Target) bool {
	switch a.what {
	case "":
		return true
	case AimUser:
		return strings.EqualFold(t.User, a.value)
	case AimDomain:
		domain := t.Domain
		if _, of, ok := strings.Cut(t.User, "@"); ok && domain == "" {
			domain = of
		}
		return strings.EqualFold(domain, a.value)
	case AimAgent:
		return strings.EqualFold(t.Agent, a.value)
	default:
		return strings.EqualFold(t.Path, a.value)
	}
}

// distance is how many letters must be changed, added or left out (Levenshtein).
func distance(a, b string) int {
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
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
