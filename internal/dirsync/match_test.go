package dirsync

import (
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/directory"
)

// byHand is an account of the cloud that was given an immutable ID.
func byHand(name, of string) directory.User {
	u := cloudOnly(name)
	u.Onprem.Anchor = anchor(of)
	return u
}

func withPrimary(o Object, address string) Object {
	o.ProxyAddresses = []string{"smtp:other@phs.example.test", "SMTP:" + address}
	return o
}

func mailed(u directory.User, address string) directory.User {
	u.Mail = address
	return u
}

func privilegedOne(u directory.User) directory.User {
	u.Admin = true
	return u
}

// Who is found, and under which name: the account keeps its id, and what it is called is the premises' word.
func TestANewObjectTakesOverTheCloudAccountThatIsItsOwn(t *testing.T) {
	foreign := withPrimary(person("alice"), "soft@phs.example.test")
	foreign.UPN = "alice@corp.test"
	for name, c := range map[string]struct {
		cloud directory.User
		from  Object
		upn   string
	}{
		"hard, by immutable ID":                        {byHand("other.name", "alice"), person("alice"), "alice@phs.example.test"},
		"soft, by UPN":                                 {cloudOnly("alice"), person("alice"), "alice@phs.example.test"},
		"soft, by UPN in other letters":                {cloudOnly("alice"), func() Object { o := person("alice"); o.UPN = "Alice@PHS.example.test"; return o }(), "alice@phs.example.test"},
		"soft, by primary address and mail":            {mailed(cloudOnly("soft"), "Alice.A@phs.example.test"), withPrimary(person("alice"), "alice.a@PHS.example.test"), "alice@phs.example.test"},
		"soft, by primary address and UPN":             {cloudOnly("soft"), withPrimary(person("alice"), "soft@phs.example.test"), "alice@phs.example.test"},
		"soft, and the suffix on-premises is not ours": {cloudOnly("soft"), foreign, "soft@phs.example.test"},
	} {
		r := placing()
		p := Diff(tenantOf(c.cloud), incomingOf(c.from), r)
		put := putUsers(p)
		if len(put) != 1 || put[0].ID != c.cloud.ID || !put[0].Synced || put[0].Onprem.Anchor != anchor("alice") || put[0].UPN != c.upn || len(p.Skipped) != 0 {
			t.Errorf("%s: got %+v\n%s", name, put, p)
		}
	}
}

func TestSwitchesForbidMatches(t *testing.T) {
	for name, c := range map[string]struct {
		cloud directory.User
		from  Object
		off   func(*Rules)
		says  string
		put   string // the UPN of the new account; "" for none
	}{
		"hard": {
			byHand("other", "alice"), person("alice"), func(r *Rules) { r.HardMatch = false }, "sync.hard_match", "",
		},
		"soft by UPN, without an initial domain": {
			cloudOnly("alice"), person("alice"), func(r *Rules) { r.SoftMatch, r.Initial = false, "" }, "sync.soft_match", "",
		},
		"soft by UPN": {
			cloudOnly("alice"), person("alice"), func(r *Rules) { r.SoftMatch = false }, "sync.soft_match", "alice+" + digits(anchor("alice"))[0] + "@init.example.test",
		},
		"soft by address": {
			mailed(cloudOnly("soft"), "a@phs.example.test"), withPrimary(person("alice"), "a@phs.example.test"), func(r *Rules) { r.SoftMatch = false },
			"sync.soft_match", "alice@phs.example.test",
		},
	} {
		r := placing()
		if on := putUsers(Diff(tenantOf(c.cloud), incomingOf(c.from), r)); len(on) != 1 || on[0].ID != c.cloud.ID {
			t.Fatalf("%s: the control took over nobody: %+v", name, on)
		}
		c.off(&r)
		p := Diff(tenantOf(c.cloud), incomingOf(c.from), r)
		put := putUsers(p)
		if len(p.Skipped) != 1 || !strings.Contains(p.Skipped[0].Reason, c.says) {
			t.Errorf("%s: the plan doesn't name the switch:\n%s", name, p)
		}
		if c.put == "" && len(put) != 0 || c.put != "" && (len(put) != 1 || put[0].UPN != c.put || put[0].ID == c.cloud.ID) {
			t.Errorf("%s: got %+v", name, put)
		}
		if s := settledOf(t, p, "id-alice"); (c.put == "") != (s.Error != "") {
			t.Errorf("%s: got %+v", name, s)
		}
	}
}

