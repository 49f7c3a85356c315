package load

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/client/browser"
)

// Schema names the form of a Result in JSON. It changes when a field changes its meaning or goes away.
const Schema = "fourways.load/1"

// Result is what a run says. The warm-up is in none of its numbers.
type Result struct {
	Schema      string       `json:"schema"`
	Target      string       `json:"target"`
	Environment Environment  `json:"environment"`
	Plan        Plan         `json:"plan"`
	Began       time.Time    `json:"began"`
	Wall        Milliseconds `json:"wallMilliseconds"` // from the end of the warm-up to the last answer, and at least the plan's duration if complete
	Complete    bool         `json:"complete"`         // false: it was cut short, and this is what there was by then
	Lag         Timing       `json:"lagMilliseconds"`  // from intended start to sending: what the generator itself added
	Paths       []PathResult `json:"paths"`
}

// Environment is the machine that generated the load.
type Environment struct {
	CPUs     int    `json:"cpus"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
	Go       string `json:"go"`
	Fourways string `json:"fourways"`
}

// PathResult is one path's share. Sent = AsExpected + Unexpected + Failed + Unfinished.
type PathResult struct {
	Path       authn.Path     `json:"path"`
	Sent       int            `json:"sent"`
	Dropped    int            `json:"dropped"`    // not sent: the bound of open sign-ins was reached
	AsExpected int            `json:"asExpected"` // the right password was let in, anything else refused
	Unexpected int            `json:"unexpected"` // it ended otherwise, or nobody could check it
	Failed     int            `json:"failed"`     // no sign-in came of it: see Errors
	Unfinished int            `json:"unfinished"` // open when the run was cut short
	PerSecond  float64        `json:"perSecond"`  // AsExpected: an answer that nobody could be checked is no work done
	Outcomes   []Outcome      `json:"outcomes"`
	Errors     map[string]int `json:"errors"`              // by kind
	Latency    Timing         `json:"latencyMilliseconds"` // from the intended start
	Service    Timing         `json:"serviceMilliseconds"` // from the sending
}

// Outcome counts sign-ins of one kind that ended alike. Code is the public one: 0 for none.
type Outcome struct {
	Login   string `json:"login"`   // right, wrong or unknown
	Outcome string `json:"outcome"` // success, failure, error or interrupted, as in the metrics
	Code    int    `json:"code"`
	Count   int    `json:"count"`
}

// tally gathers what arrivals report, from many goroutines.
type tally struct {
	mu    sync.Mutex
	lag   histogram
	paths map[authn.Path]*pathTally
}

type pathTally struct {
	PathResult
	outcomes         map[Outcome]int // Count is 0 in the keys
	latency, service histogram
}

// arrived is how one arrival went.
type arrived struct {
	login
	intended, sent, ended time.Time
	did                   browser.Attempt
	err                   error
	cut                   bool // the run was cut short meanwhile
}

func newTally(paths []authn.Path) *tally {
	t := &tally{paths: map[authn.Path]*pathTally{}}
	for _, p := range paths {
		t.paths[p] = &pathTally{PathResult: PathResult{Path: p, Errors: map[string]int{}}, outcomes: map[Outcome]int{}}
	}
	return t
}

func (t *tally) drop(l login) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.paths[l.path].Dropped++
}

func (t *tally) add(a arrived) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.paths[a.path]
	p.Sent++
	t.lag.add(a.sent.Sub(a.intended))
	switch {
	case a.err != nil && a.cut:
		p.Unfinished++
		return
	case a.err != nil:
		p.Failed++
		p.Errors[kindOf(a.err)]++
	case expected(a.kind, a.did.Verdict):
		p.AsExpected++
	default:
		p.Unexpected++
	}
	// What failed had to be waited for as well: leaving it out would make an outage look fast.
	p.latency.add(a.ended.Sub(a.intended))
	p.service.add(a.ended.Sub(a.sent))
	if a.err == nil {
		o := Outcome{Login: a.kind, Outcome: a.did.Verdict.MetricOutcome()}
		if a.did.Public != nil {
			o.Code = a.did.Public.Code
		}
		p.outcomes[o]++
	}
}

// expected: a right password is let in; any other is refused, at the door or by an identity provider that keeps the person.
func expected(kind string, v authn.Verdict) bool {
	if kind == Right {
		return v == authn.Allowed
	}
	return v == authn.Denied || v == authn.Challenged
}

// kindOf sorts an error into few kinds: its own text may hold addresses.
func kindOf(err error) string {
	var refused browser.Refused
	switch {
	case errors.Is(err, ErrNotLoopback):
		return "not loopback"
	case errors.Is(err, browser.ErrUnreachable):
		return "unreachable"
	case errors.As(err, &refused):
		return fmt.Sprintf("refused with status %d", refused.Status)
	}
	return "not understood"
}

func (t *tally) result(paths []authn.Path, wall time.Duration) Result {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := Result{Schema: Schema, Lag: t.lag.timing(), Wall: Milliseconds(wall)}
	for _, path := range paths {
		p := t.paths[path]
		out := p.PathResult
		out.Latency, out.Service = p.latency.timing(), p.service.timing()
		if wall > 0 {
			out.PerSecond = float64(p.AsExpected) / wall.Seconds()
		}
		out.Outcomes = []Outcome{}
		for o, n := range p.outcomes {
			o.Count = n
			out.Outcomes = append(out.Outcomes, o)
		}
		slices.SortFunc(out.Outcomes, func(a, b Outcome) int {
			return cmp.Or(cmp.Compare(a.Login, b.Login), cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(a.Code, b.Code))
		})
		out.Errors = maps.Clone(p.Errors)
		r.Paths = append(r.Paths, out)
	}
	return r
}

func environment(version string) Environment {
	return Environment{CPUs: runtime.NumCPU(), OS: runtime.GOOS, Arch: runtime.GOARCH, Go: runtime.Version(), Fourways: version}
}
