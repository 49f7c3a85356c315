package lab

import (
	"bufio"
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agent/agenttest"
	"github.com/fourways-id/fourways/internal/lab/dc"
	"github.com/fourways-id/fourways/internal/lab/harbour"
)

func TestTheDomainControllerTellsOfEachBindAndOfNoPassword(t *testing.T) {
	t.Parallel()
	v := openWard(t, 1)
	alice := who("alice", PTADomain)
	before := v.lab.clock.Now()
	v.allowed("before", alice)
	binds := 0
	for _, e := range v.lab.DCEvents(before) {
		if e.Op == "bind" && e.Name == alice.UPN && e.Result == 0 {
			binds++
		}
	}
	if binds != 1 {
		t.Errorf("%d binds of alice are told of, want one", binds)
	}
	if later := v.lab.DCEvents(v.lab.clock.Now().Add(time.Hour)); len(later) != 0 {
		t.Errorf("told of what did not happen: %+v", later)
	}
	v.stop()
	v.lab.Close()
	for _, name := range []string{DCLogFile, HarbourLogFile} {
		path := filepath.Join(v.lab.dir, name)
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	text, err := os.ReadFile(filepath.Join(v.lab.dir, DCLogFile))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte(Password)) || !bytes.Contains(text, []byte(`"op":"bind","name":"`+alice.UPN+`"`)) {
		t.Errorf("the file has a password, or no bind:\n%s", text)
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if !json.Valid(lines.Bytes()) {
			t.Errorf("not JSON: %s", lines.Bytes())
		}
	}
}

func TestOldEventsMakeRoom(t *testing.T) {
	t.Parallel()
	dir, said := t.TempDir(), &agenttest.Log{}
	r, err := openEvidence(dir, slog.New(slog.NewTextHandler(said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	l := &Lab{recorder: r}
	began := time.Unix(1e9, 0)
	r.harbourEvent(harbour.Event{Who: "alice", Reason: authn.None})
	for i := range mostDCEvents + 10 {
		r.dcEvent(dc.Event{Time: began.Add(time.Duration(i)), Op: "bind"})
	}
	all := l.DCEvents(began)
	if len(all) != mostDCEvents || !all[0].Time.Equal(began.Add(10)) || !all[len(all)-1].Time.After(all[0].Time) {
		t.Errorf("%d events from %v", len(all), all[0].Time)
	}
	r.close()
	r.close()
	r.dcEvent(dc.Event{Op: "after the end"})
	if b, err := os.ReadFile(filepath.Join(dir, HarbourLogFile)); err != nil || !bytes.Contains(b, []byte("alice")) {
		t.Errorf("%s, %v", b, err)
	}
}

func TestAFullLogBeginsAnew(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), DCLogFile)
	f, err := openLog(path)
	if err != nil {
		t.Fatal(err)
	}
	long := dcLine{Op: "search", Text: string(bytes.Repeat([]byte("x"), 1<<20))}
	for range 12 {
		if err := f.add(long); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.file.Close(); err != nil {
		t.Fatal(err)
	}
	lines := 0
	for _, name := range []string{path, path + ".old"} {
		b, err := os.ReadFile(name)
		if err != nil || len(b) > mostLogged {
			t.Errorf("%s: %d octets, %v", name, len(b), err)
		}
		lines += bytes.Count(b, []byte("\n"))
	}
	if lines != 12 {
		t.Errorf("%d lines are left of 12", lines)
	}
}
