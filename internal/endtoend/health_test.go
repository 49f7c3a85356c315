package endtoend_test

import (
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
)

// Every path of a lab can be used, and says so; with the agent gone one can't, names itself, and the others go on.
func TestReadinessNamesThePathThatCannotBeUsed(t *testing.T) {
	h := openHouse(t, nil)
	h.populate()
	ready := func() string {
		return string(fetch(t, strings.TrimSuffix(h.metrics, "/metrics")+"/readyz?verbose", ""))
	}
	gauge := func(p authn.Path, want string) bool {
		return strings.Contains(string(fetch(t, h.metrics, "")), `fourways_signin_path_ready{signin_path="`+string(p)+`"} `+want+"\n")
	}
	for _, p := range []authn.Path{authn.PathCloud, authn.PathPHS, authn.PathPTA, authn.PathFederated} {
		if !gauge(p, "1") {
			t.Errorf("%s does not count as ready:\n%s", p, ready())
		}
	}
	if got := ready(); !strings.HasPrefix(got, "ready") {
		t.Errorf("a healthy lab says:\n%s", got)
	}
	h.stopAgent()
	eventually(t, "pass-through is not ready", func() bool { return gauge(authn.PathPTA, "0") })
	if got := ready(); !strings.HasPrefix(got, "degraded") || !strings.Contains(got, "no live agent") {
		t.Errorf("without its agent the lab says:\n%s", got)
	}
	if !gauge(authn.PathPHS, "1") || !gauge(authn.PathCloud, "1") {
		t.Error("another path went down with the agent")
	}
}
