package main

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/client/browser"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/lab/fault"
	"github.com/fourways-id/fourways/internal/store"
)

// openFaulty is a lab in this process, so that a test can see what the board and the store hold.
func openFaulty(t *testing.T) *workshop {
	t.Helper()
	s, err := openSockets(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	w, err := openWorkshop(t.Context(), t.TempDir(), 1, s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	return w
}

func (w *workshop) breaks(t *testing.T, s fault.Setting) {
	t.Helper()
	if _, err := w.lab.Board().Set(s); err != nil {
		t.Fatal(err)
	}
}

// page is what an address says.
func page(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// signIn is one sign-in at the door and its record.
func (w *workshop) signIn(t *testing.T, upn string) (authn.Verdict, authn.Record) {
	t.Helper()
	did, err := browser.SignIn(t.Context(), browser.SignInOptions{
		Door: w.sockets.publicURL(), UPN: upn, Password: authn.NewSecret([]byte("Spring-2025!")),
	})
	if err != nil {
		t.Fatal(err)
	}
	trace, err := w.gateway.Trace(t.Context(), did.CorrelationID)
	if err != nil {
		return did.Verdict, authn.Record{} // while the store is down nothing is written
	}
	return did.Verdict, trace.Records[len(trace.Records)-1]
}

// until tries again as long as something has not come about.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	for guard := time.Now().Add(hangGuard); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(guard) {
			t.Fatalf("it never came to this: %s", what)
		}
	}
}

// badges are the faults on the steps of a record, each as "step fault".
func badges(r authn.Record) []string {
	var all []string
	for _, s := range r.Steps {
		if s.Fault != "" {
			all = append(all, fmt.Sprintf("%s %s", s.ID, s.Fault))
		}
	}
	return all
}

func TestAFaultIsSeenInMetricsReadinessAndTheBanner(t *testing.T) {
	w := openFaulty(t)
	telemetry := "http://" + w.sockets.telemetry.Addr().String()
	for _, on := range []bool{false, true} {
		if on {
			w.breaks(t, fault.Setting{Name: "dc-down"})
		}
		_, metrics := page(t, telemetry+"/metrics")
		_, ready := page(t, telemetry+"/readyz?verbose")
		_, front := page(t, w.sockets.publicURL()+"/")
		for _, k := range fault.Kinds() {
			want := 0
			if on && k.Name == "dc-down" {
				want = 1
			}
			says(t, metrics, fmt.Sprintf("fourways_fault_active{fault=%q} %d\n", k.Name, want))
		}
		if strings.Contains(ready, "broken on purpose: dc-down") != on || strings.Contains(front, "broken on purpose:</strong> dc-down") != on {
			t.Errorf("on: %t, and readyz says %s and the front page %s", on, ready, front)
		}
	}
}

func TestABrokenStoreLetsNobodyInAndHeals(t *testing.T) {
	w := openFaulty(t)
	ready := "http://" + w.sockets.telemetry.Addr().String() + "/readyz"
	everybody := []string{"alice@cloud.example.test", "alice@phs.example.test", "alice@pta.example.test", "alice@saml.example.test"}
	for _, broken := range []bool{false, true, false} {
		wantStatus, wantVerdict := http.StatusOK, authn.Allowed
		if broken {
			wantStatus, wantVerdict = http.StatusServiceUnavailable, authn.Unavailable
			w.breaks(t, fault.Setting{Name: "store-down"})
		} else {
			w.lab.Board().ClearAll()
		}
		if status, body := page(t, ready); status != wantStatus {
			t.Errorf("broken %t: readyz is %d %s", broken, status, body)
		}
		for _, upn := range everybody {
			if got, r := w.signIn(t, upn); got != wantVerdict {
				t.Errorf("broken %t: %s is %s %s, want %s", broken, upn, got, r.Reason, wantVerdict)
			}
		}
	}
}

