package gateway

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/doctor"
	"github.com/fourways-id/fourways/internal/keyring"
)

// Examine implements console.Doctor: it looks at what this gateway holds and is joined to, and changes nothing.
func (g *Gateway) Examine(ctx context.Context) ([]api.Finding, error) {
	c := g.conf.Load()
	people := &census{read: sync.OnceValues(func() (tally, error) { return g.countPeople(ctx) })}
	var checks []doctor.Check
	checks = append(checks, doctor.Machine(c, realClock{}.Now)...)
	checks = append(checks, g.storeChecks()...)
	checks = append(checks, g.domainChecks()...)
	checks = append(checks, doctor.IdPs(c, http.DefaultClient, realClock{}.Now)...)
	checks = append(checks, g.agentChecks()...)
	checks = append(checks, g.syncChecks(people)...)
	checks = append(checks, g.peopleChecks(people)...)
	if g.lab != nil {
		checks = append(checks, doctor.Check{ID: "lab.faults", Title: "Faults that are switched on", Run: g.seeFaults})
	}
	return doctor.Run(ctx, checks), nil
}

func (g *Gateway) storeChecks() []doctor.Check {
	c := g.conf.Load()
	checks := []doctor.Check{{ID: "store.answers", Title: "The store can be read and written", Run: func(ctx context.Context) doctor.Seen {
		began := realClock{}.Now()
		err := g.storeTrouble(ctx)
		return judgeStore(err, realClock{}.Now().Sub(began))
	}}}
	if c.Store.Driver == config.DriverPostgres {
		checks = append(checks, doctor.Check{ID: "store.schema", Title: "Every table of the store can be read", Run: g.seeTables})
	}
	for _, one := range doctor.StoreFile(c) {
		switch one.ID { // this gateway knows more: what stands in the log, and which key is the right one
		case "store.schema":
			one.Run = func(ctx context.Context) doctor.Seen { return doctor.Pages(ctx, c.Store.Path, g.core.store.Inspect) }
		case "store.key":
			one.Run = func(context.Context) doctor.Seen { return g.seeKey(c.Store.RootKeyFile) }
		}
		checks = append(checks, one)
	}
	return checks
}

func (g *Gateway) seeTables(ctx context.Context) doctor.Seen {
	schema, err := g.core.store.Inspect(ctx)
	if err != nil {
		return doctor.Fail("look into the server's log, and restore the database from its backup if it is damaged", "%v", err)
	}
	return doctor.OK("every table can be read; the schema has version %d", schema)
}

// sluggish is an answer of the store that people notice: a sign-in waits for several.
const sluggish = time.Second

func judgeStore(trouble error, took time.Duration) doctor.Seen {
	switch {
	case trouble != nil:
		return doctor.Fail("look at the disk and at the gateway's log: nobody can sign in", "%v", trouble)
	case took >= sluggish:
		return doctor.Warn("look at the disk, and at what else this machine does", "it answers only after %s, and every sign-in waits for it", took.Round(100*time.Millisecond))
	}
	return doctor.OK("it answers, and the last sign-in was written down")
}

// seeKey compares the key file with the key that opened the store.
func (g *Gateway) seeKey(path string) doctor.Seen {
	ring, err := keyring.Open(path)
	const fix = "put the file back from your backup before the gateway is restarted: it would not start"
	switch {
	case err != nil:
		return doctor.Fail(fix, "%v", err)
	case ring.ID() != g.core.ring.ID():
		return doctor.Fail(fix, "%s is not the key that this store was opened with", path)
	}
	return doctor.OK("%s is the key that this store was opened with", path)
}

func (g *Gateway) domainChecks() []doctor.Check {
	return []doctor.Check{
		{ID: "domains.ready", Title: "Every domain's people can sign in", Run: g.seeDomains},
		{ID: "domains.overrides", Title: "Paths that differ from the file", Run: func(ctx context.Context) doctor.Seen {
			hidden, err := g.hidden(ctx)
			switch {
			case err != nil:
				return doctor.Fail("look at the store", "%v", err)
			case len(hidden) > 0:
				return doctor.Warn("drop it, or write it into the file", "%s", strings.Join(hidden, " "))
			}
			return doctor.OK("every domain takes the path of the file")
		}},
	}
}

func (g *Gateway) seeDomains(ctx context.Context) doctor.Seen {
	modes, err := g.Modes(ctx)
	if err != nil {
		return doctor.Fail("look at the store", "%v", err)
	}
	var all []doctor.Seen
	for _, m := range modes {
		if !m.Ready {
			all = append(all, doctor.Fail("do what the sentence says; `fourways mode get --all` shows all domains", "%s (%s): %s", m.Domain, m.Path, m.Why))
			continue
		}
		all = append(all, doctor.OK("%s by %s", m.Domain, m.Path))
	}
	return doctor.Worst(doctor.Warn("add a [[domain]]", "there is no domain: nobody can sign in"), all...)
}

