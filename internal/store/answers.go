package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"time"
)

// Once names a request that is carried out once: whose it is, the key that its sender chose, and all that tells it from
// another request. Only keyed hashes of key and request are stored.
type Once struct {
	Token, Key string
	Request    []byte
}

// Claim is what is known of a request that is carried out once.
type Claim struct {
	First bool      // nobody asked before: it is the caller's to carry out
	Same  bool      // what was asked before is the same request
	Busy  time.Time // until then whoever was first may still be at work
	// Answer is what it came to. Without one, once Busy is over, nobody knows whether it was carried out.
	Answer []byte
}

// The lives of an answer: how long it is kept, and how long the work for it may take. Both are real time.
const (
	answerFor = 24 * time.Hour
	workFor   = time.Hour
)

const answersLabel = "answers"

// ClaimAnswer reserves a request for its first sender, durably and before it is carried out: of several at once, on whatever
// gateways, one is the first. What is past its end is forgotten beside it.
func (d *DB) ClaimAnswer(ctx context.Context, o Once) (Claim, error) {
	name, request := d.hashes(o)
	now := realNow()
	var c Claim
	var sealed []byte
	err := d.write(ctx, func(t *tx) error {
		if _, err := t.exec(`DELETE FROM answers WHERE (token, name) IN (SELECT token, name FROM answers WHERE ends <= $1 LIMIT $2)`, stamp(now), chunk); err != nil {
			return err
		}
		if _, err := t.exec(`DELETE FROM answers WHERE token = $1 AND name = $2 AND ends <= $3`, o.Token, name, stamp(now)); err != nil {
			return err
		}
		n, err := t.exec(`INSERT INTO answers (token, name, request, sealed, busy, ends) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (token, name) DO NOTHING`,
			o.Token, name, request, []byte{}, stamp(now.Add(workFor)), stamp(now.Add(answerFor)))
		if err != nil || n == 1 {
			c = Claim{First: true, Same: true}
			return err
		}
		var before []byte
		var busy int64
		if err := t.row(`SELECT request, sealed, busy FROM answers WHERE token = $1 AND name = $2`, o.Token, name).Scan(&before, &sealed, &busy); err != nil {
			return err
		}
		c = Claim{Same: hmac.Equal(before, request)}
		if stamp(now) < busy {
			c.Busy = moment(busy)
		}
		return nil
	})
	if err == nil && c.Same && len(sealed) > 0 {
		c.Answer, err = d.ring.Unseal(answersLabel, bound(o.Token, name), sealed)
	}
	if err != nil {
		return Claim{}, fmt.Errorf("look for the answer to a repeated request: %w", err)
	}
	return c, nil
}

// KeepAnswer seals what a claimed request came to; none says that its work has ended and nobody knows how.
func (d *DB) KeepAnswer(ctx context.Context, o Once, answer []byte) error {
	name, _ := d.hashes(o)
	sealed := []byte{}
	if len(answer) > 0 {
		sealed = d.ring.Seal(answersLabel, bound(o.Token, name), answer)
	}
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE answers SET sealed = $3, busy = 0 WHERE token = $1 AND name = $2`, o.Token, name, sealed)
		if err != nil {
			return fmt.Errorf("keep the answer to a request: %w", err)
		}
		return nil
	})
}

// hashes are what stands for key and request in the store. They are keyed: a request may hold a password.
func (d *DB) hashes(o Once) (name, request []byte) {
	key := d.ring.Derive("answers hash", sha256.Size)
	hash := func(kind string, text []byte) []byte {
		h := hmac.New(sha256.New, key)
		_, _ = h.Write([]byte(kind + "\x00")) // never fails
		_, _ = h.Write(text)
		return h.Sum(nil)
	}
	return hash("key", []byte(o.Token+"\x00"+o.Key)), hash("request", o.Request)
}

// bound ties a sealed answer to its row.
func bound(token string, name []byte) []byte { return append([]byte(token+"\x00"), name...) }

// realNow is for what must not move with the lab's clock.
func realNow() time.Time { return time.Now() } //nolint:forbidigo // the caller's retries are real time
