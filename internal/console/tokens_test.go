package console

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// safe holds tokens; "over" is the secret of one that has expired.
type safe struct {
	book
	tokens []api.Token
}

func (s *safe) Token(ctx context.Context, secret string) (api.Token, error) {
	if secret == "over" {
		return api.Token{}, fmt.Errorf("%w (%q)", ErrExpired, "old")
	}
	return s.book.Token(ctx, secret)
}

func (s *safe) Tokens(context.Context) ([]api.Token, error) { return s.tokens, nil }

func (s *safe) RevokeToken(_ context.Context, id string) (api.RevokedToken, error) {
	for i, t := range s.tokens {
		if t.ID == id {
			s.tokens = append(s.tokens[:i], s.tokens[i+1:]...)
			return api.RevokedToken{Token: t}, nil
		}
	}
	return api.RevokedToken{}, directory.ErrNotFound
}

func TestAnExpiredTokenIsToldFromOneThatIsUnknown(t *testing.T) {
	s := &safe{}
	h := New(Ports{Access: s, Books: BookPorts{Tokens: s}}, noon{})
	for token, want := range map[string]string{"over": "expired", "stranger": "unknown or revoked", "": "needs a token"} {
		w := ask(h, token, "GET", "/api/v1/tokens", "")
		if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), want) || w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("the token %q: %d %s", token, w.Code, w.Body)
		}
	}
	if w := ask(h, Admin, "GET", "/api/v1/tokens", ""); w.Code != http.StatusOK {
		t.Errorf("a good one: %d %s", w.Code, w.Body)
	}
}

func TestATokenIsRevokedByAnAdministratorAndThatIsWrittenDown(t *testing.T) {
	s := &safe{tokens: []api.Token{{ID: "t1", Name: "dashboard", Role: Reader}}}
	h := New(Ports{Access: s, Books: BookPorts{Tokens: s}}, noon{})
	if w := ask(h, Operator, "DELETE", "/api/v1/tokens/t1", ""); w.Code != http.StatusForbidden || len(s.tokens) != 1 {
		t.Errorf("an operator: %d", w.Code)
	}
	if w := ask(h, Operator, "GET", "/api/v1/tokens", ""); w.Code != http.StatusForbidden {
		t.Errorf("an operator reads the tokens: %d", w.Code)
	}
	if w := ask(h, Admin, "DELETE", "/api/v1/tokens/t1", ""); w.Code != http.StatusOK || len(s.tokens) != 0 {
		t.Errorf("an administrator: %d %s", w.Code, w.Body)
	}
	last := s.entries[len(s.entries)-1]
	if last.Action != "Revoke token" || last.Target != "t1" || last.Before != "dashboard reader" || last.Result != "success" {
		t.Errorf("%+v", last)
	}
	if w := ask(h, Admin, "DELETE", "/api/v1/tokens/t1", ""); w.Code != http.StatusNotFound {
		t.Errorf("again: %d", w.Code)
	}
}
