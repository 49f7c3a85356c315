package load

import (
	"fmt"
	"time"
)

// The bounds of a plan. They are far above what one machine can check passwords for, and keep a slip of the finger from
// filling its disk.
const (
	MaxRate     = 5000 // arrivals in a second
	MaxDuration = 15 * time.Minute
	MaxInFlight = 5000
)

// Span is a time.Duration that stands in JSON as Go writes it: 1m30s.
type Span time.Duration

// MarshalText implements encoding.TextMarshaler.
func (s Span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	*s = Span(d)
	return err
}

// Plan says what is sent and when.
type Plan struct {
	Rate     float64 `json:"ratePerSecond"`
	WarmUp   Span    `json:"warmUp"`   // sent before what is measured, at the same rate, and left out of every number
	Duration Span    `json:"duration"` // what is measured
	InFlight int     `json:"inFlight"` // open sign-ins at most; an arrival above it is dropped
	Wrong    float64 `json:"wrong"`    // share of arrivals with a wrong password
	Unknown  float64 `json:"unknown"`  // share of arrivals with a name that nobody has
	Seed     uint64  `json:"seed"`     // the same seed plans the same arrivals
}

// Check says what is out of bounds.
func (p Plan) Check() error {
	const most = Span(MaxDuration)
	switch {
	case !(p.Rate > 0 && p.Rate <= MaxRate): // so written, it refuses NaN as well
		return fmt.Errorf("a rate of %g in a second is out of range: above 0, at most %d", p.Rate, MaxRate)
	case p.WarmUp < 0 || p.Duration <= 0 || p.WarmUp > most || p.Duration > most-p.WarmUp: // a sum could overflow
		return fmt.Errorf("%s after a warm-up of %s is out of range: above 0, together at most %s", time.Duration(p.Duration), time.Duration(p.WarmUp), MaxDuration)
	case p.InFlight < 1 || p.InFlight > MaxInFlight:
		return fmt.Errorf("%d open sign-ins are out of range: 1 to %d", p.InFlight, MaxInFlight)
	case !(p.Wrong >= 0 && p.Unknown >= 0 && p.Wrong+p.Unknown <= 1):
		return fmt.Errorf("shares of %g wrong passwords and %g unknown names are out of range: 0 to 1 together", p.Wrong, p.Unknown)
	}
	return nil
}

// shape says when the arrival with number n is meant to start, counted from the start of the run; false when there are
// no more. The times never go down.
type shape interface {
	at(n int) (time.Duration, bool)
}

// constant has the same time between any two arrivals.
type constant struct {
	rate float64 // in a second
	span time.Duration
}

func (c constant) at(n int) (time.Duration, bool) {
	at := time.Duration(float64(n) / c.rate * float64(time.Second))
	return at, at < c.span
}
