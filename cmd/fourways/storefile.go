package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/admin"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/gateway"
	"github.com/fourways-id/fourways/internal/store"
)

// machineClock is the machine's own time.
type machineClock struct{}

func (machineClock) Now() time.Time { return time.Now() }

// storeFile works on a store without a gateway. Whoever can read the root key administers the store; what they do is
// audited all the same.
type storeFile struct {
	db     *store.DB
	people *admin.People
	access *gateway.Access
	file   string
}

// pageSize is how many accounts are read at once.
const pageSize = 100

// withStore opens the store of a configuration for the time of do.
func withStore(ctx context.Context, file string, do func(*storeFile) error) (err error) {
	conf, err := config.LoadFile(file)
	if err != nil {
		return err
	}
	if err := conf.Check(); err != nil {
		return err
	}
	db, err := gateway.OpenStore(ctx, conf)
	if err != nil {
		return fmt.Errorf("open the store of %s: %w", file, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	policy, err := gateway.NewPasswordPolicy(conf)
	if err != nil {
		return err
	}
	return do(&storeFile{
		db: db, file: file, access: &gateway.Access{Store: db, Clock: machineClock{}},
		people: &admin.People{Base: admin.Base{Store: db, Clock: machineClock{}, Config: func() *config.Config { return conf }}, Policy: policy},
	})
}

// untouched refuses once a token has been made: from then on changes go through the console, where the token's role counts.
func (s *storeFile) untouched(ctx context.Context) error {
	tokens, err := s.db.Tokens(ctx)
	if err != nil {
		return err
	}
	if len(tokens) == 0 {
		return nil
	}
	return failure{
		exitGuard, "the store is no longer changed by hand", "a console token has been made, so accounts are managed through the console",
		"leave -c out and give --server and --token; `fourways admin token create -c " + s.file + "` makes a token",
	}
}

// Users implements people.
func (s *storeFile) Users(ctx context.Context, q directory.Query) (api.Page[directory.User], error) {
	q.Limit = pageSize
	users, err := s.people.Users(ctx, q)
	page := api.Page[directory.User]{Items: users}
	if len(users) == q.Limit {
		page.Next = users[len(users)-1].UPN
	}
	return page, err
}

// CreateUser implements people.
func (s *storeFile) CreateUser(ctx context.Context, u api.NewUser) (directory.User, error) {
	user, err := s.people.CreateUser(ctx, u)
	return user, s.audited(ctx, console.Entry{Action: "Create user", Target: authn.ParseIdentifier(u.UPN).Key(), After: string(user.ID)}, err)
}

// ResetPassword implements people.
func (s *storeFile) ResetPassword(ctx context.Context, user string, ask api.NewPassword) (api.PasswordSet, error) {
	set, err := s.people.ResetPassword(ctx, user, ask)
	return set, s.audited(ctx, console.Entry{Action: "Reset user password", Target: authn.ParseIdentifier(user).Key()}, err)
}

// NewToken makes a console token.
func (s *storeFile) NewToken(ctx context.Context, t api.NewToken) (api.Token, error) {
	token, err := s.access.NewToken(ctx, t)
	return token, s.audited(ctx, console.Entry{Action: "Create token", Target: t.Name, After: t.Role}, err)
}

// audited writes down what was done, or tried, and gives did back.
func (s *storeFile) audited(ctx context.Context, e console.Entry, did error) error {
	e.At, e.Who, e.From, e.Result = machineClock{}.Now(), "local", "store file", success
	if did != nil {
		e.Result = "failure: " + did.Error()
	}
	if err := s.access.Audit(context.WithoutCancel(ctx), e); err != nil {
		return errors.Join(did, fmt.Errorf("it could not be written to the audit log: %w", err))
	}
	return did
}
