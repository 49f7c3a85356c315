package lab

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/lab/dc"
	"github.com/fourways-id/fourways/internal/lab/world"
)

// half is the gateway's half of a world: a word.
type half struct {
	word    string
	refuses error // before anything is changed
	fails   error // when everything is back
}

func (h *half) KeepWorld(_ context.Context, path string) (int, error) {
	return 1, os.WriteFile(path, []byte(h.word), 0o600)
}

func (h *half) RestoreWorld(_ context.Context, path string, rest func() error) (int, error) {
	if h.refuses != nil {
		return 0, h.refuses
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	h.word = string(raw)
	return 1, errors.Join(rest(), h.fails)
}

const keptAlice = "alice@" + world.PTADomain

// twoWorlds is a lab of which the world "kept" is kept; in the one that is, the word is "new" and alice is disabled.
func twoWorlds(t *testing.T) (*Lab, *half) {
	t.Helper()
	l, err := Start(t.Context(), Options{
		Dir: t.TempDir(), Seed: 1, PublicURL: "http://localhost:1", LDAPListen: "127.0.0.1:0", IdPListen: "127.0.0.1:0", Clock: wallClock{}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	if err := l.SeedPremises(); err != nil {
		t.Fatal(err)
	}
	h := &half{word: "old"}
	if err := l.Worlds().Join(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Worlds().SaveSnapshot(t.Context(), "kept"); err != nil {
		t.Fatal(err)
	}
	h.word = "new"
	if err := l.Premises().OnpremChange(t.Context(), keptAlice, api.OnpremChange{Do: "disable"}); err != nil {
		t.Fatal(err)
	}
	return l, h
}

// wantWorld wants both halves to be those of one world, and the note of a restore or none.
func wantWorld(t *testing.T, l *Lab, h *half, old, noted bool) {
	t.Helper()
	people, err := l.Premises().OnpremUsers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range people {
		if u.UPN == keptAlice && (len(u.States) == 0) != old {
			t.Errorf("alice is %v, and the world wanted is the old one: %v", u.States, old)
		}
	}
	if (h.word == "old") != old {
		t.Errorf("the gateway's half is %q, and the world wanted is the old one: %v", h.word, old)
	}
	if _, err := os.Stat(l.Worlds().note()); (err == nil) != noted {
		t.Errorf("the note of a restore: %v; it is to be there: %v", err, noted)
	}
}

func TestAWorldIsBroughtBackWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	cut := errors.New("cut")
	for name, c := range map[string]struct {
		before func(t *testing.T, kept string, h *half)
		old    bool
		fails  bool
	}{
		"a good one":                           {func(*testing.T, string, *half) {}, true, false},
		"the gateway refuses":                  {func(_ *testing.T, _ string, h *half) { h.refuses = cut }, false, true},
		"something fails when both are back":   {func(_ *testing.T, _ string, h *half) { h.fails = cut }, true, true},
		"the directory's half is cut off":      {func(t *testing.T, kept string, _ *half) { damage(t, filepath.Join(kept, forestPart)) }, false, true},
		"the gateway's half is not there":      {func(t *testing.T, kept string, _ *half) { remove(t, filepath.Join(kept, storePart)) }, false, true},
		"the description is cut off":           {func(t *testing.T, kept string, _ *half) { damage(t, filepath.Join(kept, description)) }, false, true},
		"the description is of another clock":  {func(t *testing.T, kept string, _ *half) { aheadBy(t, kept, "9999999h") }, false, true},
		"the description is of no clock known": {func(t *testing.T, kept string, _ *half) { aheadBy(t, kept, "-1s") }, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, h := twoWorlds(t)
			c.before(t, filepath.Join(l.dir, "snapshots", "kept"), h)
			if _, err := l.Worlds().RestoreWorld(t.Context(), "kept"); (err != nil) != c.fails {
				t.Errorf("restore: %v; it is to fail: %v", err, c.fails)
			}
			wantWorld(t, l, h, c.old, false)
		})
	}
}

// A restore that got to the middle is still under way after another one that could not even begin.
func TestARefusedRestoreDoesNotEndAnEarlierOne(t *testing.T) {
	t.Parallel()
	l, h := twoWorlds(t)
	if err := replace(l.Worlds().note(), []byte("kept\n")); err != nil {
		t.Fatal(err)
	}
	h.refuses = errors.New("busy")
	if _, err := l.Worlds().RestoreWorld(t.Context(), "kept"); err == nil {
		t.Error("nothing was refused")
	}
	if err := l.Worlds().Join(t.Context(), h); err == nil {
		t.Error("a start went on with half a world")
	}
	wantWorld(t, l, h, false, true)
	h.refuses = nil
	if err := l.Worlds().Join(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	wantWorld(t, l, h, true, false)
}

func TestADamagedSnapshotHidesNoOther(t *testing.T) {
	t.Parallel()
	l, _ := twoWorlds(t)
	if _, err := l.Worlds().SaveSnapshot(t.Context(), "other"); err != nil {
		t.Fatal(err)
	}
	damage(t, filepath.Join(l.dir, "snapshots", "other", description))
	if all, err := l.Worlds().Snapshots(t.Context()); err != nil || len(all) != 1 || all[0].Name != "kept" {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestWhatAKilledProgramBeganToWriteIsRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kept := filepath.Join(dir, "snapshots", "kept", storePart)
	left := []string{filepath.Join(dir, "snapshots", unfinished+"1", storePart), filepath.Join(dir, unfinished+"2"), filepath.Join(dir, dc.Unfinished+"3")}
	for _, file := range append(left, kept) {
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(sweepFolder(dir), sweepFolder(filepath.Join(dir, "none"))); err != nil {
		t.Fatal(err)
	}
	for _, file := range left {
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%s stays", file)
		}
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
}

func damage(t *testing.T, file string) {
	t.Helper()
	info, err := os.Stat(file)
	if err == nil {
		err = os.Truncate(file, info.Size()/2)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, file string) {
	t.Helper()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}

func aheadBy(t *testing.T, kept, by string) {
	t.Helper()
	if err := writeJSON(filepath.Join(kept, description), keptWorld{Version: worldKept, Name: "kept", Ahead: by}); err != nil {
		t.Fatal(err)
	}
}
