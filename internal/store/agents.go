package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/fourways-id/fourways/internal/directory"
)

// Agent is an enrolled on-premises agent. Its private keys never leave it.
type Agent struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Roles    []string  `json:"roles"`   // "pta", "sync"
	NKey     string    `json:"nkey"`    // NATS user public key
	SignKey  []byte    `json:"signKey"` // Ed25519 public key
	BoxKey   []byte    `json:"boxKey"`  // HPKE public key
	Version  string    `json:"version"`
	Created  time.Time `json:"created"`
	LastSeen time.Time `json:"lastSeen,omitzero"`
	Revoked  bool      `json:"revoked"`
}

// Invitation lets one agent enrol, once. The token itself is not in it.
type Invitation struct {
	Hash  []byte    `json:"-"` // of the token
	Name  string    `json:"name"`
	Roles []string  `json:"roles"`
	Until time.Time `json:"until"`
	By    string    `json:"by"`
}

const (
	selectAgents      = `SELECT id, name, roles, nkey, sign_key, box_key, version, created, last_seen, revoked FROM agents`
	selectInvitations = `SELECT hash, name, roles, ends, by_whom FROM invitations`
)

// CreateInvitation keeps an invitation; directory.ErrConflict when its hash is taken. Until must be set.
func (d *DB) CreateInvitation(ctx context.Context, i Invitation) error {
	if len(i.Hash) == 0 || i.Until.IsZero() {
		return errors.New("create an invitation: a token hash and an end are needed")
	}
	roles, err := encode(i.Roles)
	if err != nil {
		return err
	}
	return d.write(ctx, func(t *tx) error {
		n, err := t.exec(`INSERT INTO invitations (hash, name, roles, ends, by_whom) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
			i.Hash, i.Name, roles, stamp(i.Until), i.By)
		return errors.Join(err, conflict(err == nil && n == 0, "create the invitation of agent %s", i.Name))
	})
}

// UseInvitation enrols an agent and uses the invitation up, both or neither. The roles are those of the invitation, and
// so is the name when the agent gives none. directory.ErrNotFound when the invitation is unknown, used or over;
// directory.ErrConflict when the agent's id or NATS key is enrolled already.
func (d *DB) UseInvitation(ctx context.Context, hash []byte, a Agent) error {
	if a.ID == "" || a.NKey == "" || len(a.SignKey) == 0 || len(a.BoxKey) == 0 {
		return errors.New("enrol an agent: an id, a NATS key, a signing key and a box key are needed")
	}
	return d.write(ctx, func(t *tx) error {
		i, err := takeInvitation(t, hash, d.clock.Now())
		if err != nil {
			return err
		}
		if a.Roles = i.Roles; a.Name == "" {
			a.Name = i.Name
		}
		roles, err := encode(a.Roles)
		if err != nil {
			return err
		}
		n, err := t.exec(`INSERT INTO agents (id, name, roles, nkey, sign_key, box_key, version, created, last_seen, revoked)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, FALSE) ON CONFLICT DO NOTHING`,
			a.ID, a.Name, roles, a.NKey, a.SignKey, a.BoxKey, a.Version, stamp(a.Created), stamp(a.LastSeen))
		return errors.Join(err, conflict(err == nil && n == 0, "enrol agent %s: its id or NATS key", a.Name))
	})
}

func takeInvitation(t *tx, hash []byte, now time.Time) (Invitation, error) {
	rows, err := t.rows(selectInvitations+` WHERE hash = $1 AND ends > $2`, hash, stamp(now))
	if err != nil {
		return Invitation{}, err
	}
	found, err := collect(rows, scanInvitation)
	if err != nil || len(found) == 0 {
		return Invitation{}, errors.Join(err, missing(len(found) > 0, "the invitation is unknown, used or over"))
	}
	// Of two agents that come with one token at once, the one that removes it enrols.
	n, err := t.exec(`DELETE FROM invitations WHERE hash = $1`, hash)
	return found[0], errors.Join(err, missing(err != nil || n == 1, "the invitation is unknown, used or over"))
}

// Invitations lists the invitations that can still be used, by name.
func (d *DB) Invitations(ctx context.Context) ([]Invitation, error) {
	return list(ctx, d, "invitations", scanInvitation, selectInvitations+` WHERE ends > $1 ORDER BY name, hash`, stamp(d.clock.Now()))
}

// Agents lists all agents by name, revoked ones too.
func (d *DB) Agents(ctx context.Context) ([]Agent, error) {
	return list(ctx, d, "agents", scanAgent, selectAgents+` ORDER BY name, id`)
}

// Agent returns an agent, also a revoked one; directory.ErrNotFound when there is none.
func (d *DB) Agent(ctx context.Context, id string) (Agent, error) {
	return one(ctx, d, "agent "+id, scanAgent, selectAgents+` WHERE id = $1`, id)
}

// RevokeAgent cuts an agent off for good; directory.ErrNotFound when there is none.
func (d *DB) RevokeAgent(ctx context.Context, id string) error {
	return d.changeAgent(ctx, id, `UPDATE agents SET revoked = TRUE WHERE id = $1`)
}

// SeenAgent notes when an agent was last heard of; directory.ErrNotFound when there is none.
func (d *DB) SeenAgent(ctx context.Context, id string, at time.Time) error {
	return d.changeAgent(ctx, id, `UPDATE agents SET last_seen = $2 WHERE id = $1`, stamp(at))
}

func (d *DB) changeAgent(ctx context.Context, id, query string, args ...any) error {
	return d.write(ctx, func(t *tx) error {
		n, err := t.exec(query, append([]any{id}, args...)...)
		if err == nil && n == 0 {
			err = directory.ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("change agent %s: %w", id, err)
		}
		return nil
	})
}

func scanAgent(r row) (a Agent, err error) {
	var roles []byte
	var created, seen int64
	if err := r.Scan(&a.ID, &a.Name, &roles, &a.NKey, &a.SignKey, &a.BoxKey, &a.Version, &created, &seen, &a.Revoked); err != nil {
		return a, err
	}
	a.Created, a.LastSeen = moment(created), moment(seen)
	err = json.Unmarshal(roles, &a.Roles)
	return a, err
}

func scanInvitation(r row) (i Invitation, err error) {
	var roles []byte
	var ends int64
	if err := r.Scan(&i.Hash, &i.Name, &roles, &ends, &i.By); err != nil {
		return i, err
	}
	i.Until = moment(ends)
	err = json.Unmarshal(roles, &i.Roles)
	return i, err
}
