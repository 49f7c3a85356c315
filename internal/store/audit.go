package store

import (
	"context"
	"time"
)

// AuditEntry is one change that an operator made or tried to make. It never holds a secret.
type AuditEntry struct {
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
	return list(ctx, d, "audit log", body[AuditEntry], `SELECT body FROM audit ORDER BY id DESC LIMIT $1`, page(last))
}
