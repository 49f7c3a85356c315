package dc_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/fourways-id/fourways/internal/lab/dc"
)

func TestEveryAccountStateIsToldAfterTheRightPasswordOnly(t *testing.T) {
	l := start(t, func(o *dc.Options) { o.LockoutThreshold = -1 })
	never, always := strings.Repeat("\x00", 21), strings.Repeat("\xff", 21)
	// Wednesday 10:00 is hour 3*24+10 = 82 of the week: octet 10, bit 2.
	nowOnly := never[:10] + "\x04" + never[11:]
	notNow := always[:10] + "\xfb" + always[11:]
	cases := []struct {
		name  string
		attrs map[string]string
		data  string
	}{
		{"healthy", nil, ""},
		{"disabled", map[string]string{"userAccountControl": "514"}, "533"},
		{"ended", map[string]string{"accountExpires": filetime(wednesday.Add(-time.Hour))}, "701"},
		{"endslater", map[string]string{"accountExpires": filetime(wednesday.Add(time.Hour))}, ""},
		{"expired", map[string]string{"pwdLastSet": filetime(wednesday.Add(-43 * 24 * time.Hour))}, "532"},
		{"oldbutnever", map[string]string{"pwdLastSet": filetime(wednesday.Add(-43 * 24 * time.Hour)), "userAccountControl": "66048"}, ""},
		{"mustchange", map[string]string{"pwdLastSet": "0"}, "773"},
		{"nohours", map[string]string{"logonHours": never}, "530"},
		{"hournow", map[string]string{"logonHours": nowOnly}, ""},
		{"hourother", map[string]string{"logonHours": notNow}, "530"},
		{"elsewhere", map[string]string{"userWorkstations": "PC7,PC8"}, "531"},
		{"here", map[string]string{"userWorkstations": "PC7,dc1"}, ""},
		{"locked", map[string]string{"lockoutTime": filetime(wednesday)}, "775"},
		{"smartcard", map[string]string{"userAccountControl": "262656"}, "52e"},
	}
	var entries []dc.Entry
	for _, c := range cases {
		entries = append(entries, user(c.name, c.attrs))
	}
	l.seed(t, entries...)
	conn := l.dial(t)
	for _, c := range cases {
		wantData(t, c.name+", right password", conn.Bind(c.name+"@pta.example.test", password), c.data)
		wrong := "52e"
		if c.name == "locked" {
			wrong = "775" // the one state that is told whatever the password
		}
		wantData(t, c.name+", wrong password", conn.Bind(c.name+"@pta.example.test", "Wrong-2025!"), wrong)
	}
}

func TestNamesThatBind(t *testing.T) {
	l := start(t)
	l.seed(t, user("alice.pta", nil))
	conn := l.dial(t)
	for name, data := range map[string]string{
		"alice.pta@pta.example.test":                        "",
		"ALICE.PTA@PTA.example.test":                        "",
		"alice.pta@corp.example.test":                       "", // implicit name
		`CORP\alice.pta`:                                    "",
		`corp\Alice.PTA`:                                    "",
		"cn=Alice.pta , ou=synced," + strings.ToLower(base): "",
		"alice.pta":                                         "52e", // a bare user name is nobody
		`OTHER\alice.pta`:                                   "52e",
		"nobody@pta.example.test":                           "52e",
		"alice.pta@elsewhere.example.test":                  "52e",
		"CN=nobody," + people:                               "52e",
	} {
		wantData(t, name, conn.Bind(name, password), data)
	}
}

func TestEmptyPasswordNeverBinds(t *testing.T) {
	l := start(t)
	nobodysPassword := user("bare", nil)
	nobodysPassword.Password = ""
	l.seed(t, user("alice", nil), nobodysPassword)
	conn := l.dial(t)
	for _, name := range []string{"alice@pta.example.test", "bare@pta.example.test", "nobody@pta.example.test"} {
		_, err := conn.SimpleBind(&ldap.SimpleBindRequest{Username: name, AllowEmptyPassword: true})
		wantData(t, name, err, "52e")
	}
	wantData(t, "control", conn.Bind("alice@pta.example.test", password), "")
}