func TestAPrivilegedCloudAccountIsNeverTakenOver(t *testing.T) {
	for name, c := range map[string]struct {
		cloud directory.User
		from  Object
		taken bool // the object comes to be an account of its own
	}{
		"by immutable ID": {byHand("other", "alice"), person("alice"), false},
		"by UPN":          {cloudOnly("alice"), person("alice"), false},
		"by address":      {mailed(cloudOnly("soft"), "a@phs.example.test"), withPrimary(person("alice"), "a@phs.example.test"), true},
	} {
		if on := putUsers(Diff(tenantOf(c.cloud), incomingOf(c.from), placing())); len(on) != 1 || on[0].ID != c.cloud.ID {
			t.Fatalf("%s: the control took over nobody: %+v", name, on)
		}
		p := Diff(tenantOf(privilegedOne(c.cloud)), incomingOf(c.from), placing())
		put := putUsers(p)
		if (len(put) == 1) != c.taken || len(put) == 1 && put[0].ID == c.cloud.ID || len(p.Skipped) != 1 || !strings.Contains(p.Skipped[0].Reason, "privileged") {
			t.Errorf("%s: got %s", name, p)
		}
	}
}

func TestOnlyNewObjectsMatch(t *testing.T) {
	o := withPrimary(person("alice"), "soft@phs.example.test")
	if p := plan(tenantOf(synced("alice"), cloudOnly("soft")), o); !p.Empty() || len(p.Skipped) != 0 {
		t.Errorf("somebody who is here already: %s", p)
	}
	was := synced("alice")
	was.ID = "as it was"
	now := tenantOf(cloudOnly("soft"))
	now.Deleted = []directory.User{was}
	if put := putUsers(plan(now, o)); len(put) != 1 || put[0].ID != was.ID {
		t.Errorf("somebody who returns: %+v", put)
	}
	if p := plan(tenantOf(byHand("soft", "somebody else")), o); len(p.Adds) != 1 || len(p.Skipped) != 0 {
		t.Errorf("an account with another immutable ID that shares the address: %s", p)
	}
}

func TestNobodyIsMatchedWhereSeveralMayBeMeant(t *testing.T) {
	for name, c := range map[string]struct {
		now     directory.Objects
		objects []Object
	}{
		"two by one name": {tenantOf(cloudOnly("soft")), []Object{person("soft"), func() Object { o := person("soft"); o.ID, o.Anchor = "id-2", anchor("2"); return o }()}},
		"two by one address": {
			tenantOf(mailed(cloudOnly("soft"), "m@phs.example.test")),
			[]Object{withPrimary(person("a"), "m@phs.example.test"), withPrimary(person("b"), "m@phs.example.test")},
		},
		"two accounts of one address": {
			tenantOf(mailed(cloudOnly("x"), "m@phs.example.test"), mailed(cloudOnly("y"), "M@phs.example.test")), []Object{withPrimary(person("a"), "m@phs.example.test")},
		},
		"two accounts of one immutable ID": {tenantOf(byHand("x", "a"), byHand("y", "a")), []Object{person("a")}},
	} {
		for _, r := range []Rules{both(), placing()} {
			p := Diff(c.now, incomingOf(c.objects...), r)
			if !p.Empty() || len(p.Skipped) != len(c.objects) {
				t.Errorf("%s: got %s", name, p)
			}
			for _, s := range p.Settled {
				if s.Error == "" {
					t.Errorf("%s: %s is settled", name, s.ID)
				}
			}
		}
	}
}

// The name says more than the address, and who is told apart only by the address waits.
func TestAnAccountGoesToWhoeverHasItsName(t *testing.T) {
	p := Diff(tenantOf(cloudOnly("soft")), incomingOf(person("soft"), withPrimary(person("other"), "soft@phs.example.test")), placing())
	put := putUsers(p)
	if len(put) != 1 || put[0].ID != "cloud-soft" || put[0].Onprem.Anchor != anchor("soft") || settledOf(t, p, "id-other").Error == "" {
		t.Errorf("got %s", p)
	}
	again := Diff(tenantOf(put...), incomingOf(withPrimary(person("other"), "soft@phs.example.test")), placing())
	if put := putUsers(again); len(put) != 1 || put[0].UPN != "other@phs.example.test" || len(again.Skipped) != 0 {
		t.Errorf("when it is: %s", again)
	}
}
