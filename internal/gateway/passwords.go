package gateway

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/passpolicy"
)

// passwords judges new cloud passwords by the configuration in force, at the door and for administrators alike.
type passwords struct {
	people interface {
		UserByID(ctx context.Context, id authn.AccountID) (directory.User, error)
	}
	policy atomic.Pointer[passpolicy.Policy]
}

// NewPasswordPolicy is what a configuration says of new cloud passwords.
func NewPasswordPolicy(c *config.Config) (*passpolicy.Policy, error) {
	return passpolicy.New(passpolicy.Options{Banned: c.Password.BannedWords, Tenant: c.Tenant.Name, BreachedFile: c.Password.BreachedFile})
}

// configure puts a configuration in force; one that can't work leaves what was.
func (p *passwords) configure(c *config.Config) error {
	policy, err := NewPasswordPolicy(c)
	if err != nil {
		return err
	}
	p.policy.Store(policy)
	return nil
}

// Check judges a password as administrators set it.
func (p *passwords) Check(ctx context.Context, pw authn.Secret, who passpolicy.Person) error {
	return p.policy.Load().Check(ctx, pw, who)
}

// Judge implements cloud.Policy.
func (p *passwords) Judge(ctx context.Context, pw authn.Secret, who authn.Account) (string, error) {
	u, err := p.people.UserByID(ctx, who.ID)
	if err != nil {
		return "", err
	}
	err = p.Check(ctx, pw, passpolicy.Person{Names: []string{u.GivenName, u.Surname, u.DisplayName, u.UPN}})
	if no := passpolicy.Refusal(""); errors.As(err, &no) {
		return no.Error(), nil
	}
	return "", err
}