func TestBindWithoutTLSIsRefused(t *testing.T) {
	l := start(t)
	l.seed(t, user("alice", nil))
	err := l.plain(t).Bind("alice@pta.example.test", password)
	if code(err) != ldap.LDAPResultStrongAuthRequired || !strings.Contains(err.Error(), "BindSimple: Transport encryption required.") {
		t.Errorf("plain bind: %v", err)
	}
	wantData(t, "over TLS", l.dial(t).Bind("alice@pta.example.test", password), "")

	lax := start(t, func(o *dc.Options) { o.AllowPlain = true })
	lax.seed(t, user("alice", nil))
	wantData(t, "plain where it is allowed", lax.plain(t).Bind("alice@pta.example.test", password), "")
}

func TestLockoutBeginsAfterTheThresholdAndEnds(t *testing.T) {
	l := start(t)
	l.seed(t, user("carol", nil), user("alice", nil))
	conn := l.dial(t)
	for i := range 3 {
		wantData(t, fmt.Sprintf("wrong password %d", i+1), conn.Bind("carol@pta.example.test", "nope"), "52e")
	}
	wantData(t, "right password while locked", conn.Bind("carol@pta.example.test", password), "775")
	wantData(t, "another account", conn.Bind("alice@pta.example.test", password), "")

	l.clock.advance(30 * time.Minute)
	wantData(t, "after the lockout duration", conn.Bind("carol@pta.example.test", password), "")
	for range 2 {
		wantData(t, "count begins anew", conn.Bind("carol@pta.example.test", "nope"), "52e")
	}
	wantData(t, "below the threshold", conn.Bind("carol@pta.example.test", password), "")
}

func TestAdministratorUnlocks(t *testing.T) {
	l := start(t, func(o *dc.Options) { o.LockoutDuration = -1 })
	l.seed(t, user("carol", nil))
	conn := l.dial(t)
	for range 4 {
		_ = conn.Bind("carol@pta.example.test", "nope")
	}
	l.clock.advance(1000 * time.Hour)
	wantData(t, "a lock without an end", conn.Bind("carol@pta.example.test", password), "775")
	m := ldap.NewModifyRequest("CN=carol,"+people, nil)
	m.Replace("lockoutTime", []string{"0"})
	if err := l.asAdmin(t).Modify(m); err != nil {
		t.Fatal(err)
	}
	// 1000 hours are just under 42 days, so the password is still good.
	wantData(t, "unlocked", conn.Bind("carol@pta.example.test", password), "")
}

func TestAFailedBindLeavesAStranger(t *testing.T) {
	l := start(t)
	l.seed(t, user("alice", nil))
	conn := l.as(t, "alice@pta.example.test", password)
	req := ldap.NewSearchRequest(base, ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", nil, nil)
	if _, err := conn.Search(req); err != nil {
		t.Fatal(err)
	}
	_ = conn.Bind("alice@pta.example.test", "nope")
	if _, err := conn.Search(req); code(err) != ldap.LDAPResultOperationsError {
		t.Errorf("search after a failed bind: %v, want operationsError", err)
	}
}

func TestTheLogNamesWhoAndWhyAndNeverThePassword(t *testing.T) {
	l := start(t)
	l.seed(t, user("dave", map[string]string{"pwdLastSet": "0"}))
	conn := l.dial(t)
	_ = conn.Bind("dave@pta.example.test", password)
	var found bool
	for _, e := range l.events() {
		if e.Op == "bind" {
			found = e.Name == "dave@pta.example.test" && e.Result == 49 && e.Data == "773" && e.Time.Equal(wednesday) && e.Conn > 0
		}
		if strings.Contains(fmt.Sprintf("%+v", e), password) {
			t.Errorf("password in the log: %+v", e)
		}
	}
	if !found {
		t.Errorf("no event tells of the bind: %+v", l.events())
	}
}
