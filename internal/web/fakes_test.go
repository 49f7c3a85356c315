package web_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/directory"
)

// spy counts what reaches the flow, and keeps the last secret to see whether it was wiped.
type spy struct {
	*authn.Flow
	mu       sync.Mutex
	signIns  int
	resumed  int
	requests []authn.Request
	block    chan struct{}
	entered  chan struct{}
}

func (s *spy) SignIn(ctx context.Context, r authn.Request) authn.Result {
	s.mu.Lock()
	s.signIns++
	s.requests = append(s.requests, r)
	s.mu.Unlock()
	if s.block != nil {
		s.entered <- struct{}{}
		<-s.block
	}
	return s.Flow.SignIn(ctx, r)
}

func (s *spy) Continue(ctx context.Context, p authn.Pending, a authn.Answer, from authn.Place) authn.Result {
	s.mu.Lock()
	s.resumed++
	s.mu.Unlock()
	return s.Flow.Continue(ctx, p, a, from)
}

func (s *spy) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signIns + s.resumed
}

// provider stands in for all four ways in.
type provider struct{ h *house }

func (p provider) Step(_ context.Context, a authn.Attempt) authn.Outcome {
	if a.Realm.Path == authn.PathFederated {
		return p.federated(a)
	}
	if change, ok := a.Answer.(authn.NewPassword); ok {
		return p.change(a, change)
	}
	pw, ok := a.Answer.(authn.Password)
	switch {
	case !ok:
		return authn.Ask(authn.Challenge{Kind: authn.AskPassword}, nil)
	case a.Realm.Domain == "down.example.test":
		return authn.Fail(authn.NoAgent, authn.P2, errors.New("no agent"))
	case !a.Account.Exists() || string(pw.Secret.Reveal()) != good:
		return authn.Deny(authn.BadPassword, authn.H6, errors.New("no match"))
	}
	return authn.Allow(authn.Subject{Account: a.Account.ID}, authn.Proof{Methods: []string{"pwd"}})
}

// change takes new passwords from eight characters on.
func (provider) change(a authn.Attempt, c authn.NewPassword) authn.Outcome {
	who := authn.Subject{Account: a.Account.ID}
	switch {
	case !a.Account.Exists() || string(c.Old.Reveal()) != good:
		return authn.Deny(authn.BadPassword, authn.K3, errors.New("no match"))
	case c.New.Len() < 8:
		out := authn.Ask(authn.Challenge{Kind: authn.ChangePassword, Message: tooShort}, nil)
		if out.Subject = who; a.Account.MustChange {
			out.Reason = authn.CloudMustChange
		}
		return out
	}
	out := authn.Allow(who, authn.Proof{Methods: []string{"pwd"}})
	out.Record, out.Checked = []byte("new record"), []byte("old record")
	return out
}

const tooShort = "The new password is too short."

func (p provider) federated(a authn.Attempt) authn.Outcome {
	cb, ok := a.Answer.(authn.Callback)
	if !ok {
		if a.Who.UPN() == "poster@saml.example.test" {
			return authn.Ask(authn.Challenge{Kind: authn.Post, URL: p.h.idp + "/sso", Form: map[string]string{"SAMLRequest": "cmVx", "RelayState": `"><script>`}}, []byte("kept"))
		}
		return authn.Ask(authn.Challenge{Kind: authn.Redirect, URL: p.h.idp + "/sso?SAMLRequest=cmVx"}, []byte("kept"))
	}
	answer := cb.Values["SAMLResponse"]
	if cb.Binding == "redirect" {
		answer = cb.Values["code"]
	}
	if len(answer) != 1 || answer[0] != "good" || string(a.Kept) != "kept" {
		return authn.Deny(authn.SignatureInvalid, authn.F4Signature, errors.New("bad"))
	}
	return authn.Allow(authn.Subject{Issuer: "iss", Anchor: "QUJD"}, authn.Proof{Methods: []string{"pwd"}})
}

// house is also the store of sessions: what was committed and not ended.

func (h *house) SessionByHash(_ context.Context, hash []byte) (authn.Session, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.down {
		return authn.Session{}, authntest.ErrDown
	}
	for _, f := range h.world.Finals() {
		if f.Session != nil && slices.Equal(f.Session.Hash, hash) && !h.ended[string(hash)] {
			return *f.Session, nil
		}
	}
	return authn.Session{}, directory.ErrNotFound
}

func (h *house) TouchSession(context.Context, []byte, time.Time) error { return nil }

func (h *house) EndSession(_ context.Context, hash []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.down {
		return authntest.ErrDown
	}
	h.ended[string(hash)] = true
	return nil
}

func (h *house) UserByID(_ context.Context, id authn.AccountID) (directory.User, error) {
	u, ok := h.people[id]
	if !ok {
		return directory.User{}, directory.ErrNotFound
	}
	return u, nil
}

func (h *house) Discover(_ context.Context, domain string) (directory.Discovery, error) {
	switch h.world.RealmOf[domain].Path {
	case "":
		return directory.Discovery{Domain: domain, NamespaceType: "Unknown"}, nil
	case authn.PathFederated:
		return directory.Discovery{Domain: domain, NamespaceType: "Federated", Protocol: "saml", IdP: "saml"}, nil
	default:
	}
	return directory.Discovery{Domain: domain, NamespaceType: "Managed"}, nil
}

func (h *house) Metadata(idp string) ([]byte, bool) {
	return []byte("<EntityDescriptor/>"), idp == "saml"
}

func (h *house) Origins() []string { return []string{h.idp, "https://evil.test;script-src *"} }
