package gateway

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/admin"
	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/store"
)

// The lifetimes of a console token.
const (
	tokenFor     = 30 * 24 * time.Hour
	longestToken = 366 * 24 * time.Hour
)

// Access is the console's tokens and its audit log; it implements console.Access. A token is stored as its SHA-256 only.
type Access struct {
	Store *store.DB
	Clock authn.Clock
}

// access is the console's. A token's life is real time: who moves the lab's clock stays able to move it back.
func (g *Gateway) access() *Access { return &Access{Store: g.core.store, Clock: realClock{}} }

// Token implements console.Access.
func (a *Access) Token(ctx context.Context, secret string) (api.Token, error) {
	hash := sha256.Sum256([]byte(secret))
	t, err := a.Store.TokenByHash(ctx, hash[:])
	if err != nil {
		return api.Token{}, err
	}
	if !a.Clock.Now().Before(t.Until) {
		return api.Token{}, fmt.Errorf("%w (%q, at %s)", console.ErrExpired, t.Name, t.Until.UTC().Format(time.RFC3339))
	}
	return shown(t), nil
}

// shown is a token without what could be guessed at.
func shown(t store.Token) api.Token {
	return api.Token{ID: t.ID, Name: t.Name, Role: t.Role, Created: t.Created, Until: t.Until}
}

// Tokens implements console.Tokens.
func (a *Access) Tokens(ctx context.Context) ([]api.Token, error) {
	rows, err := a.Store.Tokens(ctx)
	tokens := make([]api.Token, len(rows))
	for i, t := range rows {
		tokens[i] = shown(t)
	}
	return tokens, err
}

// RevokeToken implements console.Tokens. The last administrator's may go as well: whoever can read the root key makes another.
func (a *Access) RevokeToken(ctx context.Context, id string) (api.RevokedToken, error) {
	rows, err := a.Store.Tokens(ctx)
	if err != nil {
		return api.RevokedToken{}, err
	}
	var revoked api.RevokedToken
	for _, t := range rows {
		switch {
		case t.ID == id:
			revoked.Token = shown(t)
		case t.Role == console.Admin && a.Clock.Now().Before(t.Until):
			revoked.AdminsLeft++
		}
	}
	return revoked, a.Store.RevokeToken(ctx, id)
}

// NewToken implements console.Access.
func (a *Access) NewToken(ctx context.Context, ask api.NewToken) (api.Token, error) {
	if ask.Name == "" {
		return api.Token{}, admin.BadRequest("give the token a name: it stands in the audit log")
	}
	if err := admin.Text("a token's name", ask.Name, 64); err != nil {
		return api.Token{}, err
	}
	if !slices.Contains(console.Roles(), ask.Role) {
		return api.Token{}, admin.BadRequest("%q is no role: give %s", ask.Role, strings.Join(console.Roles(), ", "))
	}
	valid, err := within(ask.Valid, tokenFor, longestToken)
	if err != nil {
		return api.Token{}, err
	}
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails since Go 1.24
	secret := "fw_" + base64.RawURLEncoding.EncodeToString(raw[:])
	hash := sha256.Sum256([]byte(secret))
	now := a.Clock.Now()
	t := store.Token{ID: admin.NewID(), Name: ask.Name, Role: ask.Role, Hash: hash[:], Created: now, Until: now.Add(valid)}
	if err := a.Store.CreateToken(ctx, t); err != nil {
		return api.Token{}, err
	}
	made := shown(t)
	made.Secret = secret
	return made, nil
}

// Audit implements console.Access.
func (a *Access) Audit(ctx context.Context, e console.Entry) error {
	return a.Store.Audit(ctx, store.AuditEntry{
		At: e.At, Who: e.Who, From: e.From, Action: e.Action, Target: e.Target, Before: e.Before, After: e.After, Result: e.Result,
	})
}
