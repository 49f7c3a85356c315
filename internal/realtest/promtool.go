package realtest

import (
	"fmt"
	"testing"
)

// PromtoolProgram is Prometheus's own checker.
type PromtoolProgram struct{}

// Promtool gives the checker of the installed Prometheus.
func Promtool(t testing.TB) PromtoolProgram {
	t.Helper()
	Need(t, "promtool")
	return PromtoolProgram{}
}

// CheckMetrics lints an exposition in the text format; the error holds promtool's complaints.
func (PromtoolProgram) CheckMetrics(exposition []byte) error {
	if len(exposition) == 0 {
		return fmt.Errorf("promtool takes an empty exposition for a good one: nothing was scraped")
	}
	_, err := tool("/", string(exposition), "promtool", "check", "metrics")
	return err
}

// CheckRules checks recording and alerting rules in files.
func (PromtoolProgram) CheckRules(paths ...string) error {
	_, err := tool("/", "", "promtool", append([]string{"check", "rules"}, paths...)...)
	return err
}
