package metrics

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/fourways-id/fourways/authn"
)

// Readiness says whether a path, or one thing that it depends on, can be used now.
type Readiness struct {
	Path       authn.Path `json:"path"`
	Dependency string     `json:"dependency,omitempty"` // "" for the path as a whole
	Ready      bool       `json:"ready"`
	Detail     string     `json:"detail,omitempty"` // why not, or what it rests on
}

// Handler serves /metrics, /livez and /readyz (with ?verbose: each path and dependency; JSON when that is accepted).
// readyz is 503 only when no path can be used: a dead domain controller must not take the cloud people's gateway away.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "ok\n") // the prober may be gone already
	})
	mux.HandleFunc("GET /readyz", m.readyz)
	return mux
}

// health is the body of readyz.
type health struct {
	Status string      `json:"status"` // ready, degraded or not ready
	Paths  []Readiness `json:"paths"`
	Faults []string    `json:"faults,omitempty"` // of a lab, what is broken on purpose
}

func (m *Metrics) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readWithin)
	defer cancel()
	h := health{Status: "not ready", Paths: []Readiness{}}
	if m.readers.Ready != nil {
		h.Paths = m.readers.Ready(ctx)
	}
	h.Status = status(h.Paths)
	for name, on := range sorted(ask(m.readers.Faults)) {
		if on {
			h.Faults = append(h.Faults, name)
		}
	}
	code := http.StatusOK
	if h.Status == "not ready" {
		code = http.StatusServiceUnavailable
	}
	w.Header().Set("Cache-Control", "no-store")
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(h) // the prober may be gone already
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = fmt.Fprintln(w, h.Status)
	if r.URL.Query().Has("verbose") {
		for _, p := range h.Paths {
			_, _ = fmt.Fprintln(w, p)
		}
		for _, name := range h.Faults {
			_, _ = fmt.Fprintln(w, "broken on purpose: "+name)
		}
	}
}

// status sums up the paths: one that works is enough to be asked, one that doesn't is enough to be looked at.
func status(all []Readiness) string {
	usable, broken := false, false
	for _, r := range all {
		usable = usable || (r.Ready && r.Dependency == "")
		broken = broken || !r.Ready
	}
	switch {
	case !usable:
		return "not ready"
	case broken:
		return "degraded"
	default:
		return "ready"
	}
}

// String is one line of readyz?verbose.
func (r Readiness) String() string {
	name, word := string(r.Path), "ready"
	if r.Dependency != "" {
		name += "/" + r.Dependency
	}
	if !r.Ready {
		word = "not ready"
	}
	if r.Detail != "" {
		word += ": " + r.Detail
	}
	return name + ": " + word
}
