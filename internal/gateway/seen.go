package gateway

import (
	"context"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/trace"
)

// seen is the lab's traces as its public pages show them: with what the identity provider wrote of them.
type seen struct{ g *Gateway }

// Trace implements web.Traces.
func (s seen) Trace(ctx context.Context, id authn.AttemptID) (trace.Attempt, error) {
	t, err := s.g.Trace(ctx, id)
	if p := s.g.lab.Ports; err == nil && p != nil && p.Evidence != nil {
		t.Away, err = p.Evidence.AwayOf(ctx, t.Records)
	}
	return trace.Attempt{Records: t.Records, Away: t.Away}, err
}
