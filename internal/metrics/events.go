package metrics

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// events is what is counted beside sign-ins.
type events struct {
	shed        *prometheus.CounterVec
	late        prometheus.Counter
	refused     *prometheus.CounterVec
	syncRuns    *prometheus.CounterVec
	syncObjects *prometheus.CounterVec
	syncTook    *prometheus.HistogramVec
	blocked     prometheus.Counter
	modes       *prometheus.CounterVec
	uncommitted prometheus.Counter
	reloadOK    prometheus.Gauge
	reloadedAt  prometheus.Gauge
}

func newEvents() events {
	one := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	e := events{
		shed:        counter("fourways_requests_shed_total", "Requests that were turned away at once because too many were at work.", "signin_path"),
		late:        one("fourways_pta_late_responses_total", "Answers of agents that came after the sign-in had been given up."),
		refused:     counter("fourways_pta_refused_responses_total", "Answers of agents that were not believed: forged, replayed, or about another question.", "kind"),
		syncRuns:    counter("fourways_sync_runs_total", "Synchronisation runs, by kind and result.", "kind", "result"),
		syncObjects: counter("fourways_sync_objects_total", "Objects that synchronisation runs changed or left out, by kind of run and action.", "kind", "action"),
		syncTook:    runDurations(),
		blocked:     one("fourways_sync_deletes_blocked_total", "Synchronisation runs that were stopped because they would have deleted too much."),
		modes:       counter("fourways_mode_changes_total", "Changes of a domain's path, by what asked for it.", "from", "to", "source"),
		uncommitted: one("fourways_commit_failures_total", "Sign-ins that were refused because they could not be written down."),
		reloadOK:    gauge("fourways_config_last_reload_successful", "1 when the configuration was last read without a complaint."),
		reloadedAt:  gauge("fourways_config_last_reload_success_timestamp_seconds", "When the configuration was last read without a complaint."),
	}
	e.zero()
	return e
}

func (e *events) zero() {
	for _, p := range authn.Paths() {
		e.shed.WithLabelValues(string(p))
	}
	for _, kind := range refusedKinds() {
		e.refused.WithLabelValues(kind)
	}
	for _, kind := range syncKinds() {
		for _, result := range syncResults() {
			e.syncRuns.WithLabelValues(kind, result)
		}
		for _, action := range syncActions() {
			e.syncObjects.WithLabelValues(kind, action)
		}
		e.syncTook.WithLabelValues(kind)
	}
	for _, from := range realPaths() {
		for _, to := range realPaths() {
			if from == to {
				continue
			}
			for _, source := range modeSources() {
				e.modes.WithLabelValues(string(from), string(to), source)
			}
		}
	}
}

func (e *events) all() []prometheus.Collector {
	return []prometheus.Collector{e.shed, e.late, e.refused, e.syncRuns, e.syncObjects, e.syncTook, e.blocked, e.modes, e.uncommitted, e.reloadOK, e.reloadedAt}
}

func syncKinds() []string   { return []string{"directory", "hash"} }
func syncResults() []string { return []string{"success", "failed", "stopped", "interrupted"} }
func syncActions() []string {
	return []string{"added", "updated", "deleted", "hashed", "withheld", "written_back", "skipped"}
}
func modeSources() []string { return []string{"api", "cli", "config", "console", "reset", "undo"} }

func realPaths() []authn.Path {
	return []authn.Path{authn.PathCloud, authn.PathPHS, authn.PathPTA, authn.PathFederated}
}

// Shed counts a request that was turned away before it became a sign-in.
func (m *Metrics) Shed(p authn.Path) {
	if !slices.Contains(authn.Paths(), p) {
		p = authn.PathNone
	}
	m.events.shed.WithLabelValues(string(p)).Inc()
}

// LateResponse counts an agent's answer that nobody waited for any more.
func (m *Metrics) LateResponse() { m.events.late.Inc() }

func refusedKinds() []string { return []string{"forged", "replayed", "foreign"} }

// RefusedResponse counts an answer that was not believed: forged, replayed or foreign. Any other kind is ignored.
func (m *Metrics) RefusedResponse(kind string) {
	if slices.Contains(refusedKinds(), kind) {
		m.events.refused.WithLabelValues(kind).Inc()
	}
}

// CommitFailed counts a sign-in that could not be written down and so let nobody in.
func (m *Metrics) CommitFailed() { m.events.uncommitted.Inc() }

// runDurations has buckets for runs, which take up to hours where a sign-in takes seconds.
func runDurations() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "fourways_sync_run_duration_seconds", Help: "Time that a synchronisation run took, whatever its result, by kind.",
		Buckets:                     []float64{.1, .5, 1, 5, 15, 60, 300, 900, 1800, 3600, 7200},
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160,
	}, []string{"kind"})
}

// Sync counts a synchronisation run that has ended: a stopped one was held by the deletion guard, an interrupted one ended with
// its gateway, agent or lease. Of what a run without success did before its end, all that is done is counted.
func (m *Metrics) Sync(run directory.Run) {
	if !slices.Contains(syncKinds(), run.Kind) || !slices.Contains(syncResults(), run.Result) {
		return
	}
	e := &m.events
	e.syncRuns.WithLabelValues(run.Kind, run.Result).Inc()
	e.syncTook.WithLabelValues(run.Kind).Observe(max(0, run.Took.Seconds()))
	for action, n := range map[string]int{
		"added": run.Added, "updated": run.Updated, "deleted": run.Deleted, "hashed": run.Hashes, "withheld": run.Withheld,
		"written_back": run.WroteBack, "skipped": len(run.Skipped),
	} {
		e.syncObjects.WithLabelValues(run.Kind, action).Add(float64(max(0, n)))
	}
	if run.Result == "stopped" {
		e.blocked.Inc()
	}
}

// ModeChanged counts a change of a domain's path. source is api, cli, config, console, reset or undo.
func (m *Metrics) ModeChanged(from, to authn.Path, source string) {
	if from == to || !slices.Contains(realPaths(), from) || !slices.Contains(realPaths(), to) || !slices.Contains(modeSources(), source) {
		return
	}
	m.events.modes.WithLabelValues(string(from), string(to), source).Inc()
}

// Reloaded says how the last reading of the configuration ended, the one at the start included.
func (m *Metrics) Reloaded(ok bool, at time.Time) {
	if !ok {
		m.events.reloadOK.Set(0)
		return
	}
	m.events.reloadOK.Set(1)
	m.events.reloadedAt.Set(float64(at.UnixMilli()) / 1000)
}
