package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/trace"
)

// signins is what is counted of sign-ins.
type signins struct {
	total       *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	stages      *prometheus.HistogramVec
	hashWait    *prometheus.HistogramVec
	inFlight    *prometheus.GaugeVec
	lockouts    *prometheus.CounterVec
	validations *prometheus.CounterVec
	agents      *closedSet
	idps        *idps
}

func newSignins() signins {
	s := signins{
		total:       counter("fourways_signins_total", "Sign-ins that have ended, by path, outcome and reason.", "signin_path", "outcome", "reason"),
		duration:    histogram("fourways_signin_duration_seconds", "Time from the request that decided a sign-in to its answer.", "signin_path", "outcome"),
		stages:      histogram("fourways_signin_stage_duration_seconds", "Time of one stage of a sign-in.", "signin_path", "stage"),
		hashWait:    histogram("fourways_hash_queue_wait_seconds", "Time that a sign-in waited for a hash worker."),
		inFlight:    prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "fourways_signins_in_flight", Help: "Sign-in steps that a path works on now."}, []string{"signin_path"}),
		lockouts:    counter("fourways_lockouts_total", "Accounts locked by wrong passwords.", "signin_path"),
		validations: counter("fourways_pta_validations_total", "Passwords that an agent was asked to validate, by agent and result.", "agent", "result"),
		agents:      newClosedSet(maxAgents),
		idps:        newIdPs(),
	}
	s.zero()
	return s
}

// zero makes every series that can ever be counted, so that a rate is right from the first event on.
func (s *signins) zero() {
	s.hashWait.WithLabelValues()
	for _, p := range authn.Paths() {
		s.inFlight.WithLabelValues(string(p))
		for _, r := range authn.Reasons() {
			for _, outcome := range r.Outcomes(p) {
				s.total.WithLabelValues(string(p), outcome, r.String())
				if outcome != authn.Challenged.MetricOutcome() {
					s.duration.WithLabelValues(string(p), outcome)
				}
			}
		}
		for _, stage := range trace.StagesOf(p) {
			s.stages.WithLabelValues(string(p), stage)
		}
		if p.Managed() {
			s.lockouts.WithLabelValues(string(p))
		}
	}
}

func (s *signins) all() []prometheus.Collector {
	return append([]prometheus.Collector{s.total, s.duration, s.stages, s.hashWait, s.inFlight, s.lockouts, s.validations}, s.idps.all()...)
}

// Observe counts a sign-in that has ended. A step that only asked for more is not counted: its attempt will be, once.
func (m *Metrics) Observe(r authn.Record) {
	if !r.Final {
		return
	}
	s, path, outcome, reason := &m.signins, r.Path(), r.Verdict.MetricOutcome(), r.Reason
	if !slices.Contains(reason.Outcomes(path), outcome) { // the table doesn't know it: a mistake of ours, not a new series
		outcome, reason = authn.Unavailable.MetricOutcome(), authn.Internal
	}
	s.total.WithLabelValues(string(path), outcome, reason.String()).Inc()
	if outcome != authn.Challenged.MetricOutcome() { // an attempt that was left has no duration
		d := s.duration.WithLabelValues(string(path), outcome)
		if e, ok := d.(prometheus.ExemplarObserver); ok {
			e.ObserveWithExemplar(r.Took.Seconds(), prometheus.Labels{"trace_id": string(r.ID)})
		}
	}
	if r.Locked && path.Managed() {
		s.lockouts.WithLabelValues(string(path)).Inc()
	}
	s.observeStages(path, r.Steps)
	s.observeAgent(path, outcome, r.Steps)
	s.idps.observe(r, outcome)
}

// Begin counts a step as being worked on, until the function that it returns is called.
func (m *Metrics) Begin(p authn.Path) (end func()) {
	if !slices.Contains(authn.Paths(), p) {
		p = authn.PathNone
	}
	g := m.signins.inFlight.WithLabelValues(string(p))
	g.Inc()
	return g.Dec
}

// observeStages observes the stages that ran.
func (s *signins) observeStages(p authn.Path, steps []authn.Step) {
	took := trace.Stages(steps)
	for _, stage := range trace.StagesOf(p) {
		if d, ok := took[stage]; ok {
			s.stages.WithLabelValues(string(p), stage).Observe(d.Seconds())
		}
	}
	if wait, ok := took[trace.StageHashWait]; ok {
		s.hashWait.WithLabelValues().Observe(wait.Seconds())
	}
}

// maxAgents bounds the agent label: Microsoft supports 40 agents a tenant.
const maxAgents = 40

// observeAgent counts what the chosen agent came to. Its name is the one that it was invited under.
func (s *signins) observeAgent(p authn.Path, outcome string, steps []authn.Step) {
	if p != authn.PathPTA {
		return
	}
	for _, step := range steps {
		if step.ID == authn.P2 && step.Facts[authn.FactAgent] != "" {
			s.validations.WithLabelValues(s.agents.name(step.Facts[authn.FactAgent]), outcome).Inc()
			return
		}
	}
}
