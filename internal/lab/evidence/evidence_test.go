package evidence

import (
	"bytes"
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

func TestOldEventsMakeRoom(t *testing.T) {
	t.Parallel()
	dir, said := t.TempDir(), &agenttest.Log{}
	r, err := Open(dir, slog.New(slog.NewTextHandler(said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	began := time.Unix(1e9, 0)
	r.Harbour(harbour.Event{Who: "alice", Reason: authn.None})
	for i := range mostDCEvents + 10 {
		r.DC(dc.Event{Time: began.Add(time.Duration(i)), Op: "bind"})
	}
	all := r.DCEvents(began)
	if len(all) != mostDCEvents || !all[0].Time.Equal(began.Add(10)) || !all[len(all)-1].Time.After(all[0].Time) {
		t.Errorf("%d events from %v", len(all), all[0].Time)
	}
	r.Close()
	r.Close()
	r.DC(dc.Event{Op: "after the end"})
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
