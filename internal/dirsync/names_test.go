package dirsync

import (
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// stranger has a user name in a domain that is not the tenant's.
func stranger(name string) Object {
	o := person(name)
	o.UPN = name + "@corp.test"
	return o
}

func TestANameInTheInitialDomainIsMadeOfTheFirstThatThereIs(t *testing.T) {
	o := stranger("upn")
	o.Nickname, o.Mail, o.ProxyAddresses = "nick", "mail@x.test", []string{"smtp:second@x.test", "SMTP:first@x.test"}
	check := func(want string) {
		t.Helper()
		p := Diff(directory.Objects{}, incomingOf(o), placing())
		if put := putUsers(p); len(put) != 1 || put[0].UPN != want+"@init.example.test" || put[0].Onprem.UPN != o.UPN || len(p.Skipped) != 0 {
			t.Errorf("want %s: got %s", want, p)
		}
	}
	check("nick")
	o.Nickname = "not a näme"
	check("first")
	o.ProxyAddresses = o.ProxyAddresses[:1]
	check("mail")
	o.Mail = ""
	check("upn")
	o.UPN = ""
	check("second")
	o.ProxyAddresses = nil
	p := Diff(directory.Objects{}, incomingOf(o), placing())
	if !p.Empty() || !strings.Contains(settledOf(t, p, "id-upn").Error, "init.example.test") {
		t.Errorf("nothing to make a name of: %s", p)
	}
}

func TestANameInTheInitialDomainIsMadeAnewOnlyWhenTheUPNChanges(t *testing.T) {
	o := stranger("alice")
	here := putUsers(Diff(directory.Objects{}, incomingOf(o), placing()))[0]
	named := func(want string, skipped int) {
		t.Helper()
		p := Diff(tenantOf(here), incomingOf(o), placing())
		got := here.UPN
		if put := putUsers(p); len(put) == 1 {
			got = put[0].UPN
		}
		if got != want || len(p.Skipped) != skipped {
			t.Errorf("want %s: got %s", want, p)
		}
	}
	named("alice@init.example.test", 0)
	o.Nickname = "nick"
	named("alice@init.example.test", 0)
	o.UPN = "ALICE@corp.test"
	named("alice@init.example.test", 0)
	o.UPN = "alice.b@corp.test"
	named("nick@init.example.test", 0)
	o.UPN = "alice@phs.example.test"
	named("alice@phs.example.test", 0)
	o.UPN = "älice@phs.example.test"
	named("alice@init.example.test", 1)
}

func TestADomainThatIsNoLongerOursRenamesNobody(t *testing.T) {
	r := placing()
	r.Verified = func(domain string) bool { return domain == r.Initial }
	if p := Diff(tenantOf(synced("alice")), incomingOf(person("alice")), r); !p.Empty() || len(p.Skipped) != 0 {
		t.Errorf("got %s", p)
	}
}

func TestWhoHasANameKeepsItAndTheNextGetsItWhenItIsFree(t *testing.T) {
	r := placing()
	twin := person("twin")
	twin.UPN = "alice@phs.example.test"
	now := tenantOf(synced("alice"))
	p := Diff(now, incomingOf(person("alice"), twin), r)
	put := putUsers(p)
	want := "alice+" + digits(anchor("twin"))[0] + "@init.example.test"
	if len(put) != 1 || put[0].UPN != want || put[0].ID != authn.AccountID(IDOf(User, twin.Anchor)) || put[0].Onprem.UPN != twin.UPN {
		t.Fatalf("got %s", p)
	}
	s := settledOf(t, p, "id-twin")
	if s.Error != "" || !strings.HasPrefix(s.Quarantined, "userPrincipalName alice@phs.example.test is taken by ") || !strings.Contains(s.Quarantined, want) {
		t.Errorf("got %+v", s)
	}
	if s := settledOf(t, p, "id-alice"); s.Error+s.Quarantined != "" {
		t.Errorf("who has the name: %+v", s)
	}
	now = apply(now, p.Changes("run", put[0].Changed))
	if again := Diff(now, incomingOf(twin), r); !again.Empty() || settledOf(t, again, "id-twin").Quarantined == "" {
		t.Errorf("while the name is taken: %s", again)
	}
	free := Diff(now, incomingOf(gone(person("alice")), twin), r)
	if put := putUsers(free); len(put) != 1 || put[0].UPN != twin.UPN || put[0].Onprem.UPN != "" || len(free.Skipped) != 0 {
		t.Errorf("when it is free: %s", free)
	}
}

func TestAPlaceholderGetsItsNameInTheInitialDomainToo(t *testing.T) {
	r := placing()
	a, b := stranger("alice"), stranger("other")
	b.Nickname = "alice"
	now := tenantOf(putUsers(Diff(directory.Objects{}, incomingOf(a), r))...)
	now = apply(now, Diff(now, incomingOf(b), r).Changes("run", now.Users[0].Changed))
	free := Diff(now, incomingOf(gone(a), b), r)
	if put := putUsers(free); len(put) != 1 || put[0].UPN != "alice@init.example.test" {
		t.Errorf("got %s", free)
	}
}

func TestNobodyGetsANameThatSeveralNewcomersWant(t *testing.T) {
	a, b := person("a"), person("b")
	a.UPN, b.UPN = "one@phs.example.test", "one@phs.example.test"
	if p := plan(directory.Objects{}, a, b); !p.Empty() || len(p.Skipped) != 2 {
		t.Errorf("without an initial domain: %s", p)
	}
	p := Diff(directory.Objects{}, incomingOf(a, b), placing())
	for _, u := range putUsers(p) {
		if !strings.HasPrefix(u.UPN, "one+") || !strings.HasSuffix(u.UPN, "@init.example.test") {
			t.Errorf("%s", u.UPN)
		}
	}
	if len(p.Adds) != 2 || settledOf(t, p, "id-a").Quarantined == "" || settledOf(t, p, "id-b").Quarantined == "" {
		t.Errorf("got %s", p)
	}
}

func TestANameThatIsTakenOutsideStaysThere(t *testing.T) {
	r := placing()
	r.Taken = func(upn, by string) bool { return upn == "alice@phs.example.test" && by != anchor("owner") }
	p := Diff(directory.Objects{}, incomingOf(person("alice"), person("bob")), r)
	if s := settledOf(t, p, "id-alice"); len(p.Adds) != 2 || s.Quarantined == "" || settledOf(t, p, "id-bob").Quarantined != "" {
		t.Errorf("got %s", p)
	}
	if p := Diff(tenantOf(synced("alice")), incomingOf(person("alice")), r); !p.Empty() || len(p.Skipped) != 0 {
		t.Errorf("who has it keeps it: %s", p)
	}
	if p := Diff(tenantOf(cloudOnly("alice")), incomingOf(person("alice")), r); !p.Empty() || settledOf(t, p, "id-alice").Error == "" {
		t.Errorf("two stand for one account of the cloud: %s", p)
	}
}

func TestAPlaceholderIsANameThatAnAccountCanHave(t *testing.T) {
	long := strings.Repeat("l", 64)
	for _, upn := range []string{"a@phs.example.test", long + "@phs.example.test", strings.Repeat("l", 58) + ".x.y@phs.example.test"} {
		for _, name := range placing().placeholders(anchor("a"), upn) {
			if authn.ParseIdentifier(name).UPN() != name || !placing().isPlaceholder(anchor("a"), name) || placing().isPlaceholder(anchor("b"), name) {
				t.Errorf("%s", name)
			}
		}
	}
	if all := both().placeholders(anchor("a"), "a@phs.example.test"); len(all) != 0 {
		t.Errorf("without an initial domain: %v", all)
	}
}

// A plan must be told of every account that has a name that it may give.
func TestTheNamesThatAPlanMayLookAt(t *testing.T) {
	o := withPrimary(stranger("alice"), "p@phs.example.test")
	d := digits(o.Anchor)
	want := "alice@corp.test p@init.example.test p@phs.example.test " +
		"alice+" + d[0] + "@init.example.test alice+" + d[1] + "@init.example.test p+" + d[0] + "@init.example.test p+" + d[1] + "@init.example.test"
	if got := strings.Join(placing().names(o), " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := strings.Join(both().names(person("bob")), " "); got != "bob@phs.example.test" {
		t.Errorf("got %s", got)
	}
}

func FuzzWhateverIsSentNamesAnAccountOrNobody(f *testing.F) {
	f.Add("nick", "alice@corp.test", "SMTP:alice@corp.test", "Alice")
	f.Add("a@b", "älice@phs.example.test", "smtp:.@.", "\x1b[2J\n- user bob")
	f.Add("", "", "SMTP:", strings.Repeat("x", 300))
	f.Fuzz(func(t *testing.T, nickname, upn, address, text string) {
		o := person("alice")
		o.Nickname, o.UPN, o.ProxyAddresses = nickname, upn, []string{address}
		o.DisplayName, o.Mail, o.JobTitle, o.UsageLocation = text, text, text, text
		p := Diff(tenantOf(cloudOnly("bob")), incomingOf(o, person("bob")), placing())
		for _, u := range putUsers(p) {
			if u.UPN == "" || authn.ParseIdentifier(u.UPN).UPN() != u.UPN || u.DisplayName == "" {
				t.Errorf("%+v", u)
			}
			if _, err := directory.UsageLocation(u.UsageLocation); err != nil && u.UsageLocation != "" {
				t.Error(err)
			}
		}
		for line := range strings.Lines(p.String()) {
			if strings.ContainsFunc(strings.TrimSuffix(line, "\n"), func(r rune) bool { return !directory.Printable(r) }) || !strings.ContainsRune("+~-!0123456789", rune(line[0])) {
				t.Errorf("%q", line)
			}
		}
	})
}