func TestASlowStoreIsBadgedWhereItWasSlow(t *testing.T) {
	w := openFaulty(t)
	w.breaks(t, fault.Setting{Name: "store-slow", Param: "1ms", Scope: "user=alice@cloud.example.test"})
	got, r := w.signIn(t, "alice@cloud.example.test")
	if want := []string{"C2 store-slow", "C3 store-slow", "K2 store-slow", "C9 store-slow"}; got != authn.Allowed || !slices.Equal(badges(r), want) {
		t.Errorf("%s with the badges %q, want %q", got, badges(r), want)
	}
	if got, r := w.signIn(t, "peggy@cloud.example.test"); got != authn.Allowed || len(badges(r)) > 0 {
		t.Errorf("somebody else: %s with the badges %q", got, badges(r))
	}
}

func TestAnAgentThatIsDownComesBackWhenItIsLet(t *testing.T) {
	w := openFaulty(t)
	const alice = "alice@pta.example.test"
	var r authn.Record
	w.breaks(t, fault.Setting{Name: "agent-down"})
	until(t, "the agent is gone", func() bool {
		_, r = w.signIn(t, alice)
		return r.Reason == authn.NoAgent
	})
	if want := []string{"P2 agent-down"}; !slices.Equal(badges(r), want) {
		t.Errorf("the badges are %q, want %q", badges(r), want)
	}
	if got, r := w.signIn(t, "alice@phs.example.test"); got != authn.Allowed || len(badges(r)) > 0 {
		t.Errorf("another path: %s with the badges %q", got, badges(r))
	}
	w.lab.Board().Clear("agent-down")
	until(t, "the agent is back", func() bool {
		got, _ := w.signIn(t, alice)
		return got == authn.Allowed
	})
}

func TestALabThatEndsWaitsForNobodyWhomItHoldsUp(t *testing.T) {
	w := openFaulty(t)
	w.breaks(t, fault.Setting{Name: "store-slow", Param: "30m"})
	got := make(chan authn.Verdict, 1)
	go func() {
		did, _ := browser.SignIn(t.Context(), browser.SignInOptions{
			Door: w.sockets.publicURL(), UPN: "alice@cloud.example.test", Password: authn.NewSecret([]byte("Spring-2025!")),
		})
		got <- did.Verdict
	}()
	until(t, "she waits", func() bool { return w.lab.Board().Active()[0].Hits > 0 })
	w.close()
	if v := <-got; v != authn.Allowed {
		t.Errorf("the sign-in that was under way is %s", v)
	}
}

func TestTheAuditLogTellsOfAFaultFromBeginningToEnd(t *testing.T) {
	w := openFaulty(t)
	operator := w.gateway.Operator()
	w.breaks(t, fault.Setting{Name: "agent-hang", By: "ada", For: time.Millisecond})
	var last store.AuditEntry
	until(t, "the end is in the audit log", func() bool {
		all, err := operator.Store.AuditEntries(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) > 0 {
			last = all[0]
		}
		return last.Who == "expiry"
	})
	if last.Action != "Clear fault" || last.Target != "agent-hang" || last.Before != "set by ada, hit 0 messages" || last.Result != "success" {
		t.Errorf("%+v", last)
	}
}

func TestFaultListStandsOnNarrowTerminals(t *testing.T) {
	until := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	all := []api.Fault{
		{Name: "dc-down", Hop: "directory"},
		{Name: "network-partition", Hop: "network", Active: &api.Breach{Scope: "user=somebody.with.a.long.name@pta.example.test", Rate: 0.5, Next: 3, Until: until, Hits: 2}},
	}
	for _, width := range []int{0, 60, 80} {
		var b strings.Builder
		if err := writeFaults(&b, all, width); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if n := len(strings.TrimRight(line, "\n")); width > 0 && n > width {
				t.Errorf("%d characters where %d fit: %s", n, width, line)
			}
		}
		says(t, b.String(), "dc-down", "network-partition", "next 3, 50%", "12:00:00Z")
	}
}

func TestShareIsReadStrictly(t *testing.T) {
	for text, want := range map[string]float64{"50%": 0.5, "0.25": 0.25, "100%": 1, "1": 1} {
		if got, err := share(text); err != nil || got != want {
			t.Errorf("%q is %g, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0", "0%", "-1", "1.5", "101%", "half", "NaN", "%", "50 %"} {
		if got, err := share(text); err == nil {
			t.Errorf("%q is taken for %g", text, got)
		}
	}
}
