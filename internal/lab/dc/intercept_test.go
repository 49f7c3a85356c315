package dc_test

import (
	"sync"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/fourways-id/fourways/internal/lab/dc"
)

func TestWhatIsInterceptedMeetsItsFateAndNothingElseDoes(t *testing.T) {
	const alice, bob = "alice@pta.example.test", "bob@pta.example.test"
	var mu sync.Mutex
	var ops []dc.Op
	l := start(t, func(o *dc.Options) {
		o.Intercept = func(op dc.Op) dc.Fate {
			mu.Lock()
			defer mu.Unlock()
			ops = append(ops, op)
			return dc.Fate{Wait: time.Millisecond, HangUp: op.Name == alice}
		}
	})
	l.seed(t, user("alice", nil), user("bob", nil))
	c := l.dial(t)
	for range 2 {
		if err := c.Bind(bob, password); err != nil {
			t.Fatalf("bob, who is only held up: %v", err)
		}
	}
	if _, err := c.Search(ldap.NewSearchRequest(base, ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", nil, nil)); err != nil {
		t.Fatal(err)
	}
	if err := c.Bind(alice, password); err == nil || ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) {
		t.Errorf("alice was answered: %v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	bobDN := "CN=bob," + people
	want := []dc.Op{{Kind: "other"}, {Kind: "bind", Name: bob}, {Kind: "bind", Name: bob, Again: true}, {Kind: "search", Name: bobDN}, {Kind: "bind", Name: alice, Again: true}}
	if len(ops) != len(want) {
		t.Fatalf("%+v", ops)
	}
	for i := range want {
		if ops[i] != want[i] {
			t.Errorf("request %d is %+v, want %+v", i, ops[i], want[i])
		}
	}
	if e := l.events(); e[len(e)-1].Op != "hangup" || e[len(e)-1].Name != alice {
		t.Errorf("its own log ends with %+v", e[len(e)-1])
	}
}

func TestWhoIsDroppedMayComeBack(t *testing.T) {
	l := start(t)
	l.seed(t, user("alice", nil))
	c := l.dial(t)
	if err := c.Bind("alice@pta.example.test", password); err != nil {
		t.Fatal(err)
	}
	l.Drop()
	if err := c.Bind("alice@pta.example.test", password); err == nil {
		t.Error("a dropped connection was answered on")
	}
	if err := l.dial(t).Bind("alice@pta.example.test", password); err != nil {
		t.Error(err)
	}
}
