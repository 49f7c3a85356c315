package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// errReplayed rolls a step back whose once-only id was used before.
var errReplayed = errors.New("an id that is good once was used before")

// Commit stores all that one finished step leaves behind, durably, or nothing (authn.Committer). A used once-only id
// gives a Receipt with Replayed and stores nothing; so does, with Overtaken, a sign-in or a change of password whose old one
// is no longer the stored one. An error means that nothing was stored, ctx's end included: once the
// writer has begun with a step, its outcome is waited for.
func (d *DB) Commit(ctx context.Context, f authn.Final) (authn.Receipt, error) {
	scheme, err := check(f)
	if err != nil {
		return authn.Receipt{}, err
	}
	var sealed []byte
	if len(f.Credential) > 0 {
		sealed = d.sealCredential(f.Record.Account, scheme, f.Credential)
	}
	var receipt authn.Receipt
	err = d.write(ctx, func(t *tx) (err error) {
		if err := useOnce(t, f.Once); err != nil {
			return err
		}
		if receipt.Locked, err = d.settle(t, f); err != nil {
			return err
		}
		f.Record.Locked = receipt.Locked
		if f.Changed { // before the session: the change ends all that there are
			if err := d.change(t, f, sealed); err != nil {
				return err
			}
		}
		if f.Session != nil {
			if len(f.Checked) > 0 && !f.Changed {
				if err := d.stillGood(t, f); err != nil {
					return err
				}
			}
			if err := putSession(t, *f.Session); err != nil {
				return err
			}
		}
		if sealed != nil && !f.Changed {
			if err := rehash(t, f.Record.Account, scheme, sealed, stamp(f.Record.At), stamp(d.clock.Now())); err != nil {
				return err
			}
		}
		return putRecord(t, f.Record)
	})
	switch {
	case errors.Is(err, errReplayed):
		return authn.Receipt{Replayed: true}, nil
	case errors.Is(err, errOvertaken):
		return authn.Receipt{Overtaken: true}, nil
	case err != nil:
		return authn.Receipt{}, fmt.Errorf("commit step %d of attempt %s: %w", f.Record.Seq, f.Record.ID, err)
	}
	return receipt, nil
}

// check refuses a Final that contradicts itself, and names the scheme of its credential.
func check(f authn.Final) (scheme string, err error) {
	switch {
	case f.Record.ID == "":
		return "", errors.New("commit: the record has no attempt id")
	case f.TallyKey != "" && f.Ticket == nil:
		return "", fmt.Errorf("commit attempt %s: a tally key without a ticket", f.Record.ID)
	case f.Session != nil && (len(f.Session.Hash) == 0 || f.Session.Account == ""):
		return "", fmt.Errorf("commit attempt %s: a session without token hash or account", f.Record.ID)
	case f.Changed && (len(f.Credential) == 0 || len(f.Checked) == 0 || f.Record.Realm.Path != authn.PathCloud):
		return "", fmt.Errorf("commit attempt %s: a changed password without its record, without the one it replaces, or on path %s", f.Record.ID, f.Record.Path())
	case len(f.Credential) == 0:
		return "", nil
	case f.Record.Account == "":
		return "", fmt.Errorf("commit attempt %s: a credential of nobody", f.Record.ID)
	case f.Record.Realm.Path == authn.PathCloud:
		return directory.SchemeCloud, nil
	case f.Record.Realm.Path == authn.PathPHS:
		return directory.SchemePHS, nil
	}
	return "", fmt.Errorf("commit attempt %s: path %s holds no credentials", f.Record.ID, f.Record.Path())
}

// useOnce uses up ids; errReplayed when one was used.
func useOnce(t *tx, ids []authn.Once) error {
	for _, o := range ids {
		n, err := t.exec(`INSERT INTO once_ids (kind, id, ends) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, o.Kind, o.ID, stamp(o.Until))
		if err != nil {
			return err
		}
		if n == 0 {
			return errReplayed
		}
	}
	return nil
}

// settle applies the ticket to the tally as it stands now, and reports whether that locked it.
func (d *DB) settle(t *tx, f authn.Final) (locked bool, err error) {
	if f.TallyKey == "" {
		return false, nil
	}
	before, err := readTally(t, f.TallyKey)
	if err != nil {
		return false, err
	}
	after := f.Ticket.Settle(before, f.Effect)
	if sameTally(before, after) {
		return false, nil
	}
	now := d.clock.Now()
	return after.LockedUntil.After(now) && !before.LockedUntil.After(now), putTally(t, f.TallyKey, after)
}
