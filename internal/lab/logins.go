package lab

import (
	"context"
	"slices"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/lab/harbour"
	"github.com/fourways-id/fourways/internal/trace"
)

// IdPEvents are Harbour ID's own log since a time by the lab's clock, oldest first: as much of it as is remembered.
func (l *Lab) IdPEvents(since time.Time) []harbour.Event {
	return slices.DeleteFunc(l.servers.harbour.Events(), func(e harbour.Event) bool { return e.At.Before(since) })
}

// AwayOf implements console.Evidence: what Harbour ID wrote of a sign-in while nobody at the gateway was looking, joined by
// the id of the request that the browser carried there.
func (l *Lab) AwayOf(_ context.Context, records []authn.Record) ([]trace.Away, error) {
	var all []trace.Away
	for _, request := range requests(records) {
		for _, e := range l.servers.harbour.EventsOf(request) {
			line := trace.Away{At: e.At, Request: e.Request, Who: e.Who, Result: string(e.Result)}
			if e.Reason != authn.None {
				line.Reason = e.Reason.String()
			}
			all = append(all, line)
		}
	}
	return all, nil
}

// requests are the ids of what a federated sign-in asked, each once.
func requests(records []authn.Record) []string {
	var ids []string
	for _, r := range records {
		for _, s := range r.Steps {
			if id := s.Facts[authn.FactRequest]; id != "" && (s.ID == authn.F1 || s.ID == authn.F3) && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}
