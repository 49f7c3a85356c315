package gateway

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/passhash"
	"github.com/fourways-id/fourways/internal/store"
)

// People manages accounts that live only here; it implements console.People. The commands use it on the store file as
// long as there is no token.
type People struct {
	Store  *store.DB
	Clock  authn.Clock
	Config func() *config.Config // in force

	// NewID makes the id of a new account; nil: a random one. The lab makes the same ids in each lab of one seed.
	NewID func(upn string) authn.AccountID
}

// costOf is what new cloud passwords cost under that configuration.
func costOf(c *config.Config) passhash.Argon2id {
	return passhash.Argon2id{MemoryKiB: c.Hashing.Argon2Memory, Time: c.Hashing.Argon2Time, Parallelism: c.Hashing.Argon2Parallelism}
}

// shortest and longest bound a cloud password, in characters (Microsoft: password policies for cloud-only accounts).
const (
	shortest = 8
	longest  = 256
)

// Users implements console.People. When an account was last synchronised is left out: nothing is decided by it, the runs
// and the trace's step H0 tell it, and without it one seed's list of people is the same in every lab, whenever it was made.
func (p *People) Users(ctx context.Context, q directory.Query) ([]directory.User, error) {
	users, err := p.Store.Users(ctx, q)
	for i := range users {
		users[i].Onprem.SyncedAt = time.Time{}
	}
	return users, err
}

// CreateUser implements console.People.
func (p *People) CreateUser(ctx context.Context, ask api.NewUser) (directory.User, error) {
	if initial := p.Config().Tenant.InitialDomain; initial != "" && !strings.Contains(ask.UPN, "@") {
		ask.UPN += "@" + initial
	}
	who := authn.ParseIdentifier(ask.UPN)
	if who.UPN() == "" {
		return directory.User{}, badRequest("%q is no user principal name: give name@domain, ASCII, at most 64 characters before the @ and 48 after it", ask.UPN)
	}
	if !p.serves(who.Domain()) {
		return directory.User{}, badRequest("%s is no domain of this tenant: add a [[domain]] to the configuration first", who.Domain())
	}
	if err := text("a display name", ask.DisplayName, 256); err != nil { // as in Microsoft Graph
		return directory.User{}, err
	}
	pw := authn.NewSecret([]byte(ask.Password))
	record, err := p.hash(pw)
	if err != nil {
		return directory.User{}, err
	}
	now := p.Clock.Now()
	id := newID()
	if p.NewID != nil {
		id = p.NewID(who.UPN())
	}
	user := directory.User{
		ID: id, UPN: who.UPN(), DisplayName: ask.DisplayName, Enabled: true, Admin: ask.Admin, Created: now, Changed: now,
	}
	if user.DisplayName == "" {
		user.DisplayName = user.UPN
	}
	if err := p.Store.CreateUser(ctx, user); err != nil {
		return directory.User{}, err
	}
	if err := p.store(ctx, user, record); err != nil {
		return directory.User{}, fmt.Errorf("the account was made, but its password was not stored: %w: set it with `fourways user set-password`", err)
	}
	return user, nil
}

// SetPassword implements console.People. It ends the account's sessions: who has the old password may be whom the new one
// is to keep out.
func (p *People) SetPassword(ctx context.Context, upn string, pw authn.Secret) error {
	user, err := p.Store.UserByUPN(ctx, authn.ParseIdentifier(upn).UPN())
	if err != nil {
		return fmt.Errorf("%s: %w", upn, err)
	}
	record, err := p.hash(pw)
	if err != nil {
		return err
	}
	if err := p.store(ctx, user, record); err != nil {
		return err
	}
	if err := p.Store.EndSessionsOf(ctx, user.ID); err != nil {
		return fmt.Errorf("the password was set, but who was signed in with the old one still is: %w: set it once more", err)
	}
	return nil
}

func (p *People) hash(pw authn.Secret) (string, error) {
	defer pw.Wipe()
	if n := len([]rune(string(pw.Reveal()))); n < shortest || n > longest {
		return "", badRequest("a password has %d to %d characters", shortest, longest)
	}
	return costOf(p.Config()).Hash(pw.Reveal())
}

func (p *People) store(ctx context.Context, u directory.User, record string) error {
	now := p.Clock.Now()
	return p.Store.SetCredentials(ctx, []directory.Credential{{
		Account: u.ID, Scheme: directory.SchemeCloud, Record: []byte(record), Source: "cloud", Changed: now, Stored: now,
	}})
}

func (p *People) serves(domain string) bool {
	for _, d := range p.Config().Domain {
		if d.Name == domain {
			return true
		}
	}
	return false
}

// newID makes a random UUID (RFC 9562, version 4).
func newID() authn.AccountID {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return authn.AccountID(fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:]))
}

// text judges a name or remark that an operator gives: it is printed in terminals, logs and the audit log, so it is one
// printable line of at most longest characters.
func text(what, s string, longest int) error {
	if utf8.RuneCountInString(s) > longest || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return badRequest("%s is one line of at most %d printable characters", what, longest)
	}
	return nil
}

func badRequest(format string, args ...any) error {
	return api.Problem{Title: "Bad Request", Status: http.StatusBadRequest, Detail: fmt.Sprintf(format, args...)}
}
