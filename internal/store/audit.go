package store

import (
	"context"
	"encoding/json"
	"math"
	"time"
)

// AuditEntry is one change that an operator made or tried to make. It never holds a secret.
type AuditEntry struct {
	ID     int64     `json:"-"` // its place: a later entry has a greater one
	At     time.Time `json:"at"`
	Who    string    `json:"who"`  // name of the token or user
	From   string    `json:"from"` // address
	Action string    `json:"action"`
	Target string    `json:"target"`
	Before string    `json:"before,omitempty"`
	After  string    `json:"after,omitempty"`
	Result string    `json:"result"`
	Reason string    `json:"reason,omitempty"`
}

// Audit appends to the audit log. Nothing in it can be changed or removed, the engine sees to it.
func (d *DB) Audit(ctx context.Context, e AuditEntry) error {
	text, err := encode(e)
	if err != nil {
		return err
	}
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO audit (at, body) VALUES ($1, $2)`, stamp(e.At), text)
		return err
	})
}

// AuditEntries lists the last entries, the newest first. 0, or above 1000, means 1000.
func (d *DB) AuditEntries(ctx context.Context, last int) ([]AuditEntry, error) {
	return d.AuditEntriesBefore(ctx, math.MaxInt64, last)
}

// AuditEntriesBefore is AuditEntries of those that were written before the entry with that ID.
func (d *DB) AuditEntriesBefore(ctx context.Context, id int64, last int) ([]AuditEntry, error) {
	return list(ctx, d, "audit log", scanAudit, `SELECT id, body FROM audit WHERE id < $1 ORDER BY id DESC LIMIT $2`, id, page(last))
}

func scanAudit(r row) (e AuditEntry, err error) {
	var id int64
	var text []byte
	if err := r.Scan(&id, &text); err != nil {
		return e, err
	}
	err = json.Unmarshal(text, &e)
	e.ID = id
	return e, err
}
