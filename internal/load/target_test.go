package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// names answers the n-th question with the n-th list, and the last one for ever after.
type names struct {
	asked   atomic.Int32
	answers [][]string
}

func (n *names) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	var all []netip.Addr
	for _, a := range n.answers[min(int(n.asked.Add(1)), len(n.answers))-1] {
		all = append(all, netip.MustParseAddr(a))
	}
	return all, nil
}

func TestOnlyLoopbackIsATarget(t *testing.T) {
	for _, c := range []struct {
		answer []string
		ok     bool
	}{
		{[]string{"127.0.0.1"}, true},
		{[]string{"::1", "127.9.9.9"}, true},
		{[]string{"::ffff:127.0.0.1"}, true},
		{[]string{"203.0.113.9"}, false},
		{[]string{"127.0.0.1", "203.0.113.9"}, false},
		{[]string{"::1", "::ffff:203.0.113.9"}, false},
		{[]string{"0.0.0.0"}, false},
		{[]string{"fe80::1"}, false},
	} {
		_, err := NewTarget(t.Context(), "http://lab.example.test:8400", &names{answers: [][]string{c.answer}})
		if c.ok != (err == nil) || !c.ok && !errors.Is(err, ErrNotLoopback) {
			t.Errorf("%v: %v", c.answer, err)
		}
	}
	if _, err := NewTarget(t.Context(), "http://lab.example.test", &names{answers: [][]string{{}}}); err == nil {
		t.Error("a name without an address is a target")
	}
	for _, bad := range []string{"", "localhost:8400", "ftp://localhost", "http://"} {
		if _, err := NewTarget(t.Context(), bad, nil); err == nil {
			t.Errorf("%q is a target", bad)
		}
	}
}

func people() []Person {
	return []Person{{UPN: "alice@phs.example.test", Password: "Spring-2025!", Path: authn.PathPHS}}
}

func short() Plan { return Plan{Rate: 200, Duration: Span(100 * time.Millisecond), InFlight: 20} }

// serve answers POST /signin with say.
func serve(t *testing.T, say map[string]any) (origin, port string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(say)
	}))
	t.Cleanup(s.Close)
	_, port, _ = net.SplitHostPort(s.Listener.Addr().String())
	return s.URL, port
}

func letIn() map[string]any {
	return map[string]any{"verdict": "allowed", "path": "phs", "correlationId": "0198c0de-0000-7000-8000-000000000001"}
}

func TestRealDoorIsDriven(t *testing.T) {
	origin, _ := serve(t, letIn())
	to, err := NewTarget(t.Context(), origin, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Run(t.Context(), to, short(), people(), "1.2.3")
	if p := got.Paths[0]; err != nil || !got.Complete || p.AsExpected != 20 || p.Sent != 20 {
		t.Fatalf("%+v, %v", got, err)
	}
	if got.Schema != Schema || got.Target != origin || got.Environment.Fourways != "1.2.3" || got.Environment.CPUs < 1 {
		t.Errorf("%+v", got)
	}
	raw, _ := json.Marshal(got)
	if strings.Contains(string(raw), "Spring") || !strings.Contains(string(raw), `"duration":"100ms"`) {
		t.Errorf("%s", raw)
	}
}

func TestLoopbackOfVersionSixIsDriven(t *testing.T) {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no ::1:", err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(letIn())
	}))
	_ = s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	to, err := NewTarget(t.Context(), s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Run(t.Context(), to, short(), people(), ""); err != nil || got.Paths[0].AsExpected != 20 {
		t.Errorf("%+v, %v", got.Paths, err)
	}
}

// Where the environment names a proxy, everything would go to that, whatever the address.
func TestNoProxyCarriesTheLoadAway(t *testing.T) {
	if (Target{}).client(1, patience).Transport.(*http.Transport).Proxy != nil {
		t.Error("the environment may name a proxy")
	}
}

// The run goes on as planned, and counts.
func TestServerThatDiesInTheMiddleIsCounted(t *testing.T) {
	var s *httptest.Server
	var n atomic.Int32
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 10 {
			_ = s.Listener.Close()
			go s.CloseClientConnections()
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(letIn())
	}))
	t.Cleanup(s.Close)
	to, err := NewTarget(t.Context(), s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Run(t.Context(), to, short(), people(), "")
	if p := got.Paths[0]; err != nil || !got.Complete || p.AsExpected == 0 || p.Errors["unreachable"] == 0 || p.AsExpected+p.Failed != 20 || p.Latency.Count != 20 {
		t.Errorf("complete %v, %+v, %v", got.Complete, p, err)
	}
}

func TestNameThatMovesAwayIsNotFollowed(t *testing.T) {
	_, port := serve(t, letIn())
	origin := fmt.Sprintf("http://localhost:%s", port)
	stays := &names{answers: [][]string{{"127.0.0.1"}}}
	to, err := NewTarget(t.Context(), origin, stays)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Run(t.Context(), to, short(), people(), ""); err != nil || got.Paths[0].AsExpected == 0 {
		t.Fatalf("control: %+v, %v", got, err)
	}
	moves := &names{answers: [][]string{{"127.0.0.1"}, {"127.0.0.1", "203.0.113.9"}}}
	if to, err = NewTarget(t.Context(), origin, moves); err != nil {
		t.Fatal(err)
	}
	if got, err := Run(t.Context(), to, short(), people(), ""); !errors.Is(err, ErrNotLoopback) || got.Complete || got.Paths[0].AsExpected > 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// away challenges with a redirect to elsewhere, as a gateway would whose identity provider lies there.
func away(where string) map[string]any {
	return map[string]any{
		"verdict": "challenged", "path": "federated", "correlationId": "0198c0de-0000-7000-8000-000000000001",
		"challenge": map[string]string{"kind": "redirect", "url": where},
	}
}

func TestRedirectOffTheMachineStopsTheRun(t *testing.T) {
	hop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/here" {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<p>Nothing to fill in.</p>"))
			return
		}
		http.Redirect(w, r, "http://203.0.113.9/login", http.StatusFound)
	}))
	t.Cleanup(hop.Close)
	for where, stops := range map[string]bool{hop.URL + "/here": false, "http://203.0.113.9/login": true, hop.URL + "/off": true} {
		origin, _ := serve(t, away(where))
		to, err := NewTarget(t.Context(), origin, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Run(t.Context(), to, short(), people(), ""); errors.Is(err, ErrNotLoopback) != stops {
			t.Errorf("%s: %v", where, err)
		}
	}
}

func TestSocketItselfIsJudged(t *testing.T) {
	if err := onlyLoopback("tcp", "203.0.113.9:80", nil); !errors.Is(err, ErrNotLoopback) {
		t.Error(err)
	}
	if err := onlyLoopback("tcp", "[::1]:80", nil); err != nil {
		t.Error(err)
	}
}
