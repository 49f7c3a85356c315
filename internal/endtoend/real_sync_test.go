package endtoend_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/onprem"
	"github.com/fourways-id/fourways/internal/realtest"
)

const corp = "corp.example"

// openCorp is a gateway that serves corp.example by pass-through authentication, and an agent that synchronises OU=Synced of a
// real Active Directory. change may edit how the agent reads it.
func openCorp(t *testing.T, dc *realtest.SambaDC, change func(*premises)) *production {
	t.Helper()
	p := openTenant(t, func(c *config.Config, _ string) {
		c.Domain = append(c.Domain, config.Domain{Name: corp, Path: authn.PathPTA})
	})
	p.startAgent(corpPremises(t, dc, change))
	return p
}

func corpPremises(t *testing.T, dc *realtest.SambaDC, change func(*premises)) premises {
	t.Helper()
	at := premises{
		Config: onprem.Config{
			URLs: []string{dc.LDAPS}, TLS: onprem.LDAPS, RootCAs: dc.Roots, BaseDN: dc.BaseDN, Kind: onprem.AD,
			BindDN: dc.Service.DN, BindPassword: authn.NewSecret([]byte(dc.Service.Password)),
		},
		source: agent.SourceOptions{
			Kind: onprem.AD, Scope: []string{dc.Synced()}, CloudUPN: "userPrincipalName", BindUPN: "userPrincipalName", AnchorAttribute: "objectGUID",
		},
		decoy: dc.Who(t, "decoy"),
	}
	if change != nil {
		change(&at)
	}
	return at
}

// syncs runs one kind and gives its record; a run that fails ends the test.
func (p *production) syncs(ask api.SyncRequest) directory.Run {
	p.t.Helper()
	done, err := p.console.Sync(p.t.Context(), ask)
	if err != nil || len(done.Runs) != 1 || done.Runs[0].Result != "success" {
		p.t.Fatalf("synchronise %v: %v %+v", ask.Kinds, err, done.Runs)
	}
	return done.Runs[0]
}

func (p *production) syncsDirectory() directory.Run {
	p.t.Helper()
	return p.syncs(api.SyncRequest{Kinds: []string{"directory"}})
}

func (p *production) syncsHashes() directory.Run {
	p.t.Helper()
	return p.syncs(api.SyncRequest{Kinds: []string{"hash"}})
}

// failsToSync runs the directory cycle, which must not succeed, and gives the record that it left.
func (p *production) failsToSync() (directory.Run, error) {
	p.t.Helper()
	_, err := p.console.SyncRun(p.t.Context(), "directory")
	if err == nil {
		p.t.Fatal("the run succeeded")
	}
	last, e := p.console.SyncHistory(p.t.Context(), 1)
	if e != nil || len(last) != 1 {
		p.t.Fatalf("the run left no record: %v %+v", e, last)
	}
	return last[0], err
}

// outcome is what a run did, in a line.
func outcome(r directory.Run) string {
	line := fmt.Sprintf("%s: %d read, %d added, %d updated, %d deleted", r.Mode, r.Read, r.Added, r.Updated, r.Deleted)
	if len(r.Skipped) > 0 {
		line += ", skipped: " + strings.Join(r.Skipped, "; ")
	}
	return line
}

// does fails unless the next run of the directory does exactly that.
func (p *production) does(what, want string) {
	p.t.Helper()
	if r := p.syncsDirectory(); outcome(r) != want {
		p.t.Errorf("%s: %s, want %s (note: %s)", what, outcome(r), want, r.Note)
	}
}

// person is somebody in the tenant; nil when nobody has that name.
func (p *production) person(upn string) *directory.User {
	p.t.Helper()
	domain := upn[strings.LastIndexByte(upn, '@')+1:]
	page, err := p.console.Users(p.t.Context(), directory.Query{Domain: domain, Limit: 999})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, u := range page.Items {
		if u.UPN == upn {
			return &u
		}
	}
	return nil
}

// people are the names of a domain's people, sorted, without the domain.
func (p *production) people(domain string) string {
	p.t.Helper()
	page, err := p.console.Users(p.t.Context(), directory.Query{Domain: domain, Limit: 999})
	if err != nil {
		p.t.Fatal(err)
	}
	var names []string
	for _, u := range page.Items {
		names = append(names, strings.TrimSuffix(u.UPN, "@"+domain))
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// members are the names of a group's direct members, sorted.
func (p *production) members(group string) string {
	p.t.Helper()
	page, err := p.console.Members(p.t.Context(), group, directory.MemberQuery{Limit: 999})
	if err != nil {
		p.t.Fatal(err)
	}
	var names []string
	for _, m := range page.Items {
		names = append(names, m.Name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// counts is what a run changed, in a line: where it must list all to know what is gone, it reads more than that.
func counts(r directory.Run) string {
	_, rest, _ := strings.Cut(outcome(r), "read, ")
	return rest
}
