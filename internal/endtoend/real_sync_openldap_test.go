package endtoend_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/onprem"
	"github.com/fourways-id/fourways/internal/realtest"
)

const example = "example.test"

// openExample is a gateway that serves example.test by password hash synchronisation, and an agent at an OpenLDAP.
func openExample(t *testing.T, s *realtest.OpenLDAPServer, changes string) *production {
	t.Helper()
	p := openTenant(t, func(c *config.Config, _ string) {
		c.Domain = append(c.Domain, config.Domain{Name: example, Path: authn.PathPHS})
	})
	p.startAgent(premises{
		Config: onprem.Config{
			URLs: []string{s.LDAPS}, TLS: onprem.LDAPS, RootCAs: s.Roots, BaseDN: s.BaseDN, Kind: onprem.LDAP, Changes: changes,
			BindDN: s.Service.DN, BindPassword: authn.NewSecret([]byte(s.Service.Password)), UserFilter: "(mail=%s)",
		},
		source: agent.SourceOptions{
			Kind: onprem.LDAP, Scope: []string{"ou=people," + s.BaseDN, "ou=groups," + s.BaseDN}, CloudUPN: "mail", BindUPN: "mail",
			AnchorAttribute: "entryUUID", HashAttribute: "sambaNTPassword",
		},
		decoy: s.Who(t, "decoy"),
	})
	return p
}

func TestAPasswordChangedInOpenLDAPLetsInAfterTheHashCycleAndNotBefore(t *testing.T) {
	const changed = "Changed-Pw-1!"
	s := realtest.OpenLDAPWithHashes(t)
	p := openExample(t, s, "")
	alice := s.Who(t, "alice")
	p.syncsDirectory()
	p.refused(p.signIn(alice.UPN, alice.Password), http.StatusUnauthorized, authn.NoPasswordHash)
	// alice, bob and decoy have a hash, and mustchange must change the password. The others never set theirs by the Password
	// Modify operation.
	if r := p.syncsHashes(); r.Hashes != 3 || r.Withheld != 1 {
		t.Errorf("%d hashes came and %d were withheld, want 3 and 1: %+v", r.Hashes, r.Withheld, r)
	}
	p.allowed(p.signIn(alice.UPN, alice.Password), alice.UPN, authn.PathPHS)
	p.refused(p.signIn(alice.UPN, changed), http.StatusUnauthorized, authn.BadPassword)

	eventually(t, "a second has gone by, in which pwdChangedTime counts", func() bool {
		return time.Now().UTC().Format("20060102150405Z") > s.Values(t, alice.DN, "pwdChangedTime")[0]
	})
	s.ChangePassword(t, alice, changed)
	p.allowed(p.signIn(alice.UPN, alice.Password), alice.UPN, authn.PathPHS)
	p.refused(p.signIn(alice.UPN, changed), http.StatusUnauthorized, authn.BadPassword)

	if r := p.syncsHashes(); r.Mode != "delta" || r.Hashes != 1 || r.Read != 1 {
		t.Errorf("the hash cycle did more than that one: %+v", r)
	}
	p.allowed(p.signIn(alice.UPN, changed), alice.UPN, authn.PathPHS)
	p.refused(p.signIn(alice.UPN, alice.Password), http.StatusUnauthorized, authn.BadPassword)
	if r := p.syncsHashes(); r.Hashes != 0 || r.Read != 0 {
		t.Errorf("nothing has changed, and the hash cycle did %+v", r)
	}
	// Who is given a password that must be changed goes on with the one before, until it was.
	s.SetPassword(t, alice.DN, "Temporary-Pw-1!")
	if r := p.syncsHashes(); r.Hashes != 0 || r.Withheld == 0 {
		t.Errorf("of a temporary password came %+v", r)
	}
	p.allowed(p.signIn(alice.UPN, changed), alice.UPN, authn.PathPHS)
	p.refused(p.signIn(alice.UPN, "Temporary-Pw-1!"), http.StatusUnauthorized, authn.BadPassword)
}

func TestOpenLDAPArrivesAndThenEachChangeOfItsOwn(t *testing.T) {
	for _, changes := range []string{onprem.Syncrepl, onprem.CSN} {
		t.Run(changes, func(t *testing.T) {
			s := realtest.OpenLDAPWithHashes(t)
			if changes == onprem.CSN {
				s.WithoutSyncprov(t)
			}
			followOpenLDAP(t, s, changes)
		})
	}
}

func followOpenLDAP(t *testing.T, s *realtest.OpenLDAPServer, changes string) {
	p := openExample(t, s, changes)
	people, outside := "ou=people,"+s.BaseDN, "ou=outside,"+s.BaseDN
	s.Add(t, outside, map[string][]string{"objectClass": {"organizationalUnit"}})
	if r := p.syncsDirectory(); r.Mode != "full" || r.Added != len(s.People)+1 {
		t.Errorf("the first run: %s, want %d people and a group", outcome(r), len(s.People))
	}
	if got := p.members("engineers"); got != "alice@example.test bob@example.test" { // they have no display name
		t.Errorf("the engineers are %q", got)
	}
	alice, before := s.Who(t, "alice"), p.person("alice@"+example)
	step := func(what, want string) {
		t.Helper()
		r := p.syncsDirectory()
		if did := outcome(r); did != want && (changes != onprem.CSN || counts(r) != want[len("delta: N read, "):]) {
			t.Errorf("%s: %s, want %s", what, did, want)
		}
	}
	s.Modify(t, alice.DN, "displayName", "Älice Ögren")
	step("a change", "delta: 1 read, 0 added, 1 updated, 0 deleted")
	dn := s.Move(t, alice.DN, outside)
	step("a move out of scope", "delta: 1 read, 0 added, 0 updated, 1 deleted")
	dn = s.Move(t, dn, people)
	step("back into the scope", "delta: 1 read, 1 added, 1 updated, 0 deleted") // and the engineers have her again
	if got := p.person("alice@" + example); got == nil || got.ID != before.ID || got.DisplayName != "Älice Ögren" {
		t.Errorf("she came back as %+v, and was %+v", got, before)
	}
	s.Rename(t, dn, "uid=alicia")
	step("a rename", "delta: 2 read, 0 added, 1 updated, 0 deleted") // she, and the engineers
	s.RemoveMember(t, "cn=engineers,ou=groups,"+s.BaseDN, s.Who(t, "bob").DN)
	step("a member less", "delta: 1 read, 0 added, 1 updated, 0 deleted")
	s.Delete(t, s.Who(t, "bob").DN)
	step("somebody is deleted", "delta: 1 read, 0 added, 0 updated, 1 deleted")
	if p.person("bob@"+example) != nil || p.person("alice@"+example) == nil {
		t.Error("bob was deleted, and alice renamed")
	}
	step("nothing more", "delta: 0 read, 0 added, 0 updated, 0 deleted")
}
