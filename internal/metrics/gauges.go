package metrics

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// readWithin bounds the readers of one scrape.
const readWithin = 2 * time.Second

// gauges asks the readers at scrape time.
type gauges struct{ readers Readers }

type description struct {
	name, help string
	labels     []string
}

func (d description) desc() *prometheus.Desc {
	return prometheus.NewDesc(d.name, d.help, d.labels, nil)
}

func pathReady() description {
	return description{"fourways_signin_path_ready", "1 when people can sign in by that path now.", []string{"signin_path"}}
}

func hashQueue() description {
	return description{"fourways_hash_queue_length", "Sign-ins that wait for a hash worker.", nil}
}

func ptaAgents() description {
	return description{"fourways_pta_agents", "Pass-through agents, by state.", []string{"state"}}
}

func domainPath() description {
	return description{"fourways_domain_signin_path_info", "Always 1; the path that a domain's people take now.", []string{"domain", "signin_path"}}
}

func certExpiry() description {
	return description{"fourways_idp_signing_certificate_expiry_timestamp_seconds", "When the last good signing certificate of an identity provider ends.", []string{"idp"}}
}

func lastSync() description {
	return description{"fourways_sync_last_success_timestamp_seconds", "When a synchronisation last succeeded; 0 for never.", []string{"kind"}}
}

func staleness() description {
	return description{"fourways_password_hash_staleness_seconds", "Age of the oldest password change on the premises that is not here yet.", nil}
}

func pendingChanges() description {
	return description{"fourways_password_hash_pending_changes", "Password changes on the premises that are not here yet.", nil}
}

func pendingObjects() description {
	return description{"fourways_sync_pending_objects", "Objects that came from the premises and wait to be put into the tenant or deleted from it.", []string{"action"}}
}

func withoutHash() description {
	return description{"fourways_users_without_password_hash", "Synchronised people of domains with password hash synchronisation of whom no hash is here.", nil}
}

func faultActive() description {
	return description{"fourways_fault_active", "1 while a fault of the lab is on.", []string{"fault"}}
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []description{pathReady(), hashQueue(), ptaAgents(), domainPath(), certExpiry(), lastSync(), staleness(), pendingChanges(), pendingObjects(), withoutHash(), faultActive()} {
		ch <- d.desc()
	}
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	put := func(d description, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d.desc(), prometheus.GaugeValue, value, labels...)
	}
	g.paths(put)
	g.federation(put)
	g.sync(put)
	put(hashQueue(), float64(ask(g.readers.HashQueue)))
	for name, on := range sorted(ask(g.readers.Faults)) {
		put(faultActive(), truth(on), name)
	}
}

type putter func(d description, value float64, labels ...string)

func (g *gauges) paths(put putter) {
	ctx, cancel := context.WithTimeout(context.Background(), readWithin)
	defer cancel()
	ready := map[string]bool{}
	for _, p := range realPaths() {
		ready[string(p)] = false
	}
	if g.readers.Ready != nil {
		for _, r := range g.readers.Ready(ctx) {
			if _, ok := ready[string(r.Path)]; ok && r.Dependency == "" {
				ready[string(r.Path)] = r.Ready
			}
		}
	}
	for path, ok := range sorted(ready) {
		put(pathReady(), truth(ok), path)
	}
	for _, d := range ask(g.readers.Domains) {
		put(domainPath(), 1, d.Name, string(d.Path))
	}
}

func (g *gauges) federation(put putter) {
	for idp, end := range sorted(ask(g.readers.CertExpiry)) {
		put(certExpiry(), float64(end.Unix()), idp)
	}
	states := ask(g.readers.Agents)
	for _, state := range []string{"active", "draining", "inactive"} {
		put(ptaAgents(), float64(states[state]), state)
	}
}

func (g *gauges) sync(put putter) {
	for _, kind := range syncKinds() {
		value := 0.0
		if g.readers.LastSync != nil {
			if at := g.readers.LastSync(kind); !at.IsZero() {
				value = float64(at.UnixMilli()) / 1000
			}
		}
		put(lastSync(), value, kind)
	}
	var count, puts, deletes int
	var stale float64
	r := g.readers.Sync
	if r.PasswordLag != nil {
		var oldest time.Time
		if count, oldest = r.PasswordLag(); count > 0 && r.Clock != nil && !oldest.IsZero() {
			stale = max(0, r.Clock.Now().Sub(oldest).Seconds())
		}
	}
	if r.Pending != nil {
		puts, deletes = r.Pending()
	}
	put(staleness(), stale)
	put(pendingChanges(), float64(count))
	put(pendingObjects(), float64(puts), "put")
	put(pendingObjects(), float64(deletes), "delete")
	put(withoutHash(), float64(ask(r.WithoutHash)))
}

// ask asks a reader; a nil one answers the zero value.
func ask[T any](read func() T) T {
	var zero T
	if read == nil {
		return zero
	}
	return read()
}

// sorted goes through a map in the order of its keys.
func sorted[V any](m map[string]V) func(yield func(string, V) bool) {
	return func(yield func(string, V) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
