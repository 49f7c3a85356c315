package metrics

import (
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// idps is what is counted of identity providers. Only configured ones are counted.
type idps struct {
	exchanges  *prometheus.CounterVec
	rejections *prometheus.CounterVec

	mu    sync.Mutex
	known map[string]string // id -> protocol
}

func newIdPs() *idps {
	return &idps{
		exchanges:  counter("fourways_idp_exchanges_total", "Sign-ins that an identity provider was asked about, by result.", "idp", "protocol", "result"),
		rejections: counter("fourways_assertion_rejections_total", "Answers of an identity provider that were refused, by the check that refused.", "idp", "protocol", "check"),
		known:      map[string]string{},
	}
}

func (i *idps) all() []prometheus.Collector { return []prometheus.Collector{i.exchanges, i.rejections} }

// checks is the closed list of assertion checks; F5 is the token call of OpenID Connect.
func checks() []authn.StepID {
	return []authn.StepID{
		authn.F4Structure, authn.F4Signature, authn.F4Issuer, authn.F4Realm, authn.F4Audience, authn.F4Recipient,
		authn.F4InResponse, authn.F4Time, authn.F4Replay, authn.F4Subject, authn.F5,
	}
}

// checkLabel is the label of a check; "" when the step is none.
func checkLabel(id authn.StepID) string {
	if id == authn.F5 {
		return "token"
	}
	name, ok := strings.CutPrefix(string(id), "F4.")
	if !ok {
		return ""
	}
	return name
}

// KnowIdPs makes the series of the configured identity providers; call it at the start and after a reload.
func (m *Metrics) KnowIdPs(list []directory.IdP) {
	i := m.signins.idps
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, p := range list {
		i.known[p.ID] = p.Protocol
		for _, result := range []authn.Verdict{authn.Allowed, authn.Denied, authn.Unavailable, authn.Challenged} {
			i.exchanges.WithLabelValues(p.ID, p.Protocol, result.MetricOutcome())
		}
		for _, check := range checks() {
			i.rejections.WithLabelValues(p.ID, p.Protocol, checkLabel(check))
		}
	}
}

func (i *idps) observe(r authn.Record, outcome string) {
	i.mu.Lock()
	protocol, ok := i.known[r.Realm.IdP]
	i.mu.Unlock()
	if !ok || r.Path() != authn.PathFederated {
		return
	}
	i.exchanges.WithLabelValues(r.Realm.IdP, protocol, outcome).Inc()
	if label := checkLabel(r.Check); r.Verdict == authn.Denied && label != "" {
		i.rejections.WithLabelValues(r.Realm.IdP, protocol, label).Inc()
	}
}

// closedSet gives the first names their own label value and all later ones "other".
type closedSet struct {
	mu    sync.Mutex
	limit int
	seen  map[string]bool
}

func newClosedSet(limit int) *closedSet { return &closedSet{limit: limit, seen: map[string]bool{}} }

func (c *closedSet) name(s string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen[s] {
		return s
	}
	if len(c.seen) >= c.limit {
		return "other"
	}
	c.seen[s] = true
	return s
}
