package gateway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/doctor"
)

// census counts the people once for all checks that need it.
type census struct{ read func() (tally, error) }

// tally is what a census finds: synchronised people by domain, and the administrators.
type tally struct {
	synced      map[string]int
	elsewhere   map[string]int // by domain, of domains that are not served
	cloudAdmins int
	syncAdmins  []string
}

// everybody bounds how long the census may take; a tenant of a million is read in pages.
const (
	everybody  = 6 * time.Second
	censusPage = 1000
)

func (g *Gateway) countPeople(ctx context.Context) (tally, error) {
	ctx, cancel := context.WithTimeout(ctx, everybody)
	defer cancel()
	t := tally{synced: map[string]int{}, elsewhere: map[string]int{}}
	domains, err := g.syncDomains(ctx)
	if err != nil {
		return tally{}, err
	}
	for after := ""; ; {
		page, err := g.core.store.Users(ctx, directory.Query{After: after, Limit: censusPage})
		if err != nil {
			return tally{}, err
		}
		for _, u := range page {
			t.add(u, domains.Verified)
		}
		if len(page) == 0 {
			return t, nil
		}
		after = page[len(page)-1].UPN
	}
}

func (t *tally) add(u directory.User, served func(domain string) bool) {
	_, domain, _ := strings.Cut(u.UPN, "@")
	if !served(domain) {
		t.elsewhere[domain]++
	}
	if u.Synced {
		t.synced[domain]++
	}
	switch {
	case u.Admin && u.Synced:
		t.syncAdmins = append(t.syncAdmins, u.UPN)
	case u.Emergency():
		t.cloudAdmins++
	}
}

func (g *Gateway) peopleChecks(c *census) []doctor.Check {
	with := func(judge func(tally) doctor.Seen) func(context.Context) doctor.Seen {
		return func(context.Context) doctor.Seen {
			t, err := c.read()
			if err != nil {
				return doctor.Skip("look at the store", "the people could not be counted: %v", err)
			}
			return judge(t)
		}
	}
	return []doctor.Check{
		{ID: "people.domains", Title: "Everybody's domain is served", Within: everybody, Run: with(seeElsewhere)},
		{ID: "people.admins", Title: "Administrators live in the cloud alone", Within: everybody, Run: with(seeAdmins)},
	}
}

func seeElsewhere(t tally) doctor.Seen {
	var says []string
	for _, domain := range slices.Sorted(maps.Keys(t.elsewhere)) {
		says = append(says, fmt.Sprintf("%d in %s", t.elsewhere[domain], domain))
	}
	if len(says) > 0 {
		return doctor.Warn("add the [[domain]] again, or remove the accounts", "these accounts can't sign in, their domain is not served: %s", strings.Join(says, ", "))
	}
	return doctor.OK("no account is in a domain that is not served")
}

// seeAdmins follows Microsoft's advice on emergency access: an administrator must not depend on the premises, neither to
// sign in when they are down, nor to be safe when they were broken into.
func seeAdmins(t tally) doctor.Seen {
	const fix = "`fourways user create NAME@CLOUD-DOMAIN --admin` makes one"
	switch {
	case len(t.syncAdmins) > 0 && t.cloudAdmins == 0:
		return doctor.Warn(fix, "every administrator is synchronised (%s): with the premises down nobody administers, and whoever rules the premises rules the tenant", strings.Join(t.syncAdmins, ", "))
	case len(t.syncAdmins) > 0:
		return doctor.Warn("give the task to a cloud-only account", "synchronised accounts are administrators: %s. Whoever rules the premises rules the tenant", strings.Join(t.syncAdmins, ", "))
	case t.cloudAdmins == 0:
		return doctor.Warn(fix, "there is no cloud-only administrator")
	}
	return doctor.OK("cloud-only administrators: %d; synchronised ones: none", t.cloudAdmins)
}

func (g *Gateway) syncChecks(c *census) []doctor.Check {
	return []doctor.Check{
		{ID: "phs.hashes", Title: "Synchronised people have a password hash", Within: everybody, Run: func(ctx context.Context) doctor.Seen { return g.seeHashes(ctx, c) }},
		{ID: "sync.age", Title: "The synchronisation is up to date", Run: g.seeSyncAge},
		{ID: "sync.guard", Title: "The guard against deletions", Run: g.seeGuard},
	}
}

