package endtoend_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/onprem"
	"github.com/fourways-id/fourways/internal/realtest"
)

// state is somebody in a real directory and what their right password leads to.
type state struct {
	name   string
	reason authn.Reason // None: let in
	wrong  authn.Reason // of a wrong password; the zero value is BadPassword
}

// realDirectory is one of the directories under test.
type realDirectory struct {
	at     *realtest.Directory
	domain string
	kind   string
	tls    string
	people []state
}

func TestPassThroughAgainstSambaActiveDirectory(t *testing.T) {
	dc := realtest.Samba(t)
	passThrough(t, realDirectory{
		at: &dc.Directory, domain: "corp.example", kind: onprem.AD, tls: onprem.LDAPS,
		people: []state{
			{name: "alice"},
			{name: "bob"},
			{name: "disabled", reason: authn.AccountDisabled},
			{name: "expired", reason: authn.AccountExpired},
			{name: "pwdexpired", reason: authn.OnpremPasswordExpired},
			{name: "mustchange", reason: authn.OnpremMustChange},
			{name: "hours", reason: authn.LogonHours},
			{name: "workstation", reason: authn.WorkstationDenied},
			// AD tells a locked account to everybody, whatever the password, so the door tells it to nobody.
			{name: "locked", reason: authn.OnpremLocked, wrong: authn.OnpremLocked},
			// Requiring a smart card replaces the password by a random one.
			{name: "smartcard", reason: authn.BadPassword},
		},
	})
}

func TestPassThroughAgainstOpenLDAP(t *testing.T) {
	server := realtest.OpenLDAP(t)
	passThrough(t, realDirectory{
		at: &server.Directory, domain: "example.test", kind: onprem.LDAP, tls: onprem.StartTLS,
		people: []state{
			{name: "alice"},
			{name: "bob"},
			{name: "warn"},
			{name: "grace"},
			{name: "expired", reason: authn.OnpremPasswordExpired, wrong: authn.BadPassword},
			{name: "mustchange", reason: authn.OnpremMustChange},
			{name: "locked", reason: authn.OnpremLocked, wrong: authn.OnpremLocked},
			{name: "ended", reason: authn.OnpremLocked, wrong: authn.OnpremLocked},
			{name: "notyet", reason: authn.OnpremLocked, wrong: authn.OnpremLocked},
		},
	})
}

func passThrough(t *testing.T, d realDirectory) {
	p := openProduction(t, func(c *config.Config, _ string) {
		c.Domain = append(c.Domain, config.Domain{Name: d.domain, Path: authn.PathPTA})
		c.PTA.RequestTimeout = config.Duration(2 * quick)
	})
	noAgent := p.signIn("alice@"+d.domain, realtest.Password)
	p.refused(noAgent, http.StatusServiceUnavailable, authn.NoAgent)
	wire := p.enrolInFrontOf(d)
	p.synchronise(d)
	p.cloudGoesOn()

	plain := appears(p.signIn("alice@"+d.domain, "not-her-password"))
	for _, s := range d.people {
		t.Run(s.name, func(t *testing.T) {
			p.door.t = t
			p.holdsFor(d, s, plain)
		})
	}
	p.door.t = t
	unknown := p.signIn("nobody@"+d.domain, realtest.Password)
	p.refused(unknown, http.StatusUnauthorized, authn.UnknownUser)
	if got := appears(unknown); got != plain {
		t.Errorf("a stranger's answer differs from that of a wrong password:\n%+v\n%+v", got, plain)
	}
	for what, fail := range map[string]func(){"is switched off": wire.cut, "hangs": wire.hush} {
		t.Run("the directory "+what, func(t *testing.T) {
			p.door.t = t
			p.survives(d, wire, fail)
		})
	}
}

// enrolInFrontOf runs an agent at the directory, over a wire that the test may cut.
func (p *production) enrolInFrontOf(d realDirectory) *hop {
	p.t.Helper()
	scheme, to := "ldap://", d.at.LDAP
	if d.tls == onprem.LDAPS {
		scheme, to = "ldaps://", d.at.LDAPS
	}
	wire := newHop(p.t, strings.TrimPrefix(to, scheme))
	at := premises{
		Config: onprem.Config{
			URLs: []string{scheme + wire.at}, TLS: d.tls, RootCAs: d.at.Roots, ServerName: "localhost", Timeout: quick,
			BindDN: d.at.Service.DN, BindPassword: authn.NewSecret([]byte(d.at.Service.Password)), BaseDN: d.at.BaseDN, Kind: d.kind,
		},
		source: agent.SourceOptions{Kind: d.kind, CloudUPN: "userPrincipalName", BindUPN: "userPrincipalName", AnchorAttribute: "objectGUID"},
		decoy:  d.at.Who(p.t, "decoy"),
	}
	if d.kind == onprem.LDAP {
		at.UserFilter = "(mail=%s)"
		at.source.CloudUPN, at.source.BindUPN, at.source.AnchorAttribute = "mail", "mail", "entryUUID"
	}
	p.startAgent(at)
	return wire
}

// synchronise reads the people of the directory into the tenant.
func (p *production) synchronise(d realDirectory) {
	p.t.Helper()
	status, err := p.console.SyncRun(p.t.Context(), "directory")
	if err != nil || len(status.Runs) == 0 || status.Runs[0].Result != "success" {
		p.t.Fatalf("synchronise: %v %+v", err, status.Runs)
	}
	page, err := p.console.Users(p.t.Context(), directory.Query{Domain: d.domain})
	if err != nil {
		p.t.Fatal(err)
	}
	anchors := map[string]string{}
	for _, u := range page.Items {
		anchors[u.UPN] = u.Onprem.Anchor
	}
	for _, person := range d.people {
		if anchors[person.name+"@"+d.domain] == "" {
			p.t.Fatalf("%s was not synchronised with an anchor: %v; %v", person.name, anchors, status.Runs[0].Skipped)
		}
	}
}

// holdsFor signs one person in, rightly and wrongly.
func (p *production) holdsFor(d realDirectory, s state, plain appearance) {
	p.t.Helper()
	upn, right := s.name+"@"+d.domain, d.at.Who(p.t, s.name).Password
	wrongly := s.wrong
	if wrongly == authn.None {
		wrongly = authn.BadPassword
	}
	wrong := p.signIn(upn, "not-the-password")
	p.refused(wrong, http.StatusUnauthorized, wrongly)
	if got := appears(wrong); got != plain {
		p.t.Errorf("a wrong password gets an answer of its own: %+v", got)
	}
	a := p.signIn(upn, right)
	if s.reason == authn.None {
		p.allowed(a, upn, authn.PathPTA)
		return
	}
	p.refused(a, http.StatusUnauthorized, s.reason)
	if a.Error != s.reason.Public() {
		p.t.Errorf("told %+v, want %+v", a.Error, s.reason.Public())
	}
}

// survives breaks the wire, sees what is said of it, and mends it.
func (p *production) survives(d realDirectory, wire *hop, fail func()) {
	p.t.Helper()
	p.allowed(p.signIn("bob@"+d.domain, realtest.Password), "bob@"+d.domain, authn.PathPTA)
	fail()
	for range 2 {
		a := p.signIn("bob@"+d.domain, realtest.Password)
		p.refused(a, http.StatusServiceUnavailable, authn.ADUnreachable, authn.AgentTimeout)
		p.cloudGoesOn()
	}
	wire.mend()
	eventually(p.t, "pass-through authentication heals", func() bool {
		return p.signIn("bob@"+d.domain, realtest.Password).Status == http.StatusOK
	})
}
