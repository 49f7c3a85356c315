package directory_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

var errDown = errors.New("the store is down")

// source is a store in memory; down answers nothing.
type source struct {
	users     map[string]directory.User
	overrides map[string]directory.Override
	kept      map[string]directory.KeptDomain
	rollouts  map[authn.AccountID][]directory.NamedRollout
	groups    map[authn.AccountID][]directory.NamedGroup
	down      bool
}

func (s *source) UserByUPN(_ context.Context, upn string) (directory.User, error) {
	if s.down {
		return directory.User{}, errDown
	}
	if u, ok := s.users[upn]; ok {
		return u, nil
	}
	return directory.User{}, directory.ErrNotFound
}

func (s *source) Domains(context.Context) (all []directory.KeptDomain, err error) {
	for _, name := range slices.Sorted(maps.Keys(s.kept)) {
		all = append(all, s.kept[name])
	}
	if s.down {
		err = errDown
	}
	return all, err
}

func (s *source) Standing(_ context.Context, domain string, account authn.AccountID, groups []string) (now directory.Standing, err error) {
	if s.down {
		return now, errDown
	}
	if o, ok := s.overrides[domain]; ok {
		now.Override = &o
	}
	if k, ok := s.kept[domain]; ok {
		now.Domain = &k
	}
	now.Rollouts = s.rollouts[account]
	for _, g := range s.groups[account] {
		if slices.Contains(groups, g.ID) || slices.Contains(groups, g.Name) {
			now.Groups = append(now.Groups, g)
		}
	}
	return now, nil
}

func tenant() (*directory.Tenant, *source) {
	s := &source{
		users: map[string]directory.User{"olga@pta.example.test": {
			ID: "o-1", UPN: "olga@pta.example.test", DisplayName: "Olga", Enabled: true, Synced: true,
			Onprem: directory.Onprem{UPN: "olga.olsen@corp.example.test", Anchor: "AAEC"},
		}},
		overrides: map[string]directory.Override{},
	}
	domains := []directory.Domain{
		{Name: "cloud.example.test", Path: authn.PathCloud},
		{Name: "pta.example.test", Path: authn.PathPTA},
		{Name: "phs.example.test", Path: authn.PathPHS, PHS: true},
		{Name: "saml.example.test", Path: authn.PathFederated, IdP: "harbour"},
		{Name: "lost.example.test", Path: authn.PathFederated, IdP: "nobody"},
	}
	idps := []directory.IdP{
		{ID: "harbour", Protocol: "saml", Issuer: "https://idp/saml", Domains: []string{"saml.example.test", "phs.example.test"}, Match: authn.MatchAnchor},
		{ID: "harbour-oidc", Protocol: "oidc", Issuer: "https://idp/oidc", Domains: []string{"phs.example.test"}, Match: authn.MatchUPN},
	}
	return directory.New(s, domains, idps), s
}

func TestFindAnswersWhoSomebodyIs(t *testing.T) {
	tn, s := tenant()
	a, err := tn.Find(t.Context(), authn.ParseIdentifier("Olga@PTA.example.test"))
	want := authn.Account{ID: "o-1", UPN: "olga@pta.example.test", DisplayName: "Olga", OnpremUPN: "olga.olsen@corp.example.test", Anchor: "AAEC", Synced: true}
	if err != nil || cmp.Diff(want, a) != "" {
		t.Errorf("%v\n%s", err, cmp.Diff(want, a))
	}
	for _, nobody := range []string{"zoe@pta.example.test", "", "not a name", "ｏlga@pta.example.test"} {
		if a, err := tn.Find(t.Context(), authn.ParseIdentifier(nobody)); a.Exists() || err != nil {
			t.Errorf("%q: %+v %v", nobody, a, err)
		}
	}
	s.down = true
	if _, err := tn.Find(t.Context(), authn.ParseIdentifier("olga@pta.example.test")); !errors.Is(err, errDown) {
		t.Errorf("a store that is down: %v; nobody and could-not-look are two answers", err)
	}
}

