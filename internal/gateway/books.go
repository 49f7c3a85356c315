package gateway

import (
	"context"
	"math"
	"strconv"

	"github.com/fourways-id/fourways/internal/admin"
	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/store"
)

// books are what the console keeps about itself.
func (g *Gateway) books() console.BookPorts {
	a := g.access()
	return console.BookPorts{Tokens: a, Log: a, Answers: answers{g.core.store}}
}

// AuditEntries implements console.AuditLog.
func (a *Access) AuditEntries(ctx context.Context, before string, most int) ([]api.AuditEntry, error) {
	last := int64(math.MaxInt64)
	if before != "" {
		var err error
		if last, err = strconv.ParseInt(before, 10, 64); err != nil {
			return nil, admin.BadRequest("%q is no entry of the audit log", before)
		}
	}
	rows, err := a.Store.AuditEntriesBefore(ctx, last, most)
	entries := make([]api.AuditEntry, len(rows))
	for i, e := range rows {
		entries[i] = api.AuditEntry{
			ID: strconv.FormatInt(e.ID, 10), At: e.At, Who: e.Who, From: e.From, Action: e.Action, Target: e.Target,
			Before: e.Before, After: e.After, Result: e.Result,
		}
		if e.Reason != "" {
			entries[i].Result += ": " + e.Reason
		}
	}
	return entries, err
}

// answers implements console.Answers.
type answers struct{ store *store.DB }

func (a answers) Claim(ctx context.Context, o console.Once) (console.Claim, error) {
	c, err := a.store.ClaimAnswer(ctx, store.Once(o))
	return console.Claim{First: c.First, Same: c.Same, Busy: !c.Busy.IsZero(), Answer: c.Answer}, err
}

func (a answers) Keep(ctx context.Context, o console.Once, answer []byte) error {
	return a.store.KeepAnswer(ctx, store.Once(o), answer)
}
