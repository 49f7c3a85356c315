// Package metrics holds every metric of fourways and serves them with the health of the gateway.
//
// In come finished sign-ins (Observe is a sink of the journal), a few events that leave no record, and readers that are
// asked at scrape time. Out come Prometheus text on /metrics, and /livez and /readyz. Every combination of labels that the
// Reason table allows is there at 0 from the start. No label ever comes from the text of a request: not a name, an
// address, an agent's word or a correlation id; so random names can't grow the number of series.
package metrics

import (
	"context"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// Readers are asked at scrape time. A nil one has nothing to say, and its metric is absent or 0.
type Readers struct {
	Ready      func(ctx context.Context) []Readiness
	HashQueue  func() int                  // sign-ins that wait for a hash worker
	Agents     func() map[string]int       // state (active, inactive, draining) -> pass-through agents
	Domains    func() []directory.Domain   // as they are in force, overrides included
	CertExpiry func() map[string]time.Time // IdP id -> end of its last good signing certificate
	LastSync   func(kind string) time.Time // last success; zero: never
	Sync       SyncReaders
	Faults     func() map[string]bool // every fault by name, and whether it is on; nil outside of the lab
}

// SyncReaders say how far the tenant is behind the premises.
type SyncReaders struct {
	Clock authn.Clock // what ages count from; without it none is told

	// PasswordLag counts the password changes on the premises that are not here yet, and says when the oldest one was. Those
	// that are withheld on purpose are not among them.
	PasswordLag func() (count int, oldest time.Time)

	Pending     func() (put, del int) // objects that came and wait to be put into the tenant, or deleted from it
	WithoutHash func() int            // synchronised people of domains with password hash synchronisation of whom no hash is here
}

// Metrics is every metric. Make one with New; its methods may be called by many goroutines at once.
type Metrics struct {
	registry *prometheus.Registry
	readers  Readers
	signins  signins
	events   events
	traffic  traffic
}

// New makes all metrics and sets every combination to 0.
func New(r Readers) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), readers: r, signins: newSignins(), events: newEvents(), traffic: newTraffic()}
	m.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		buildInfo(),
		&gauges{readers: r},
	)
	m.registry.MustRegister(m.signins.all()...)
	m.registry.MustRegister(m.events.all()...)
	m.registry.MustRegister(m.traffic.all()...)
	return m
}

// Gatherer gives what /metrics serves, for `metrics list` and tests.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }

// buildInfo says which program this is.
func buildInfo() prometheus.Collector {
	version, revision := "unknown", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "fourways_build_info",
		Help:        "Always 1; the labels say which program this is.",
		ConstLabels: prometheus.Labels{"version": version, "revision": revision, "goversion": runtime.Version()},
	}, func() float64 { return 1 })
}

// histogram has classic buckets for the text format and native ones for scrapers that can read them.
func histogram(name, help string, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: name, Help: help,
		Buckets:                     []float64{.002, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160,
	}, labels)
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}
