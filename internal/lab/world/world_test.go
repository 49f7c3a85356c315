package world

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Whoever made a lab with an earlier version finds the same people in it: ids and anchors out of a seed never change.
func TestASeedMakesTheSamePeopleForEver(t *testing.T) {
	s := Spec{Seed: 7}
	for i, want := range map[int]struct{ upn, anchor, id string }{
		1: {"user000001@cloud.example.test", "3MoqqH9wu0OxV2lF8hO93Q==", "e2fb3160-2ace-8e29-b55d-acf80f83fd4d"},
		2: {"user000002@phs.example.test", "CfD45i0ouUSUPCgrNX7qcg==", "212b0819-8288-8498-9581-2280ede007a1"},
		6: {"user000006@lab.example.test", "nZ/aG1kHY0aG5/CV69xFzQ==", "e8685847-fe46-8849-a2b6-7f06aefe3ddf"},
	} {
		m := s.Member(i)
		if m.UPN != want.upn || m.Object().Anchor != want.anchor || string(s.AccountID(m.UPN)) != want.id {
			t.Errorf("%d of seed 7 is %s, %s, %s, want %+v", i, m.UPN, m.Object().Anchor, s.AccountID(m.UPN), want)
		}
		if other := (Spec{Seed: 8}); other.Member(i).Object().Anchor == want.anchor || string(other.AccountID(m.UPN)) == want.id {
			t.Errorf("%s has the same ids with another seed", m.UPN)
		}
	}
}

// The crowd is loaded into the forest and the tenant side by side: both must be of the same people.
func TestAMemberIsTheSameOnBothSides(t *testing.T) {
	for i := range 12 {
		m := Spec{Seed: 1}.Member(i + 1)
		e, o := m.Entry("x"), m.Object()
		for attr, got := range map[string]string{
			"userPrincipalName": o.UPN, "mail": o.Mail, "sAMAccountName": o.SAM, "displayName": o.DisplayName, "givenName": o.GivenName, "sn": o.Surname,
			"msExchUsageLocation": o.UsageLocation,
		} {
			if e.Attrs[attr][0] != got {
				t.Errorf("%s: %s is %q in the forest and %q in the tenant", m.UPN, attr, e.Attrs[attr], got)
			}
		}
		if set := filetime(o.PasswordAt); e.Attrs["pwdLastSet"][0] != set {
			t.Errorf("%s: the password was set at %s and at %s", m.UPN, e.Attrs["pwdLastSet"], set)
		}
		if base64.StdEncoding.EncodeToString([]byte(e.Attrs["objectGUID"][0])) != o.Anchor || o.ID != o.Anchor || e.DN != o.DN || !strings.HasSuffix(e.DN, CrowdUnit().DN) {
			t.Errorf("%s: %s and %s", m.UPN, e.DN, o.DN)
		}
	}
}

func TestAccountsAreDatedBeforeAnyLabWasStarted(t *testing.T) {
	first, _, still := years()
	for i := range 100 {
		made, changed := Spec{Seed: 1}.Times(CrowdName(i + 1))
		if made.Before(first) || changed.Before(made) || changed.After(still) {
			t.Errorf("%s was made at %v and changed at %v", CrowdName(i+1), made, changed)
		}
	}
}

func TestAnExposedWorldHasNoPublicPassword(t *testing.T) {
	public := []string{Password, heidiNew, graceTemp, malloryPW}
	said := func(pw Passwords) []string {
		var all []string
		for _, e := range slices.Concat(Spec{Seed: 1}.Forest(pw, "decoy's"), Spec{Seed: 1}.Latecomers(pw), Fates(pw, time.Unix(1e9, 0))) {
			all = append(all, e.Password)
		}
		for _, a := range append(Accounts(pw), CloudPasswords(pw)...) {
			all = append(all, a.Password)
		}
		for _, p := range CloudPeople(pw) {
			all = append(all, p.Password)
		}
		return all
	}
	for _, p := range said("RANDOM") {
		if slices.Contains(public, p) {
			t.Errorf("%q is public", p)
		}
	}
	if open := said(""); !slices.Contains(open, Password) || !slices.Contains(open, graceTemp) {
		t.Error("control: the passwords of a lab for one person are not the public ones")
	}
}

func TestAccountsSayWhatWorksNow(t *testing.T) {
	got := map[string]Account{}
	for _, a := range Accounts("") {
		got[a.UPN] = a
	}
	for upn, want := range map[string]Account{
		"heidi@phs.example.test": {Password: Password, Path: authn.PathPHS}, "heidi@pta.example.test": {Password: heidiNew, Path: authn.PathPTA},
		"grace@saml.example.test": {Password: graceTemp, Path: authn.PathFederated}, "mallory@cloud.example.test": {Password: malloryPW, Path: authn.PathCloud},
	} {
		if want.UPN = upn; got[upn] != want {
			t.Errorf("%+v, want %+v", got[upn], want)
		}
	}
	if _, ok := got["nick@pta.example.test"]; ok {
		t.Error("nick is unknown to the tenant")
	}
}

func TestEverybodyGoesByOneNameInTheTenant(t *testing.T) {
	names := ForestNames()
	if names["olga.olsen.pta@corp.example.test"] != "olga@pta.example.test" || names["alice@pta.example.test"] != "alice@pta.example.test" {
		t.Errorf("%v", names)
	}
	tenant := slices.Sorted(maps.Values(names))
	if len(slices.Compact(tenant)) != len(names) {
		t.Errorf("two in the forest are one in the tenant: %v", names)
	}
}

func TestTicksAreThoseOfActiveDirectory(t *testing.T) {
	at := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	if got := Ticks(at); got != 133853040000000000 || !FromTicks(got).Equal(at) {
		t.Errorf("%d, %v", got, FromTicks(got))
	}
}
