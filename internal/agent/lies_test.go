package agent_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/agent/agenttest"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/onprem"
)

// Whoever comes without an id can't be told apart from whoever is gone.
func TestAFullReadInWhichSomebodyHasNoIDDeletesNobody(t *testing.T) {
	for name, ids := range map[string][][]byte{"none": nil, "two": {id("b"), id("c")}, "short": {[]byte("b")}} {
		t.Run(name, func(t *testing.T) {
			hidden := human("CN=Hidden\n\x1b[2J,OU=Synced,DC=corp", "b")
			hidden.Attrs["objectGUID"] = ids
			f := &forest{at: "start", entries: []onprem.Entry{human("CN=a,OU=Synced,DC=corp", "a"), hidden}}
			_, err := tryRead(t, agent.NewSource(f, adOptions()), dirsync.Ask{Kind: dirsync.KindDirectory})
			if err == nil || !strings.Contains(err.Error(), "objectGUID") || strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("got %v", err)
			}
			f.entries = f.entries[:1]
			if got := read(t, agent.NewSource(f, adOptions()), dirsync.Ask{Kind: dirsync.KindDirectory}); got.names() != "a" {
				t.Errorf("control: %s", got.names())
			}
		})
	}
}

// One message to the gateway holds 64 MiB; nobody's values make a part that it refuses.
func TestHugeValuesMakeSmallParts(t *testing.T) {
	long := strings.Repeat("x", 10<<20)
	entries := []onprem.Entry{
		human("CN=dn"+long+",OU=Synced,DC=corp", "dn"), human("CN=mail,OU=Synced,DC=corp", "mail", "displayName", long),
		human("CN=anchor,OU=Synced,DC=corp", "anchor", "ms-DS-ConsistencyGuid", long, "msDS-ExternalDirectoryObjectID", long),
		human("CN=many,OU=Synced,DC=corp", "many", strings.Fields(strings.Repeat("proxyAddresses smtp:a ", 100_000))...),
	}
	for _, name := range strings.Fields("p0 p1 p2 p3 p4 p5 p6 p7 p8 p9") {
		attrs := strings.Fields(strings.Repeat("proxyAddresses smtp:"+strings.Repeat("y", 4000)+" ", 2000))
		entries = append(entries, human("CN="+name+",OU=Synced,DC=corp", name, attrs...))
	}
	o := adOptions()
	o.AnchorAttribute, o.WriteBack = agent.ConsistencyGUID, []string{agent.CloudObjectID}
	wrong := map[string]bool{}
	err := agent.NewSource(&forest{at: "start", entries: entries}, o).Read(t.Context(), dirsync.Ask{Kind: dirsync.KindDirectory}, func(p dirsync.Part) error {
		text, err := json.Marshal(p)
		if err != nil || len(text) > 32<<20 {
			t.Errorf("a part of %d octets, %v", len(text), err)
		}
		for _, one := range p.Objects {
			raw, _ := base64.StdEncoding.DecodeString(one.ID)
			wrong[strings.TrimRight(string(raw), "\x00")] = one.Error != ""
		}
		return nil
	})
	if err != nil || len(wrong) != len(entries) {
		t.Fatalf("%d objects, %v", len(wrong), err)
	}
	for name, want := range map[string]bool{"dn": false, "mail": true, "anchor": true, "many": true, "p0": false, "p9": false} {
		if wrong[name] != want {
			t.Errorf("%s: left out %t, want %t", name, wrong[name], want)
		}
	}
}

// The hash that a directory holds is in no log, however much is logged, and nowhere on the wire; nor is the record that is
// sent, outside of what is sealed.
func TestAHashIsNowhereInClear(t *testing.T) {
	w := agenttest.Start(t)
	tap := w.Tap(t)
	log := slog.New(slog.NewTextHandler(w.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o := adOptions()
	o.Log = log
	malformed := hashed("c", []byte(ntHex+"!"))
	f := &forest{at: "start", entries: []onprem.Entry{hashed("a", raw(t)), hashed("b", []byte(strings.ToUpper(ntHex))), malformed}}
	o.SelectiveHashes = ""
	w.Run(t, agent.Options{Identity: w.Enrol(t, "one", agentlink.RoleSync), Source: agent.NewSource(f, o), Log: log})
	got, err := collect(t, w, "run-hash", dirsync.KindHash)
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{ntHex, strings.ToUpper(ntHex), string(raw(t)), base64.StdEncoding.EncodeToString(raw(t)), base64.StdEncoding.EncodeToString([]byte(ntHex)), "PPH1_MD4"}
	var opened []byte
	for _, b := range got {
		for _, one := range b.Objects {
			if one.Hash != "" {
				_, rest, _ := strings.Cut(one.Hash, ",")
				secrets = append(secrets, one.Hash, rest)
			}
		}
		text, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		opened = append(opened, text...)
	}
	if len(secrets) != 10 || !strings.Contains(string(opened), "PPH1_MD4") {
		t.Fatalf("no record came: %d secrets", len(secrets))
	}
	for _, secret := range secrets[:5] {
		if strings.Contains(string(opened), secret) {
			t.Errorf("the batch holds the NT hash itself as %q", secret)
		}
	}
	w.Until(t, "the tap heard the run", func() bool { return strings.Contains(string(tap.Bytes()), "run-hash") })
	for name, data := range map[string]string{"broker": string(tap.Bytes()), "log": string(w.Log.Bytes())} {
		for _, secret := range secrets {
			for _, form := range []string{secret, hex.EncodeToString([]byte(secret))} {
				if strings.Contains(data, form) {
					t.Errorf("%s shows %q", name, form)
				}
			}
		}
	}
}

// stuck is a source of which one kind of read never ends by itself.
type stuck struct {
	dirsync.Source
	kind  dirsync.Kind
	began chan struct{}
}

func (s stuck) Read(ctx context.Context, ask dirsync.Ask, yield func(dirsync.Part) error) error {
	if ask.Kind != s.kind {
		return s.Source.Read(ctx, ask, yield)
	}
	s.began <- struct{}{}
	<-ctx.Done()
	return ctx.Err()
}

// A look has until its asker goes away: it must not keep the next one out for ever.
func TestALookThatHangsLetsTheNextOneIn(t *testing.T) {
	w := agenttest.Start(t)
	s := stuck{made{parts: [][]dirsync.Object{people(1)}}, dirsync.KindChanges, make(chan struct{})}
	w.Run(t, agent.Options{Identity: w.Enrol(t, "one", agentlink.RoleSync), Source: s, Lab: agent.Lab{LookWithin: 200 * time.Millisecond}})
	failed := make(chan error, 1)
	go func() {
		failed <- w.Link.Sync(context.Background(), "watch", dirsync.Ask{Kind: dirsync.KindChanges}, func(dirsync.Batch) error { return nil })
	}()
	<-s.began
	if got, err := collect(t, w, "look", dirsync.KindLook); err != nil || len(got) != 1 || !got[0].Last {
		t.Errorf("the look after it: %+v, %v", got, err)
	}
	if err := <-failed; err != nil {
		t.Errorf("the link: %v", err)
	}
}
