package metrics

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/realtest"
)

func full() *Metrics {
	m := New(Readers{
		Ready:     func(context.Context) []Readiness { return []Readiness{{Path: authn.PathCloud, Ready: true}} },
		HashQueue: func() int { return 3 },
		Agents:    func() map[string]int { return map[string]int{"active": 2} },
		Domains: func() []directory.Domain {
			return []directory.Domain{{Name: "cloud.example.test", Path: authn.PathCloud}}
		},
		CertExpiry: func() map[string]time.Time { return map[string]time.Time{"partner": time.Unix(1e9, 0)} },
		LastSync:   func(string) time.Time { return time.Time{} },
		Sync: SyncReaders{
			PasswordLag: func() (int, time.Time) { return 0, time.Time{} },
			Pending:     func() (int, int) { return 7, 2 },
			WithoutHash: func() int { return 4 },
		},
		Faults: func() map[string]bool { return map[string]bool{"dc-down": true, "dc-slow": false} },
	})
	m.KnowIdPs([]directory.IdP{{ID: "partner", Protocol: "saml"}})
	return m
}

func scrape(t *testing.T, m *Metrics, path string, header ...string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// names lists the series of a scrape: everything before the value. What the runtime makes of itself is left out.
func names(t *testing.T, m *Metrics) []string {
	t.Helper()
	_, body := scrape(t, m, "/metrics")
	var all []string
	for line := range strings.Lines(body) {
		if name, _, ok := cutLast(line); ok && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "go_") && !strings.HasPrefix(line, "process_") {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

func cutLast(line string) (name, value string, ok bool) {
	i := strings.LastIndexByte(strings.TrimSpace(line), ' ')
	if i < 0 {
		return "", "", false
	}
	return line[:i], strings.TrimSpace(line[i:]), true
}

func value(t *testing.T, m *Metrics, series string) string {
	t.Helper()
	_, body := scrape(t, m, "/metrics")
	for line := range strings.Lines(body) {
		if name, v, ok := cutLast(line); ok && name == series {
			return v
		}
	}
	t.Errorf("there is no series %s", series)
	return ""
}

func final(p authn.Path, v authn.Verdict, r authn.Reason) authn.Record {
	return authn.Record{ID: "id", Realm: authn.Realm{Path: p}, Verdict: v, Reason: r, Final: true, Took: 20 * time.Millisecond}
}

func TestEverythingStandsAtZeroFromTheStart(t *testing.T) {
	m := full()
	all := names(t, m)
	for _, p := range authn.Paths() {
		for _, r := range authn.Reasons() {
			for _, outcome := range r.Outcomes(p) {
				series := fmt.Sprintf("fourways_signins_total{outcome=%q,reason=%q,signin_path=%q}", outcome, r, p)
				if !slices.Contains(all, series) {
					t.Errorf("there is no %s", series)
				}
			}
		}
	}
	for _, series := range []string{
		`fourways_signin_duration_seconds_count{outcome="failure",signin_path="pta"}`,
		`fourways_signin_stage_duration_seconds_count{signin_path="pta",stage="ldap_bind"}`,
		`fourways_signins_in_flight{signin_path="federated"}`, `fourways_signin_path_ready{signin_path="phs"}`,
		`fourways_requests_shed_total{signin_path="cloud"}`, `fourways_lockouts_total{signin_path="phs"}`,
		`fourways_pta_late_responses_total`, `fourways_hash_queue_wait_seconds_count`,
		`fourways_idp_exchanges_total{idp="partner",protocol="saml",result="interrupted"}`,
		`fourways_assertion_rejections_total{check="in_response_to",idp="partner",protocol="saml"}`,
		`fourways_sync_runs_total{kind="hash",result="stopped"}`, `fourways_sync_runs_total{kind="directory",result="interrupted"}`,
		`fourways_sync_objects_total{action="hashed",kind="hash"}`, `fourways_sync_objects_total{action="skipped",kind="directory"}`,
		`fourways_sync_run_duration_seconds_count{kind="hash"}`, `fourways_password_hash_pending_changes`, `fourways_sync_last_success_timestamp_seconds{kind="directory"}`,
		`fourways_sync_deletes_blocked_total`, `fourways_mode_changes_total{from="phs",source="cli",to="pta"}`,
		`fourways_commit_failures_total`, `fourways_config_last_reload_successful`, `fourways_pta_agents{state="inactive"}`,
	} {
		if got := value(t, m, series); got != "0" {
			t.Errorf("%s is %s", series, got)
		}
	}
}

func TestReadersAreAskedAtScrapeTime(t *testing.T) {
	m := full()
	for series, want := range map[string]string{
		`fourways_hash_queue_length`: "3", `fourways_pta_agents{state="active"}`: "2",
		`fourways_signin_path_ready{signin_path="cloud"}`: "1", `fourways_password_hash_staleness_seconds`: "0",
		`fourways_sync_pending_objects{action="put"}`: "7", `fourways_sync_pending_objects{action="delete"}`: "2", `fourways_users_without_password_hash`: "4",
		`fourways_domain_signin_path_info{domain="cloud.example.test",signin_path="cloud"}`: "1",
		`fourways_idp_signing_certificate_expiry_timestamp_seconds{idp="partner"}`:          "1e+09",
		`fourways_fault_active{fault="dc-down"}`:                                            "1", `fourways_fault_active{fault="dc-slow"}`: "0",
	} {
		if got := value(t, m, series); got != want {
			t.Errorf("%s is %s, want %s", series, got, want)
		}
	}
}

func TestStalenessIsTheAgeOfTheOldestChangeThatIsNotHere(t *testing.T) {
	clock := authntest.NewClock(time.Unix(1e9, 0))
	count, oldest := 3, clock.Now().Add(-90*time.Second)
	m := New(Readers{Sync: SyncReaders{Clock: clock, PasswordLag: func() (int, time.Time) { return count, oldest }}})
	stale := func() string { return value(t, m, "fourways_password_hash_staleness_seconds") }
	if stale() != "90" || value(t, m, "fourways_password_hash_pending_changes") != "3" {
		t.Errorf("%s s with three changes, the oldest 90 s ago", stale())
	}
	if oldest = clock.Now().Add(time.Hour); stale() != "0" {
		t.Errorf("%s s by a directory whose clock is ahead", stale())
	}
	if count, oldest = 0, clock.Now().Add(-time.Hour); stale() != "0" {
		t.Errorf("%s s with nothing pending", stale())
	}
}

func TestAnAttemptIsCountedOnceByItsFinalRecord(t *testing.T) {
	m := full()
	asked := final(authn.PathCloud, authn.Challenged, authn.None)
	asked.Final = false
	m.Observe(asked)
	ok := final(authn.PathCloud, authn.Allowed, authn.None)
	ok.Steps = []authn.Step{
		{ID: authn.C2, Result: authn.StepOK, Took: time.Millisecond},
		{ID: authn.K3, Result: authn.StepOK, Took: 70 * time.Millisecond, Facts: map[authn.Fact]string{authn.FactWait: "30ms"}},
	}
	m.Observe(ok)
	locked := final(authn.PathPTA, authn.Denied, authn.BadPassword)
	locked.Locked, locked.Steps = true, []authn.Step{{ID: authn.P2, Result: authn.StepOK, Facts: map[authn.Fact]string{authn.FactAgent: "agent-1"}}}
	m.Observe(locked)
	refused := final(authn.PathFederated, authn.Denied, authn.AudienceMismatch)
	refused.Realm.IdP, refused.Check = "partner", authn.F4Audience
	m.Observe(refused)
	left := final(authn.PathFederated, authn.Challenged, authn.IdPAbandoned)
	left.Realm.IdP = "partner"
	m.Observe(left)
	for series, want := range map[string]string{
		`fourways_signins_total{outcome="interrupted",reason="none",signin_path="cloud"}`:              "0",
		`fourways_signins_total{outcome="success",reason="none",signin_path="cloud"}`:                  "1",
		`fourways_signins_total{outcome="failure",reason="bad_password",signin_path="pta"}`:            "1",
		`fourways_signins_total{outcome="interrupted",reason="idp_abandoned",signin_path="federated"}`: "1",
		`fourways_signin_duration_seconds_count{outcome="success",signin_path="cloud"}`:                "1",
		`fourways_signin_stage_duration_seconds_sum{signin_path="cloud",stage="hash_queue"}`:           "0.03",
		`fourways_signin_stage_duration_seconds_sum{signin_path="cloud",stage="hash_verify"}`:          "0.04",
		`fourways_hash_queue_wait_seconds_count`:                                                       "1",
		`fourways_lockouts_total{signin_path="pta"}`:                                                   "1",
		`fourways_pta_validations_total{agent="agent-1",result="failure"}`:                             "1",
		`fourways_idp_exchanges_total{idp="partner",protocol="saml",result="failure"}`:                 "1",
		`fourways_idp_exchanges_total{idp="partner",protocol="saml",result="interrupted"}`:             "1",
		`fourways_assertion_rejections_total{check="audience",idp="partner",protocol="saml"}`:          "1",
	} {
		if got := value(t, m, series); got != want {
			t.Errorf("%s is %s, want %s", series, got, want)
		}
	}
}

func TestEventsAreCounted(t *testing.T) {
	m := full()
	end := m.Begin(authn.PathPHS)
	if got := value(t, m, `fourways_signins_in_flight{signin_path="phs"}`); got != "1" {
		t.Errorf("in flight: %s", got)
	}
	end()
	m.Shed(authn.PathCloud)
	m.Shed("/etc/passwd")
	m.LateResponse()
	m.CommitFailed()
	m.Sync(directory.Run{Kind: "directory", Result: "stopped"})
	m.Sync(directory.Run{Kind: "directory", Result: "success", Added: 3, Updated: 2, Deleted: 1, Skipped: []string{"one", "two"}, Took: 90 * time.Second})
	m.Sync(directory.Run{Kind: "hash", Result: "interrupted", Hashes: 5, Took: -time.Second})
	m.Sync(directory.Run{Kind: "nonsense", Result: "success"})
	m.ModeChanged(authn.PathPHS, authn.PathPTA, "api")
	m.ModeChanged(authn.PathPHS, authn.PathPHS, "api")
	m.Reloaded(true, time.Unix(5, 0))
	m.Reloaded(false, time.Unix(6, 0))
	for series, want := range map[string]string{
		`fourways_signins_in_flight{signin_path="phs"}`:                       "0",
		`fourways_requests_shed_total{signin_path="cloud"}`:                   "1",
		`fourways_requests_shed_total{signin_path="none"}`:                    "1",
		`fourways_pta_late_responses_total`:                                   "1",
		`fourways_commit_failures_total`:                                      "1",
		`fourways_sync_runs_total{kind="directory",result="stopped"}`:         "1",
		`fourways_sync_deletes_blocked_total`:                                 "1",
		`fourways_sync_runs_total{kind="hash",result="interrupted"}`:          "1",
		`fourways_sync_objects_total{action="added",kind="directory"}`:        "3",
		`fourways_sync_objects_total{action="deleted",kind="directory"}`:      "1",
		`fourways_sync_objects_total{action="skipped",kind="directory"}`:      "2",
		`fourways_sync_objects_total{action="hashed",kind="hash"}`:            "5",
		`fourways_sync_run_duration_seconds_sum{kind="directory"}`:            "90",
		`fourways_sync_run_duration_seconds_bucket{kind="directory",le="60"}`: "1",
		`fourways_sync_run_duration_seconds_count{kind="hash"}`:               "1",
		`fourways_mode_changes_total{from="phs",source="api",to="pta"}`:       "1",
		`fourways_config_last_reload_successful`:                              "0",
		`fourways_config_last_reload_success_timestamp_seconds`:               "5",
	} {
		if got := value(t, m, series); got != want {
			t.Errorf("%s is %s, want %s", series, got, want)
		}
	}
}

func TestRandomNamesMakeNoSeries(t *testing.T) {
	m := full()
	random := rand.New(rand.NewPCG(1, 2))
	paths, reasons := authn.Paths(), authn.Reasons()
	m.Observe(authn.Record{Final: true, Realm: authn.Realm{Path: authn.PathPTA}, Steps: agentStep("agent-1")})
	before := names(t, m)
	for range 1000 {
		name := fmt.Sprintf("u%d@d%d.example", random.Int64(), random.Int64())
		m.Observe(authn.Record{
			ID: authn.AttemptID(name), Who: name, Name: name, Account: authn.AccountID(name), Final: true,
			Realm:   authn.Realm{Domain: name, Path: paths[random.IntN(len(paths))], IdP: name, Issuer: name},
			Verdict: authn.Verdict(random.IntN(6)), Reason: reasons[random.IntN(len(reasons))], Check: authn.StepID("F4." + name),
			Place: authn.Place{UserAgent: name, App: name}, Cause: name, Locked: true, Steps: agentStep(""),
		})
	}
	if after := names(t, m); !slices.Equal(before, after) {
		t.Errorf("%d series became %d", len(before), len(after))
	}
}

func agentStep(name string) []authn.Step {
	return []authn.Step{{ID: authn.P2, Result: authn.StepOK, Facts: map[authn.Fact]string{authn.FactAgent: name}}}
}

func TestTheAgentLabelIsBounded(t *testing.T) {
	m := full()
	for i := range 3 * maxAgents {
		r := final(authn.PathPTA, authn.Allowed, authn.None)
		r.Steps = agentStep(fmt.Sprintf("agent-%d", i))
		m.Observe(r)
	}
	agents := 0
	for _, series := range names(t, m) {
		if strings.HasPrefix(series, "fourways_pta_validations_total{") {
			agents++
		}
	}
	if agents != maxAgents+1 {
		t.Errorf("%d agents have series of their own", agents)
	}
}

func TestTheTextIsLintFree(t *testing.T) {
	m := full()
	families, err := m.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "fourways_") || strings.HasPrefix(p.Metric, "http_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	if bad, err := promlint.New(strings.NewReader("# TYPE bad_total gauge\nbad_total 1\n")).Lint(); err != nil || len(bad) == 0 {
		t.Errorf("the linter finds nothing at all: %v %v", bad, err)
	}
}

func TestPromtoolAccepts(t *testing.T) {
	tool := realtest.Promtool(t)
	m := full()
	m.Observe(final(authn.PathCloud, authn.Allowed, authn.None))
	_, body := scrape(t, m, "/metrics")
	if err := tool.CheckMetrics([]byte(body)); err != nil {
		t.Error(err)
	}
}

func TestReadyzFailsOnlyWhenNoPathIsUsable(t *testing.T) {
	var all []Readiness
	m := New(Readers{Ready: func(context.Context) []Readiness { return all }})
	cloud := Readiness{Path: authn.PathCloud, Ready: true}
	pta := Readiness{Path: authn.PathPTA, Detail: "no agent is connected"}
	agent := Readiness{Path: authn.PathPTA, Dependency: "agent-1", Ready: true}
	for _, c := range []struct {
		all  []Readiness
		code int
		body string
	}{
		{[]Readiness{cloud}, 200, "ready\ncloud: ready\n"},
		{[]Readiness{cloud, pta}, 200, "degraded\ncloud: ready\npta: not ready: no agent is connected\n"},
		{[]Readiness{pta, agent}, 503, "not ready\npta: not ready: no agent is connected\npta/agent-1: ready\n"},
		{nil, 503, "not ready\n"},
	} {
		all = c.all
		if code, body := scrape(t, m, "/readyz?verbose"); code != c.code || body != c.body {
			t.Errorf("%v: %d %q", c.all, code, body)
		}
	}
	all = []Readiness{cloud, pta}
	if code, body := scrape(t, m, "/readyz", "Accept", "application/json"); code != 200 ||
		body != `{"status":"degraded","paths":[{"path":"cloud","ready":true},{"path":"pta","ready":false,"detail":"no agent is connected"}]}`+"\n" {
		t.Errorf("JSON: %d %s", code, body)
	}
	if code, body := scrape(t, m, "/livez"); code != 200 || body != "ok\n" {
		t.Errorf("livez: %d %s", code, body)
	}
}

func TestExemplarsCarryTheTraceID(t *testing.T) {
	m := full()
	m.Observe(final(authn.PathCloud, authn.Allowed, authn.None))
	if _, body := scrape(t, m, "/metrics", "Accept", "application/openmetrics-text;version=1.0.0"); !strings.Contains(body, `# {trace_id="id"}`) {
		t.Error("no exemplar")
	}
}

func TestInstrumentCountsByListenerNeverByRoute(t *testing.T) {
	m := full()
	h := m.Instrument("public", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") }))
	for _, method := range []string{"GET", "BREW"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, "/secret/path", nil))
	}
	for series, want := range map[string]string{
		`http_requests_total{code="200",listener="public",method="get"}`:     "1",
		`http_requests_total{code="200",listener="public",method="unknown"}`: "1",
	} {
		if got := value(t, m, series); got != want {
			t.Errorf("%s is %s", series, got)
		}
	}
	for _, series := range names(t, m) {
		if strings.Contains(series, "secret") || strings.Contains(series, "brew") {
			t.Errorf("request text in %s", series)
		}
	}
}
