package agent_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/dirsync"
)

func TestNothingIsEverWrittenUnlessItIsConfigured(t *testing.T) {
	f := village()
	f.refuse = errors.New("the test failed: something was written")
	o := adOptions()
	o.AnchorAttribute = agent.ConsistencyGUID
	s := agent.NewSource(f, o)
	start := read(t, s, dirsync.Ask{Kind: dirsync.KindDirectory})
	read(t, s, dirsync.Ask{Kind: dirsync.KindDirectory, Cursor: start.cursor})
	read(t, s, dirsync.Ask{Kind: dirsync.KindHash})
	got := read(t, s, dirsync.Ask{Kind: dirsync.KindWriteBack, Writes: []dirsync.Write{
		{ID: b64("a"), Attribute: agent.CloudObjectID, Value: "User_1"}, {ID: b64("a"), Attribute: "displayName", Value: "Mallory"},
	}})
	if len(got.objects) != 2 || len(start.writable) != 0 {
		t.Fatalf("%+v", got.objects)
	}
	for _, o := range got.objects {
		if !strings.Contains(o.Error, "sync.write_back") || o.ID != b64("a") {
			t.Errorf("%+v", o)
		}
	}
}

func TestWhatIsConfiguredIsWrittenIntoTheScopeAlone(t *testing.T) {
	f, o := village(), adOptions()
	o.WriteBack = []string{agent.CloudObjectID}
	f.entries[4].Attrs["msDS-ExternalDirectoryObjectId"] = [][]byte{[]byte("User_b")}
	s := agent.NewSource(f, o)
	start := read(t, s, dirsync.Ask{Kind: dirsync.KindDirectory})
	if strings.Join(start.writable, " ") != agent.CloudObjectID || start.by("b").Written[agent.CloudObjectID] != "User_b" || start.by("a").Written != nil {
		t.Errorf("%q, %+v", start.writable, start.by("b").Written)
	}
	write := func(id, value string) dirsync.Write {
		return dirsync.Write{ID: id, Attribute: agent.CloudObjectID, Value: value}
	}
	refused := read(t, s, dirsync.Ask{Kind: dirsync.KindWriteBack, Writes: []dirsync.Write{
		write(b64("a"), "User_a"), write(b64("b"), "User_b"), write(b64("n"), "User_n"), write(b64("x"), "User_x"), write("nonsense", "User_x"),
		write(b64("t"), "two words"), write(b64("g"), ""), write(b64("g"), strings.Repeat("x", 300)),
	}})
	if got := strings.Join(f.written, "; "); got != "a msDS-ExternalDirectoryObjectID=User_a" {
		t.Errorf("written: %s", got)
	}
	want := []string{"n: no object in the scope", "x: no object in the scope", "nonsense: no object in the scope", "t: the value", "g: the value", "g: the value"}
	if len(refused.objects) != len(want) {
		t.Fatalf("%+v", refused.objects)
	}
	for i, o := range refused.objects {
		name, why, _ := strings.Cut(want[i], ": ")
		if o.ID != name && o.ID != b64(name) || !strings.HasPrefix(o.Error, why) {
			t.Errorf("%s %q, want %s", o.ID, o.Error, want[i])
		}
	}
	f.refuse = errors.New("insufficient access rights")
	again := read(t, s, dirsync.Ask{Kind: dirsync.KindWriteBack, Writes: []dirsync.Write{write(b64("a"), "User_a")}})
	if len(again.objects) != 1 || again.objects[0].Error != "insufficient access rights" {
		t.Errorf("%+v", again.objects)
	}
}

func TestTheAnchorIsWrittenWhereThereIsNone(t *testing.T) {
	f, o := village(), adOptions()
	var log bytes.Buffer
	o.WriteBack, o.AnchorAttribute, o.Log = []string{agent.ConsistencyGUID}, agent.ConsistencyGUID, slog.New(slog.NewTextHandler(&log, nil))
	f.entries[3].Attrs["mS-DS-ConsistencyGuid"] = [][]byte{id("was a")}
	s := agent.NewSource(f, o)
	f.refuse = errors.New("insufficient access rights")
	start := read(t, s, dirsync.Ask{Kind: dirsync.KindDirectory})
	if start.names() != "a b g t" || !strings.Contains(log.String(), "objects=3") || start.by("b").Error != "" {
		t.Errorf("what can't be written stops nobody: %s, %s", start.names(), log.String())
	}
	f.refuse = nil
	again := read(t, s, dirsync.Ask{Kind: dirsync.KindDirectory})
	if got := strings.Join(f.written, "; "); got != "b ms-DS-ConsistencyGuid=b; t ms-DS-ConsistencyGuid=t; g ms-DS-ConsistencyGuid=g" {
		t.Errorf("written: %s", got)
	}
	if a, b := again.by("a"), again.by("b"); a.Anchor != b64("was a") || b.Anchor != b64("b") || a.Written[agent.ConsistencyGUID] != a.Anchor {
		t.Errorf("%+v, %+v", a, b)
	}
	refused := read(t, s, dirsync.Ask{Kind: dirsync.KindWriteBack, Writes: []dirsync.Write{
		{ID: b64("a"), Attribute: agent.ConsistencyGUID, Value: b64("other")},
		{ID: b64("b"), Attribute: agent.ConsistencyGUID, Value: "short"},
		{ID: b64("a"), Attribute: agent.ConsistencyGUID, Value: b64("was a")},
	}})
	if len(refused.objects) != 2 || !strings.Contains(refused.objects[0].Error, "an anchor stays what it is") {
		t.Errorf("%+v", refused.objects)
	}
}
