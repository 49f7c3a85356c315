package agent_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/agent/agenttest"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/onprem"
)

func TestAnObjectIsFoundByAnyOfItsNames(t *testing.T) {
	f := village()
	f.entries[3] = human("CN=a,OU=Synced,DC=corp", "a", "mail", "a@phs.example.test", "userPrincipalName", "a@corp.example.test", "displayName", "A")
	f.entries[6] = human("CN=n,OU=NotSynced,DC=corp", "n", "mail", "n@phs.example.test", "cn", "a@corp.example.test")
	s := agent.NewSource(f, adOptions())
	for name, want := range map[string]string{
		"a@phs.example.test": "a", "A@corp.example.test": "a", "a": "a", " a ": "a", "cn=a, ou=synced,dc=corp": "a", b64("a"): "a",
		"00000061-0000-0000-0000-000000000000": "a", "{00000061-0000-0000-0000-000000000000}": "a",
		"n@phs.example.test": "-n", "CN=n,OU=NotSynced,DC=corp": "-n",
		"nobody": "", "CN=nobody,OU=Synced,DC=corp": "", "CN=x,OU=nowhere,DC=corp": "", b64("z"): "", "*": "", "a)(cn=*": "",
	} {
		if got := read(t, s, dirsync.Ask{Kind: dirsync.KindLook, Name: name}); got.names() != want {
			t.Errorf("%q: %q, want %q", name, got.names(), want)
		}
	}
	out := read(t, s, dirsync.Ask{Kind: dirsync.KindLook, Name: "n"}).by("n")
	if out.Reason != "OU=NotSynced,DC=corp is in no scope" || out.UPN != "n@phs.example.test" || !out.Gone {
		t.Errorf("%+v", out)
	}
	if in := read(t, s, dirsync.Ask{Kind: dirsync.KindLook, Name: "a"}).by("a"); in.DisplayName != "A" || in.Reason != "" {
		t.Errorf("%+v", in)
	}
	for _, name := range []string{"", "  ", strings.Repeat("x", 2000), "a\x00b"} {
		if _, err := tryRead(t, s, dirsync.Ask{Kind: dirsync.KindLook, Name: name}); err == nil {
			t.Errorf("%.10q is a name", name)
		}
	}
	f.err = errors.New("hung up")
	if _, err := tryRead(t, s, dirsync.Ask{Kind: dirsync.KindLook, Name: "a"}); !errors.Is(err, f.err) {
		t.Errorf("%v", err)
	}
}

func TestTwoThatHaveTheSameNameBothCome(t *testing.T) {
	f := village()
	f.entries[3].Attrs["mail"], f.entries[4].Attrs["mail"] = [][]byte{[]byte("x@corp")}, [][]byte{[]byte("X@corp")}
	if got := read(t, agent.NewSource(f, adOptions()), dirsync.Ask{Kind: dirsync.KindLook, Name: "x@corp"}); got.names() != "a b" {
		t.Error(got.names())
	}
}

func TestOpenLDAPIsLookedThroughByItsOwnNames(t *testing.T) {
	e := entry("uid=bob,ou=people,dc=x", "bob", "inetOrgPerson person", "uid", "bob", "mail", "bob@x.test")
	e.Attrs["entryUUID"] = [][]byte{[]byte("00000061-0000-0000-0000-000000000000")}
	s := agent.NewSource(&forest{entries: []onprem.Entry{e}}, agent.SourceOptions{Kind: onprem.LDAP, CloudUPN: "mail", BindUPN: "mail", AnchorAttribute: "entryUUID"})
	anchor := read(t, s, dirsync.Ask{Kind: dirsync.KindDirectory}).by("bob").Anchor
	for _, name := range []string{"bob", "bob@x.test", "UID=bob,ou=people,dc=x", anchor} {
		if got := read(t, s, dirsync.Ask{Kind: dirsync.KindLook, Name: name}); got.names() != "bob" {
			t.Errorf("%s: %s", name, got.names())
		}
	}
}

// Who looks does not wait for a run, and a run is not refused because somebody looks.
func TestALookGoesOnBesideARun(t *testing.T) {
	w := agenttest.Start(t)
	id := w.Enrol(t, "one", agentlink.RoleSync)
	reading := make(chan struct{})
	w.Run(t, agent.Options{Identity: id, Source: either{blocked{reading}, made{parts: [][]dirsync.Object{people(1)}}}})
	run := make(chan error, 1)
	go func() {
		run <- w.Link.Sync(context.Background(), "run", dirsync.Ask{Kind: dirsync.KindDirectory}, func(dirsync.Batch) error { return nil })
	}()
	<-reading
	for _, kind := range []dirsync.Kind{dirsync.KindLook, dirsync.KindChanges, dirsync.KindWriteBack} {
		if got, err := collect(t, w, "look "+string(kind), kind); err != nil || len(got) != 1 || !got[0].Last || len(got[0].Objects) != 1 {
			t.Errorf("%s: %+v, %v", kind, got, err)
		}
	}
	w.Broker.Disconnect(id.AgentID)
	if err := <-run; err == nil {
		t.Error("the run ended well without its agent")
	}
}

// either is one source for runs and another for looks.
type either struct{ run, look dirsync.Source }

func (e either) Read(ctx context.Context, ask dirsync.Ask, yield func(dirsync.Part) error) error {
	if ask.Kind == dirsync.KindDirectory || ask.Kind == dirsync.KindHash {
		return e.run.Read(ctx, ask, yield)
	}
	return e.look.Read(ctx, ask, yield)
}
