package scenario

import (
	"fmt"
	"slices"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/lab/world"
)

// healWithin bounds the wait until what was mended works again, or the gateway has heard of a change; healPause and
// hearPause are between two looks.
const (
	healWithin = 20 * time.Second
	healPause  = 100 * time.Millisecond
	hearPause  = time.Second
)

// agents waits until so many are there, as whoever starts or mends something does.
func (s *stage) agents(n int, teaches string) {
	s.act("fourways agent list", fmt.Sprintf("%d active", n), teaches, func() (string, error) {
		deadline := time.NewTimer(healWithin)
		defer deadline.Stop()
		for {
			all, err := s.Console.Agents(s.ctx)
			if err != nil {
				return "", err
			}
			active := 0
			for _, a := range all {
				if a.State == "active" {
					active++
				}
			}
			saw := fmt.Sprintf("%d active", active)
			if active == n {
				return saw, nil
			}
			select {
			case <-s.ctx.Done():
				return "", s.ctx.Err()
			case <-deadline.C:
				return saw, nil
			case <-time.After(healPause):
			}
		}
	})
}

// count is how many people the tenant has.
func (s *stage) count() (n int, err error) {
	for q := (directory.Query{Limit: 500}); ; {
		page, err := s.Console.Users(s.ctx, q)
		if err != nil {
			return 0, err
		}
		n += len(page.Items)
		if q.After = page.Next; q.After == "" {
			return n, nil
		}
	}
}

// waits moves the lab's policy time on.
func (s *stage) waits(by string) {
	s.act("fourways clock advance "+by, "advanced", "", func() (string, error) {
		_, err := s.Console.AdvanceClock(s.ctx, api.ClockChange{Advance: by})
		return "advanced", err
	})
}

// hammer guesses another password of one person.
func (s *stage) hammer(upn string, i int) {
	s.signInWith(upn, fmt.Sprintf("Guess-%d-2025!", i), refused(authn.BadPassword), "")
}

// stale is how a sign-in ends that is let in by a password which is no longer the one on-premises.
const stale = success + ", changed on-premises and not yet synchronised"

// hears signs somebody in with the old password until the gateway has heard that there is a new one.
func (s *stage) hears(upn, teaches string) {
	var t api.Trace
	s.act("fourways signin "+upn+" --trace", stale, teaches, func() (saw string, err error) {
		deadline := time.NewTimer(healWithin)
		defer deadline.Stop()
		for {
			if t, err = s.attempt(upn, world.Password); err != nil {
				return "", err
			}
			if saw = ending(t.Records); saw == success && changedSince(t.Records) {
				return stale, nil
			}
			select {
			case <-s.ctx.Done():
				return "", s.ctx.Err()
			case <-deadline.C:
				return saw, nil
			case <-time.After(hearPause):
			}
		}
	})
	s.keep(t)
}

// changedSince reports that a trace tells of a password that was changed on-premises and has not come.
func changedSince(records []authn.Record) bool {
	return slices.ContainsFunc(records, func(r authn.Record) bool {
		return slices.ContainsFunc(r.Steps, func(step authn.Step) bool { return step.ID == authn.H0 && step.Facts[authn.FactChanged] != "" })
	})
}
