package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/gateway"
	"github.com/fourways-id/fourways/internal/lab/fault"
)

// auditWithin bounds the wait for the store.
const auditWithin = 5 * time.Second

// auditEnds writes into the audit log that a fault ended by itself: what an operator does, the console writes.
func (w *workshop) auditEnds(operator *gateway.Operator, log *slog.Logger) {
	book := &gateway.Access{Store: operator.Store, Clock: operator.Clock}
	w.lab.Board().OnEnd(func(a fault.Active) {
		ctx, cancel := context.WithTimeout(context.Background(), auditWithin)
		defer cancel()
		e := console.Entry{
			At: operator.Clock.Now(), Who: "expiry", Action: "Clear fault", Target: a.Name,
			Before: fmt.Sprintf("set by %s, hit %d messages", a.By, a.Hits), Result: "success",
		}
		if err := book.Audit(ctx, e); err != nil {
			log.Error("the end of a fault could not be written to the audit log", "fault", a.Name, "error", err)
		}
	})
}