// advised is how many agents Microsoft recommends for production ("Pass-through authentication: quickstart", step 4).
const advised = 3

// agentSkew is a difference of clocks to mend: an agent that is ahead takes requests for late ones long before it takes the
// clocks for wrong (internal/agent, MaxSkew).
const agentSkew = 5 * time.Second

func (g *Gateway) agentChecks() []doctor.Check {
	return []doctor.Check{
		{ID: "agents.count", Title: "Agents for pass-through authentication", Run: g.seeAgents},
		{ID: "agents.versions", Title: "All agents have one version", Run: func(context.Context) doctor.Seen { return g.eachAgent(seeVersions) }},
		{ID: "agents.clock", Title: "The agents' clocks against the gateway's", Run: func(context.Context) doctor.Seen { return g.eachAgent(seeSkew) }},
	}
}

func (g *Gateway) seeAgents(ctx context.Context) doctor.Seen {
	domains := g.domainsInForce()
	if !slices.ContainsFunc(domains, func(d directory.Domain) bool { return d.Path == authn.PathPTA }) {
		return doctor.OK("no domain takes the path pta")
	}
	all, err := g.Agents(ctx)
	if err != nil {
		return doctor.Fail("look at the store", "%v", err)
	}
	live, away := 0, []string{}
	for _, a := range all {
		switch {
		case !slices.Contains(a.Roles, agentlink.RolePTA) || a.State == "revoked":
		case a.State == "active":
			live++
		default:
			away = append(away, fmt.Sprintf("%s (last seen %s)", a.Name, a.LastSeen.UTC().Format(time.RFC3339)))
		}
	}
	return judgeAgents(live, away)
}

func judgeAgents(live int, away []string) doctor.Seen {
	fix, gone := "`fourways agent invite --role pta` makes a one-time token for another `fourways-agent enrol`", ""
	if len(away) > 0 {
		fix = "start those that are not connected, and see their logs; " + fix
		gone = "; not connected: " + strings.Join(away, ", ")
	}
	switch {
	case live == 0:
		return doctor.Fail(fix, "no agent is there: pass-through sign-ins end with no_agent (80001)%s", gone)
	case live == 1:
		return doctor.Warn(fix, "one agent is there: when it stops, nobody signs in by pta. Microsoft recommends %d or more%s", advised, gone)
	case live < advised:
		return doctor.Warn(fix, "%d agents are there; Microsoft recommends %d or more%s", live, advised, gone)
	}
	return doctor.OK("%d agents are there%s", live, gone)
}

func (g *Gateway) eachAgent(judge func([]agentlink.AgentState) doctor.Seen) doctor.Seen {
	link := g.onprem.current()
	if link == nil {
		return doctor.OK("no domain needs an agent")
	}
	live := slices.DeleteFunc(link.Agents(), func(a agentlink.AgentState) bool { return !a.Live })
	if len(live) == 0 {
		return doctor.Skip("start an agent", "no agent is connected")
	}
	return judge(live)
}

func seeVersions(live []agentlink.AgentState) doctor.Seen {
	by := map[string][]string{}
	for _, a := range live {
		by[a.Version] = append(by[a.Version], a.Name)
	}
	if len(by) > 1 {
		var says []string
		for version, names := range by {
			says = append(says, fmt.Sprintf("%s: %s", version, strings.Join(names, ", ")))
		}
		slices.Sort(says)
		return doctor.Warn("bring all to the newest", "there are %d versions: %s", len(by), strings.Join(says, "; "))
	}
	return doctor.OK("%s", live[0].Version)
}

func seeSkew(live []agentlink.AgentState) doctor.Seen {
	var all []doctor.Seen
	for _, a := range live {
		if off := a.Skew.Abs(); off >= agentSkew {
			all = append(all, doctor.Fail("let both machines take their time from NTP", "the clock of %s is %s off: it refuses requests as late or too early (agent_late, time_skew)", a.Name, off.Round(time.Second)))
			continue
		}
		all = append(all, doctor.OK("%s agrees", a.Name))
	}
	return doctor.Worst(doctor.Seen{}, all...)
}

func (g *Gateway) seeFaults(ctx context.Context) doctor.Seen {
	if g.lab.Ports == nil || g.lab.Ports.Faults == nil {
		return doctor.OK("this lab has none to switch on")
	}
	all, err := g.lab.Ports.Faults.Faults(ctx)
	if err != nil {
		return doctor.Skip("", "%v", err)
	}
	var on []string
	for _, f := range all {
		if f.Active != nil {
			on = append(on, fmt.Sprintf("%s until %s", f.Name, f.Active.Until.UTC().Format(time.TimeOnly)))
		}
	}
	if len(on) > 0 {
		return doctor.Warn("`fourways fault clear`", "something is broken on purpose: %s", strings.Join(on, ", "))
	}
	return doctor.OK("none is on")
}
