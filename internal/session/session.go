// Package session makes and finds browser sessions, and seals sign-ins that wait for their next step.
//
// In come the person that settle let in, a session token, or a pending sign-in; out come the session's row with its token,
// the session, or a cookie value. The token is random and the store keeps its hash only. The package never decides who is
// let in, never speaks HTTP, and keeps nothing in memory: what the store says is so on every gateway.
package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/keyring"
)

// ErrNone says that there is no such session or pending sign-in: unknown, ended, over, or not ours. Which of them is not told.
var ErrNone = errors.New("no session")

// Store keeps sessions.
type Store interface {
	// SessionByHash returns directory.ErrNotFound when there is none.
	SessionByHash(ctx context.Context, hash []byte) (authn.Session, error)
	TouchSession(ctx context.Context, hash []byte, at time.Time) error
	EndSession(ctx context.Context, hash []byte) error
}

// Options are the parts of a Manager. Ring, Store and Clock must be set.
type Options struct {
	Ring     *keyring.Ring
	Store    Store
	Clock    authn.Clock
	Protocol authn.Clock   // what an IdP's limit is measured with; nil: the machine's own clock
	TTL      time.Duration // absolute lifetime; 0: 24 hours
	Idle     time.Duration // lifetime without use; 0: 8 hours
}

// Manager makes and finds sessions. It is safe for concurrent use.
type Manager struct{ o Options }

const (
	defaultTTL  = 24 * time.Hour
	defaultIdle = 8 * time.Hour
	touchEvery  = time.Minute // bounds the writes that reading pages causes
	aheadMost   = pendingFor  // by which the clock of the gateway that made a session may be ahead of this one's
	tokenLen    = 32
)

// New makes a Manager.
func New(o Options) *Manager {
	if o.TTL <= 0 {
		o.TTL = defaultTTL
	}
	if o.Idle <= 0 {
		o.Idle = defaultIdle
	}
	if o.Protocol == nil {
		o.Protocol = machine{}
	}
	return &Manager{o: o}
}

// machine is the machine's own clock: an IdP's limit is protocol time, which the lab doesn't move.
type machine struct{}

func (machine) Now() time.Time { return time.Now() } //nolint:forbidigo // protocol time is real

// New makes a session of the account that s names, and its token: 256 random bits in base64url. Nothing is stored yet.
// The identity provider's limit (SAML core 2.7.2, SessionNotOnOrAfter) shortens the absolute lifetime.
func (m *Manager) New(s authn.Subject, p authn.Proof) (authn.Session, string, error) {
	if s.Account == "" {
		return authn.Session{}, "", errors.New("a session without an account was asked for")
	}
	life := m.o.TTL
	if !p.NotAfter.IsZero() {
		life = min(life, p.NotAfter.Sub(m.o.Protocol.Now()))
	}
	if life <= 0 {
		return authn.Session{}, "", fmt.Errorf("the identity provider's limit on the session, %s, is over", p.NotAfter.UTC().Format(time.RFC3339))
	}
	var b [tokenLen]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	token := base64.RawURLEncoding.EncodeToString(b[:])
	now := m.o.Clock.Now()
	return authn.Session{
		Hash: hash(token), Account: s.Account, Proof: p,
		Began: now, Until: now.Add(life), IdleFor: m.o.Idle, LastSeen: now,
	}, token, nil
}

// Lookup finds the session of a token and notes its use, at most once a minute. ErrNone when it is unknown, over or idle;
// any other error means that the store could not be asked.
func (m *Manager) Lookup(ctx context.Context, token string) (authn.Session, error) {
	if len(token) != base64.RawURLEncoding.EncodedLen(tokenLen) {
		return authn.Session{}, ErrNone
	}
	s, err := m.o.Store.SessionByHash(ctx, hash(token))
	if errors.Is(err, directory.ErrNotFound) {
		return authn.Session{}, ErrNone
	}
	if err != nil {
		return authn.Session{}, fmt.Errorf("look up a session: %w", err)
	}
	now := m.o.Clock.Now()
	if s.Began.Sub(now) > aheadMost { // the clock went back: its life would be as much longer
		return authn.Session{}, ErrNone
	}
	if !now.Before(s.Until) || s.IdleFor > 0 && !now.Before(s.LastSeen.Add(s.IdleFor)) {
		return authn.Session{}, ErrNone
	}
	if now.Sub(s.LastSeen) >= touchEvery {
		// A use that can't be noted ends the session earlier, never later: people stay signed in while the disk is full.
		if m.o.Store.TouchSession(ctx, s.Hash, now) == nil {
			s.LastSeen = now
		}
	}
	return s, nil
}

// End ends the session of a token; one that doesn't exist is ended already.
func (m *Manager) End(ctx context.Context, token string) error {
	if err := m.o.Store.EndSession(ctx, hash(token)); err != nil && !errors.Is(err, directory.ErrNotFound) {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

// hash needs no salt and no cost: a token has 256 random bits.
func hash(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}
