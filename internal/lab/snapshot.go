package lab

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Keeper is the gateway's half of a world. A restore ends all sessions, and leaves tokens, agents and the audit log.
type Keeper interface {
	KeepWorld(ctx context.Context, path string) (users int, err error)
	RestoreWorld(ctx context.Context, path string) (users int, err error)
}

// Worlds keeps states of the lab's world in its data folder and brings them back while everything runs. A kept world is
// the gateway's store, the directory's people and how far the clock was ahead. It implements console.Worlds.
type Worlds struct {
	lab    *Lab
	clock  *Clock // nil: it can't be moved
	folder string

	mu   sync.Mutex // one at a time
	gate Keeper     // nil until Join
}

const (
	seeded      = ".seeded" // the world as it was seeded; no name that a person may give
	worldKept   = 1         // changes when an older program couldn't bring it back
	storePart   = "store.db"
	forestPart  = "dc.json"
	description = "snapshot.json"
	underWay    = "restoring" // names the world that is being brought back
)

// keptWorld is the description beside the parts.
type keptWorld struct {
	Version int       `json:"version"`
	Name    string    `json:"name"`
	At      time.Time `json:"at"` // real time
	Users   int       `json:"users"`
	Ahead   string    `json:"clockAhead"`
}

func newWorlds(l *Lab, c *Clock) *Worlds {
	return &Worlds{lab: l, clock: c, folder: filepath.Join(l.dir, "snapshots")}
}

// Worlds are the lab's kept states.
func (l *Lab) Worlds() *Worlds { return l.worlds }

// Join gives the gateway's half. A restore that the last program began and did not end is carried out now.
func (w *Worlds) Join(ctx context.Context, k Keeper) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gate = k
	note, err := os.ReadFile(filepath.Join(w.lab.dir, underWay))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	name := strings.TrimSpace(string(note))
	if err == nil && name != seeded && !snapshotName.MatchString(name) {
		err = errors.New("it names no world")
	}
	if err != nil {
		return fmt.Errorf("the file %s says that a restore was cut off, but not of what: %w: remove it, and bring a world back with `fourways reset`", underWay, err)
	}
	w.lab.log.Warn("a restore was cut off; it is carried out now", "world", name)
	_, err = w.restore(ctx, name)
	return err
}

// KeepSeeded keeps the world as it is now for reset.
func (w *Worlds) KeepSeeded(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := os.RemoveAll(filepath.Join(w.folder, seeded)); err != nil {
		return err
	}
	_, err := w.keep(ctx, seeded)
	return err
}

var snapshotName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

func nameOf(name string) (string, error) {
	if name == "" {
		return seeded, nil
	}
	if !snapshotName.MatchString(name) {
		return "", badRequest("%.80q is no name of a snapshot: write up to 64 letters in lower case, digits, and . _ - within", name)
	}
	return name, nil
}

