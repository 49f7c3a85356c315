package admin

import (
	"context"
	"crypto/rand"
	"errors"
	"math/big"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/passpolicy"
)

// SetPassword sets a cloud password as it is given, and wipes pw: the cloud record alone, whatever else the account signs in
// by. A lab fills itself so; an administrator resets. It ends the account's sessions: who has the old password may be whom
// the new one is to keep out.
func (a *People) SetPassword(ctx context.Context, named string, pw authn.Secret) error {
	defer pw.Wipe()
	u, err := a.person(ctx, named)
	if err != nil {
		return err
	}
	record, err := a.hashFor(ctx, u, pw)
	if err != nil {
		return err
	}
	return a.Store.SetPassword(ctx, u.ID, record, func(now *directory.User) { now.Leaked = time.Time{} })
}

// ResetPassword implements console.PeopleKeys.
func (a *People) ResetPassword(ctx context.Context, named string, ask api.NewPassword) (api.PasswordSet, error) {
	if ask.Generate == (ask.Password != "") {
		return api.PasswordSet{}, BadRequest("give a password, or have one made up")
	}
	u, err := a.person(ctx, named)
	if err != nil {
		return api.PasswordSet{}, err
	}
	set := api.PasswordSet{User: u.UPN}
	r, err := a.reset(ctx, u, ask)
	if err != nil {
		return set, err
	}
	made := ""
	if ask.Generate {
		made = madeUp()
		ask.Password = made
	}
	pw := authn.NewSecret([]byte(ask.Password))
	defer pw.Wipe()
	if err := a.keep(ctx, r, pw, ask.MustChange); err != nil {
		return set, err
	}
	set.Password, set.Done = made, r.told()
	return set, nil
}

// hashFor judges a password by the policy, and hashes it.
func (a *People) hashFor(ctx context.Context, u directory.User, pw authn.Secret) ([]byte, error) {
	if err := a.judge(ctx, u, pw); err != nil {
		return nil, err
	}
	return a.HashPassword(pw)
}

// judge refuses a password that is not good enough.
func (a *People) judge(ctx context.Context, u directory.User, pw authn.Secret) error {
	if a.Policy == nil {
		return nil
	}
	err := a.Policy.Check(ctx, pw, passpolicy.Person{Names: []string{u.GivenName, u.Surname, u.DisplayName, u.UPN}})
	if no := passpolicy.Refusal(""); errors.As(err, &no) {
		return BadRequest("%s", no.Error())
	}
	return err
}

// madeUp is a password of 16 signs that can't be taken for one another, with 90 bits of chance; every kind is among them.
func madeUp() string {
	const signs = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	out := make([]byte, 0, 20)
	for i := range 16 {
		if i > 0 && i%4 == 0 {
			out = append(out, '-')
		}
		n, _ := rand.Int(rand.Reader, big.NewInt(int64(len(signs)))) // never fails since Go 1.24
		out = append(out, signs[n.Int64()])
	}
	return string(out)
}

// Unlock implements console.PeopleKeys.
func (a *People) Unlock(ctx context.Context, named string) (before authn.Tally, u directory.User, err error) {
	if u, err = a.person(ctx, named); err != nil {
		return before, u, err
	}
	key := "account:" + string(u.ID)
	if before, err = a.Store.Tally(ctx, key); err != nil {
		return before, u, err
	}
	return before, u, a.Store.SetTally(ctx, key, authn.Tally{})
}

// SignOut implements console.PeopleKeys.
func (a *People) SignOut(ctx context.Context, named string) (ended int, u directory.User, err error) {
	if u, err = a.person(ctx, named); err != nil {
		return 0, u, err
	}
	all, err := a.Store.SessionsOf(ctx, u.ID)
	if err != nil {
		return 0, u, err
	}
	return len(all), u, a.Store.EndSessionsOf(ctx, u.ID)
}