func (g *Gateway) seeHashes(ctx context.Context, c *census) doctor.Seen {
	t, err := c.read()
	if err != nil {
		return doctor.Skip("look at the store", "the people could not be counted: %v", err)
	}
	var all []doctor.Seen
	for _, d := range g.domainsInForce() {
		if !d.PHS && d.Path != authn.PathPHS {
			continue
		}
		n, err := g.core.store.CountCredentials(ctx, directory.SchemePHS, d.Name)
		if err != nil {
			return doctor.Fail("look at the store", "%v", err)
		}
		if missing := t.synced[d.Name] - n; missing > 0 {
			all = append(all, doctor.Warn("`fourways sync run --kind hash`; who still has none has never had a password set, or is skipped by the run", "%s: %d of %d people have no hash, and get 50056", d.Name, missing, t.synced[d.Name]))
			continue
		}
		all = append(all, doctor.OK("%s: %d", d.Name, n))
	}
	return doctor.Worst(doctor.OK("no domain synchronises password hashes"), all...)
}

// late is how many cycles may be missed before it is told.
const late = 3

func (g *Gateway) seeSyncAge(ctx context.Context) doctor.Seen {
	if needed, err := g.onprem.needed(ctx); err == nil && !needed {
		return doctor.OK("no domain is synchronised")
	}
	paused, _, _, err := g.syncPaused(ctx)
	if err != nil {
		return doctor.Fail("look at the store", "%v", err)
	}
	c, now := g.conf.Load().Sync, g.core.clock.Now()
	if paused && g.lab != nil {
		return doctor.OK("a lab's schedule is paused on purpose; %s", g.lastRun(now))
	}
	if paused {
		return doctor.Warn("`fourways sync resume` lets it go on", "the schedule is paused: changes on-premises, disabled accounts too, do not arrive")
	}
	all := []doctor.Seen{judgeAge(dirsync.KindDirectory, g.lastSync(string(dirsync.KindDirectory)), now, time.Duration(c.DirectoryInterval))}
	if g.anyPHS(ctx) {
		all = append(all, judgeAge(dirsync.KindHash, g.lastSync(string(dirsync.KindHash)), now, time.Duration(c.HashInterval)))
	}
	return doctor.Worst(doctor.Seen{}, all...)
}

// lastRun tells an operator how old what they see is.
func (g *Gateway) lastRun(now time.Time) string {
	last := g.lastSync(string(dirsync.KindDirectory))
	if last.IsZero() {
		return "`fourways sync run` is the first run"
	}
	return fmt.Sprintf("the last directory run was %s ago", max(0, now.Sub(last).Round(time.Second)))
}

func judgeAge(kind dirsync.Kind, last, now time.Time, every time.Duration) doctor.Seen {
	const fix = "`fourways sync status` shows the runs, `fourways agent list` the agents"
	if last.IsZero() {
		return doctor.Warn(fix, "no %s run has succeeded yet", kind)
	}
	age := now.Sub(last).Round(time.Second)
	if age > late*every {
		return doctor.Warn(fix, "the last %s run that succeeded was %s ago, and one is due every %s", kind, age, every)
	}
	return doctor.OK("last %s run %s ago", kind, max(0, age))
}

func (g *Gateway) seeGuard(ctx context.Context) doctor.Seen {
	runs, err := g.core.store.Runs(ctx, 20)
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		return doctor.Fail("look at the store", "%v", err)
	}
	c := g.conf.Load().Sync
	for _, r := range runs { // newest first
		if r.Kind != string(dirsync.KindDirectory) {
			continue
		}
		if r.Result == dirsync.Stopped {
			return doctor.Fail("look at the on-premises directory; if the deletions are wanted, raise sync.max_deletes or sync.max_delete_ratio, then `fourways config reload` and `fourways sync run`", "the last directory run was stopped: %s", r.Error)
		}
		break
	}
	return doctor.OK("a run that would delete more than %d objects, or %.0f %% of them, is stopped; the last was not", c.MaxDeletes, 100*c.MaxDeleteRatio)
}
