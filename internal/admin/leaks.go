package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/passhash"
)

// Leaks compares names and passwords of a leak with the records that are stored, offline: nobody is signed in, and nothing
// counts towards a lockout (Microsoft: leakedCredentials needs the stored hashes, whatever the path).
type Leaks struct {
	Base
	Domains HashSync
	Work    *passhash.Background
}

// HashSync tells whether the password hashes of a domain's people are synchronised.
type HashSync interface {
	PHS(ctx context.Context, domain string) (bool, error)
}

// leakCheck is one check under way.
type leakCheck struct {
	*Leaks
	ask     api.LeakedCheck
	report  api.LeakedReport
	missing map[string]*api.LeakedMissing // by domain and reason
}

// CheckLeaked implements console.Leaks. Beside an error, the report is what was found and done until then.
func (a *Leaks) CheckLeaked(ctx context.Context, ask api.LeakedCheck) (api.LeakedReport, error) {
	c := &leakCheck{Leaks: a, ask: ask, missing: map[string]*api.LeakedMissing{}, report: api.LeakedReport{Matches: []api.LeakedMatch{}}}
	if len(ask.Pairs) == 0 || len(ask.Pairs) > api.LeakedPairs {
		return c.done(), BadRequest("Send 1 to %d pairs at a time.", api.LeakedPairs)
	}
	for _, p := range ask.Pairs {
		if err := c.pair(ctx, p); err != nil {
			return c.done(), err
		}
	}
	return c.done(), nil
}

func (c *leakCheck) done() api.LeakedReport {
	c.report.Missing = []api.LeakedMissing{}
	for _, m := range c.missing {
		c.report.Missing = append(c.report.Missing, *m)
	}
	slices.SortFunc(c.report.Missing, func(a, b api.LeakedMissing) int { return strings.Compare(a.Domain+a.Why, b.Domain+b.Why) })
	return c.report
}

func (c *leakCheck) pair(ctx context.Context, p api.LeakedPair) error {
	pw := authn.NewSecret([]byte(p.Password))
	defer pw.Wipe()
	u, err := c.Store.UserByUPN(ctx, authn.ParseIdentifier(p.User).UPN())
	if errors.Is(err, directory.ErrNotFound) {
		c.report.Unknown++
		return nil
	}
	if err != nil {
		return err
	}
	var found []string
	compared := false
	for _, scheme := range []string{directory.SchemeCloud, directory.SchemePHS} {
		record, err := c.Store.Credential(ctx, u.ID, scheme)
		if errors.Is(err, directory.ErrNotFound) {
			if (scheme == directory.SchemePHS) != u.Synced {
				continue
			}
			if err := c.miss(ctx, u); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		match, err := c.compare(ctx, scheme, record.Record, pw)
		if err != nil {
			return fmt.Errorf("the %s record of %s: %w", scheme, u.UPN, err)
		}
		compared = true
		if match {
			found = append(found, scheme)
		}
	}
	if compared && len(found) == 0 {
		c.report.Clear++
	}
	if len(found) == 0 {
		return nil
	}
	return c.matched(ctx, p.Line, u, found)
}

// compare does the work of one sign-in, aside.
func (c *leakCheck) compare(ctx context.Context, scheme string, record []byte, pw authn.Secret) (match bool, err error) {
	defer clear(record)
	c.report.Tries++
	if scheme == directory.SchemeCloud {
		stored, err := passhash.Parse(string(record))
		if err != nil {
			return false, err
		}
		err = c.Work.Do(ctx, func() { match = stored.Match(pw.Reveal()) })
		return match, err
	}
	stored, err := passhash.ParseOrgID(string(record))
	if err != nil {
		return false, err
	}
	err = c.Work.Do(ctx, func() {
		nt := passhash.NTHash(pw.Reveal())
		expanded := passhash.Expand(nt)
		match = passhash.HashOrgID(expanded, stored.Salt, stored.Rounds).Match(stored)
		clear(nt[:])
		clear(expanded[:])
	})
	return match, err
}

// miss counts a pair whose account has no record of the kind that it should have.
func (c *leakCheck) miss(ctx context.Context, u directory.User) error {
	domain := authn.ParseIdentifier(u.UPN).Domain()
	on, err := c.Domains.PHS(ctx, domain)
	var why string
	switch {
	case err != nil:
		return err
	case !u.Synced:
		why = "no password is stored for these accounts"
	case !on:
		why = fmt.Sprintf("password_hash_sync is off for %s: no hash of its people is here to compare with. Switch it on for the domain, then run `fourways sync run`", domain)
	default:
		why = "password_hash_sync is on, but no hash of these people has been synchronised yet: run `fourways sync run`"
	}
	key := domain + "\x00" + why
	if c.missing[key] == nil {
		c.missing[key] = &api.LeakedMissing{Domain: domain, Why: why}
	}
	c.missing[key].Pairs++
	return nil
}

// matched reports an account, and flags it when that is asked for.
func (c *leakCheck) matched(ctx context.Context, line int, u directory.User, found []string) error {
	m := api.LeakedMatch{Line: line, User: u.UPN, Records: found}
	m.Flagged = c.ask.Flag || c.ask.RequireChange
	m.Change = c.ask.RequireChange && !u.Synced
	if c.ask.RequireChange && u.Synced {
		m.Note = "its password is mastered on-premises: have it changed there"
	}
	if m.Flagged && !c.ask.DryRun {
		_, _, err := c.Store.ChangeUser(ctx, u.ID, func(now *directory.User) error {
			now.Leaked, now.MustChange = c.Clock.Now(), now.MustChange || m.Change
			return nil
		})
		if err != nil {
			return fmt.Errorf("flag %s: %w", u.UPN, err)
		}
	}
	c.report.Matches = append(c.report.Matches, m)
	return nil
}
