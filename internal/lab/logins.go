package lab

import (
	"slices"
	"time"

	"github.com/fourways-id/fourways/internal/lab/harbour"
)

// IdPEvents are Harbour ID's own log since a time by the lab's clock, oldest first: as much of it as is remembered.
func (l *Lab) IdPEvents(since time.Time) []harbour.Event {
	return slices.DeleteFunc(l.servers.harbour.Events(), func(e harbour.Event) bool { return e.At.Before(since) })
}
