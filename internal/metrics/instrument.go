package metrics

import (
	"net/http"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// traffic is what is counted of HTTP requests. The method label is promhttp's closed list, the listener ours.
type traffic struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight *prometheus.GaugeVec
}

func newTraffic() traffic {
	t := traffic{
		requests: counter("http_requests_total", "HTTP requests, by listener, method and status.", "listener", "method", "code"),
		duration: histogram("http_request_duration_seconds", "Time to answer an HTTP request.", "listener"),
		inFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "http_requests_in_flight", Help: "HTTP requests that are being answered."}, []string{"listener"}),
	}
	for _, l := range listeners() {
		t.duration.WithLabelValues(l)
		t.inFlight.WithLabelValues(l)
	}
	return t
}

func (t *traffic) all() []prometheus.Collector {
	return []prometheus.Collector{t.requests, t.duration, t.inFlight}
}

func listeners() []string { return []string{"public", "console"} }

// Instrument counts the requests of a listener: public or console.
func (m *Metrics) Instrument(listener string, h http.Handler) http.Handler {
	if !slices.Contains(listeners(), listener) {
		return h
	}
	t, label := &m.traffic, prometheus.Labels{"listener": listener}
	h = promhttp.InstrumentHandlerCounter(t.requests.MustCurryWith(label), h)
	h = promhttp.InstrumentHandlerDuration(t.duration.MustCurryWith(label), h)
	return promhttp.InstrumentHandlerInFlight(t.inFlight.With(label), h)
}