func TestTheOverrideWinsOverTheFileAndTheRuleSaysSo(t *testing.T) {
	tn, s := tenant()
	who := authn.ParseIdentifier("alice@phs.example.test")
	realm := func() authn.Realm {
		t.Helper()
		r, err := tn.Of(t.Context(), who, authn.Account{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := realm(); r.Path != authn.PathPHS || r.Rule != "domain phs.example.test" {
		t.Errorf("%+v", r)
	}
	s.overrides["phs.example.test"] = directory.Override{Domain: "phs.example.test", Path: authn.PathFederated, IdP: "harbour-oidc", By: "peggy"}
	want := authn.Realm{Domain: "phs.example.test", Path: authn.PathFederated, Rule: "override of phs.example.test by peggy", IdP: "harbour-oidc", Protocol: "oidc", Issuer: "https://idp/oidc", Match: authn.MatchUPN}
	if r := realm(); r != want {
		t.Errorf("%+v", r)
	}
	tn.Configure([]directory.Domain{{Name: "phs.example.test", Path: authn.PathCloud}}, nil)
	if r := realm(); r.Issuer != "" || r.IdP != "harbour-oidc" {
		t.Errorf("an identity provider that is gone still has the issuer %q", r.Issuer)
	}
	delete(s.overrides, "phs.example.test")
	if r := realm(); r.Path != authn.PathCloud {
		t.Errorf("the file was not swapped: %+v", r)
	}
	s.down = true
	if _, err := tn.Of(t.Context(), who, authn.Account{}); !errors.Is(err, errDown) {
		t.Errorf("a store that is down: %v", err)
	}
}

func TestAnIdentityProviderSpeaksForItsOwnDomainsOnly(t *testing.T) {
	tn, _ := tenant()
	for _, row := range []struct{ domain, want, id string }{
		{"saml.example.test", "", "harbour"},
		{"saml.example.test", "saml", "harbour"},
		{"phs.example.test", "oidc", "harbour-oidc"},
		{"phs.example.test", "", "harbour"},
		{"phs.example.test", "harbour-oidc", "harbour-oidc"},
		{"saml.example.test", "oidc", ""},
		{"pta.example.test", "", ""},
		{"lost.example.test", "", ""},
	} {
		idp, err := tn.IdPFor(row.domain, row.want)
		if idp.ID != row.id || (err == nil) != (row.id != "") {
			t.Errorf("%s, asked for %q: %q %v, want %q", row.domain, row.want, idp.ID, err, row.id)
		}
		if err != nil && (!errors.Is(err, directory.ErrNotFound) || !strings.Contains(err.Error(), "[[idp]]")) {
			t.Errorf("%s: %v does not say what to do", row.domain, err)
		}
	}
	if r, err := tn.Of(t.Context(), authn.ParseIdentifier("a@lost.example.test"), authn.Account{}); err != nil || r.Issuer != "" {
		t.Errorf("a domain without its identity provider has the issuer %q", r.Issuer)
	}
}

func TestAnIDGoesBeforeAProtocolOfTheSameSpelling(t *testing.T) {
	_, s := tenant()
	both := []string{"a.example.test"}
	tn := directory.New(s, []directory.Domain{{Name: "a.example.test", Path: authn.PathFederated, IdP: "saml"}}, []directory.IdP{
		{ID: "partner", Protocol: "saml", Issuer: "https://idp/saml", Domains: both}, {ID: "saml", Protocol: "oidc", Issuer: "https://idp/oidc", Domains: both},
	})
	r, err := tn.Of(t.Context(), authn.ParseIdentifier("x@a.example.test"), authn.Account{})
	if err != nil || r.IdP != "saml" || r.Issuer != "https://idp/oidc" {
		t.Errorf("the domain's own is %+v, %v", r, err)
	}
	if idp, err := tn.IdPFor("a.example.test", "oidc"); err != nil || idp.ID != "saml" {
		t.Errorf("by protocol: %+v, %v", idp, err)
	}
}

func TestDiscoveryAnswersByDomainAlone(t *testing.T) {
	tn, _ := tenant()
	for domain, want := range map[string]directory.Discovery{
		"cloud.example.test": {Domain: "cloud.example.test", NamespaceType: "Managed"},
		"PTA.example.test":   {Domain: "pta.example.test", NamespaceType: "Managed"},
		"saml.example.test":  {Domain: "saml.example.test", NamespaceType: "Federated", Protocol: "saml", IdP: "harbour"},
		"elsewhere.example":  {Domain: "elsewhere.example", NamespaceType: "Unknown"},
		"":                   {NamespaceType: "Unknown"},
	} {
		if got, err := tn.Discover(t.Context(), domain); err != nil || got != want {
			t.Errorf("%q: %+v %v, want %+v", domain, got, err, want)
		}
	}
}
