package fourwaystest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/fourways-id/fourways/authn"
)

// Trace is everything that the gateway wrote of one sign-in.
type Trace struct {
	ID      authn.AttemptID `json:"id"`
	Records []authn.Record  `json:"records"` // one for each request of it, in order
}

// Steps are the steps of all records, in order.
func (t Trace) Steps() []authn.Step {
	var all []authn.Step
	for _, r := range t.Records {
		all = append(all, r.Steps...)
	}
	return all
}

// Step is the first step with an id, such as authn.P6; false when it did not happen.
func (t Trace) Step(id authn.StepID) (authn.Step, bool) {
	for _, s := range t.Steps() {
		if s.ID == id {
			return s, true
		}
	}
	return authn.Step{}, false
}

// Final is the record that closed the sign-in; false when it is open, as one is that an identity provider keeps.
func (t Trace) Final() (authn.Record, bool) {
	i := slices.IndexFunc(t.Records, func(r authn.Record) bool { return r.Final })
	if i < 0 {
		return authn.Record{}, false
	}
	return t.Records[i], true
}

// Faults names what was broken on purpose and hit this sign-in, each once.
func (t Trace) Faults() []string {
	var all []string
	for _, s := range t.Steps() {
		for name := range strings.SplitSeq(s.Fault, ",") {
			if name = strings.TrimSpace(name); name != "" && !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}

// Trace reads the trace of a sign-in, by a Result's CorrelationID. It is complete once SignIn has returned.
func (l *Lab) Trace(id authn.AttemptID) Trace {
	l.t.Helper()
	if id == "" {
		l.t.Fatal("fourwaystest: a trace without an id can't be read: give a Result's CorrelationID")
	}
	var trace Trace
	if err := l.ask(http.MethodGet, "traces/"+url.PathEscape(string(id)), nil, &trace); err != nil {
		l.t.Fatalf("fourwaystest: the trace of %s can't be read: %v", id, err)
	}
	return trace
}
