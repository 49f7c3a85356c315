package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Records returns all steps of an attempt by Seq; none when it is unknown.
func (d *DB) Records(ctx context.Context, id authn.AttemptID) ([]authn.Record, error) {
	return list(ctx, d, "records of attempt "+string(id), scanRecord, `SELECT body, steps FROM records WHERE attempt = $1 ORDER BY seq`, string(id))
}

// SignInQuery narrows the sign-in log; zero fields don't.
type SignInQuery struct {
	Last   int       // how many at most; 0, or above 1000: 1000
	Before time.Time // older than this
	Path   authn.Path
	Who    string // the normalised name that was typed
	Reason string
	Domain string
}

// SignIns returns the sign-in log: the final Record of each attempt, the newest first.
func (d *DB) SignIns(ctx context.Context, q SignInQuery) ([]authn.Record, error) {
	return list(ctx, d, "sign-ins", scanRecord, `SELECT r.body, r.steps FROM signins s JOIN records r ON r.attempt = s.attempt AND r.seq = s.seq
		WHERE (CAST($1 AS BIGINT) = 0 OR s.at < $1) AND (CAST($2 AS TEXT) = '' OR s.path = $2) AND (CAST($3 AS TEXT) = '' OR s.who = $3)
		AND (CAST($4 AS TEXT) = '' OR s.reason = $4) AND (CAST($5 AS TEXT) = '' OR s.domain = $5)
		ORDER BY s.at DESC, s.attempt, s.seq DESC LIMIT $6`,
		stamp(q.Before), string(q.Path), authn.ParseIdentifier(q.Who).Key(), q.Reason, q.Domain, page(q.Last))
}

// putRecord writes a step down. A final one closes its attempt and gets the sign-in log's row; another one leaves it open.
// An attempt that the sweeper closed has its row already: what comes later joins the trace only.
func putRecord(t *tx, r authn.Record) error {
	r, err := appendRecord(t, r)
	if err != nil {
		return err
	}
	closed, swept, err := closedBefore(t, r.ID)
	if err != nil {
		return err
	}
	switch {
	case !r.Final && !closed:
		_, err = t.exec(`INSERT INTO open_attempts (attempt, at) VALUES ($1, $2) ON CONFLICT (attempt) DO UPDATE SET at = excluded.at`, string(r.ID), stamp(r.At))
		return err
	case !r.Final || swept:
		return nil
	}
	if _, err := t.exec(`DELETE FROM open_attempts WHERE attempt = $1`, string(r.ID)); err != nil {
		return err
	}
	return putSignIn(t, r, false)
}

// appendRecord stores the record under its Seq, or the next free one: a step that is sent again with the same pending
// sign-in is a step of its own, and none is ever written over.
func appendRecord(t *tx, r authn.Record) (authn.Record, error) {
	var last sql.NullInt64
	if err := t.row(`SELECT max(seq) FROM records WHERE attempt = $1`, string(r.ID)).Scan(&last); err != nil {
		return r, err
	}
	if last.Valid {
		r.Seq = max(r.Seq, int(last.Int64)+1)
	}
	evidence := r.Steps
	if evidence == nil {
		evidence = []authn.Step{}
	}
	steps, err := encode(evidence)
	if err != nil {
		return r, err
	}
	bare := r
	bare.Steps = nil
	text, err := encode(bare)
	if err != nil {
		return r, err
	}
	_, err = t.exec(`INSERT INTO records (attempt, seq, at, body, steps) VALUES ($1, $2, $3, $4, $5)`, string(r.ID), r.Seq, stamp(r.At), text, steps)
	return r, err
}

func putSignIn(t *tx, r authn.Record, swept bool) error {
	_, err := t.exec(`INSERT INTO signins (attempt, seq, at, path, verdict, reason, who, account, domain, swept) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		string(r.ID), r.Seq, stamp(r.At), string(r.Path()), r.Verdict.String(), r.Reason.String(), r.Who, string(r.Account), r.Realm.Domain, swept)
	return err
}

func closedBefore(t *tx, id authn.AttemptID) (closed, swept bool, err error) {
	err = t.row(`SELECT swept FROM signins WHERE attempt = $1 ORDER BY seq LIMIT 1`, string(id)).Scan(&swept)
	if errors.Is(err, sql.ErrNoRows) {
		return false, false, nil
	}
	return err == nil, swept, err
}

func scanRecord(r row) (rec authn.Record, err error) {
	var text, steps []byte
	if err := r.Scan(&text, &steps); err != nil {
		return rec, err
	}
	err = errors.Join(json.Unmarshal(text, &rec), json.Unmarshal(steps, &rec.Steps))
	return rec, err
}