// SaveSnapshot implements console.Worlds. A name is given once.
func (w *Worlds) SaveSnapshot(ctx context.Context, name string) (api.Snapshot, error) {
	folder, err := nameOf(name)
	if err != nil {
		return api.Snapshot{}, err
	}
	if name == "" {
		return api.Snapshot{}, badRequest("the snapshot needs a name")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := os.Stat(filepath.Join(w.folder, folder)); err == nil {
		return api.Snapshot{}, fmt.Errorf("a snapshot %s is kept already: choose another name, or remove its folder in %s: %w", name, w.folder, directory.ErrConflict)
	}
	return w.keep(ctx, folder)
}

// keep writes the parts into a folder that gets its name when it is whole.
func (w *Worlds) keep(ctx context.Context, name string) (api.Snapshot, error) {
	if w.gate == nil {
		return api.Snapshot{}, starting()
	}
	if err := os.MkdirAll(w.folder, 0o700); err != nil {
		return api.Snapshot{}, fmt.Errorf("keep the lab's world: %w", err)
	}
	fresh, err := os.MkdirTemp(w.folder, ".new-") // mode 0700
	if err != nil {
		return api.Snapshot{}, fmt.Errorf("keep the lab's world: %w", err)
	}
	defer os.RemoveAll(fresh) // gone once it has been renamed
	kept := keptWorld{Version: worldKept, Name: name, At: realTime{}.Now().UTC(), Ahead: "0s"}
	if w.clock != nil {
		kept.Ahead = w.clock.offset().String()
	}
	if kept.Users, err = w.gate.KeepWorld(ctx, filepath.Join(fresh, storePart)); err != nil {
		return api.Snapshot{}, err
	}
	if err := w.lab.dc.Keep(filepath.Join(fresh, forestPart)); err != nil {
		return api.Snapshot{}, err
	}
	if err := writeJSON(filepath.Join(fresh, description), kept); err != nil {
		return api.Snapshot{}, fmt.Errorf("keep the lab's world: %w", err)
	}
	if err := os.Rename(fresh, filepath.Join(w.folder, name)); err != nil {
		return api.Snapshot{}, fmt.Errorf("keep the lab's world: %w", err)
	}
	return w.read(name)
}

// Snapshots implements console.Worlds: those that a person named, by name.
func (w *Worlds) Snapshots(context.Context) ([]api.Snapshot, error) {
	folders, err := os.ReadDir(w.folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list the snapshots: %w", err)
	}
	all := []api.Snapshot{}
	for _, f := range folders {
		if !snapshotName.MatchString(f.Name()) {
			continue
		}
		s, err := w.read(f.Name())
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b api.Snapshot) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

func (w *Worlds) read(name string) (api.Snapshot, error) {
	kept, err := w.describe(name)
	if err != nil {
		return api.Snapshot{}, err
	}
	s := api.Snapshot{Name: kept.Name, At: kept.At, Users: kept.Users}
	for _, part := range []string{storePart, forestPart} {
		if info, err := os.Stat(filepath.Join(w.folder, name, part)); err == nil {
			s.Bytes += info.Size()
		}
	}
	return s, nil
}

func (w *Worlds) describe(name string) (keptWorld, error) {
	path := filepath.Join(w.folder, name, description)
	raw, err := os.ReadFile(path) //nolint:gosec // G304: the name was judged
	if errors.Is(err, fs.ErrNotExist) {
		if name == seeded {
			return keptWorld{}, refused("the world of this lab as it was seeded is not kept: an earlier version made it. Start one in a new folder")
		}
		return keptWorld{}, fmt.Errorf("there is no snapshot %s; `fourways snapshot list` names them: %w", name, directory.ErrNotFound)
	}
	var kept keptWorld
	if err == nil {
		err = json.Unmarshal(raw, &kept)
	}
	if err != nil {
		return keptWorld{}, fmt.Errorf("read the snapshot %s: %w", name, err)
	}
	if kept.Version != worldKept {
		return keptWorld{}, refused("the snapshot %s was kept by another version of fourways (its form is %d, this one's %d)", name, kept.Version, worldKept)
	}
	return kept, nil
}

// RestoreWorld implements console.Worlds: "" is the world as it was seeded. Whatever is broken on purpose is mended first.
func (w *Worlds) RestoreWorld(ctx context.Context, name string) (api.Restored, error) {
	folder, err := nameOf(name)
	if err != nil {
		return api.Restored{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	began := time.Now() //nolint:forbidigo // measures the work, decides nothing
	done, err := w.restore(ctx, folder)
	done.Name, done.Millis = name, time.Since(began).Milliseconds()
	return done, err
}

// restore brings a world back. A note in the data folder says that it is under way: a program that ends between the parts
// is not to leave half of one world and half of another, so the next one carries it out again.
func (w *Worlds) restore(ctx context.Context, name string) (api.Restored, error) {
	kept, err := w.describe(name)
	if err != nil {
		return api.Restored{}, err
	}
	if w.gate == nil {
		return api.Restored{}, starting()
	}
	ahead, err := time.ParseDuration(kept.Ahead)
	if err != nil {
		return api.Restored{}, fmt.Errorf("read the snapshot %s: %w", name, err)
	}
	ctx = context.WithoutCancel(ctx) // whoever asked may go away; half a world is not to stay for it
	if err := w.lab.mend(ctx); err != nil {
		return api.Restored{}, err
	}
	note := filepath.Join(w.lab.dir, underWay)
	if err := os.WriteFile(note, []byte(name+"\n"), 0o600); err != nil { //nolint:gosec // G703: a file of the lab's own; the name is only written into it
		return api.Restored{}, fmt.Errorf("bring a world back: %w", err)
	}
	users, err := w.gate.RestoreWorld(ctx, filepath.Join(w.folder, name, storePart))
	if err != nil { // nothing is changed yet
		return api.Restored{}, errors.Join(refusal(err), os.Remove(note))
	}
	if err := w.lab.dc.Restore(filepath.Join(w.folder, name, forestPart)); err != nil {
		return api.Restored{}, fmt.Errorf("the gateway's half of the world is back, the directory's is not: %w: try once more, or restart the lab", err)
	}
	if w.clock != nil {
		if err := w.clock.set(ctx, ahead); err != nil {
			return api.Restored{}, err
		}
	}
	return api.Restored{Users: users}, os.Remove(note)
}

// mend ends what was broken on purpose.
func (l *Lab) mend(ctx context.Context) error {
	l.faults.ClearAll()
	if err := errors.Join(l.StartDC(ctx), l.StartIdP(ctx)); err != nil {
		return fmt.Errorf("bring the premises back: %w", err)
	}
	return nil
}

func refusal(err error) error {
	var p api.Problem
	if errors.As(err, &p) {
		return err
	}
	return refused("%v", err)
}

func starting() error {
	return api.Problem{Title: "Service Unavailable", Status: http.StatusServiceUnavailable, Detail: "The lab is still starting; try again in a moment."}
}
