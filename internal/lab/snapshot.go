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
	"sync"
	"time"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/lab/premises"
)

// Keeper is the gateway's half of a world. A restore ends all sessions, and leaves tokens, agents and the audit log. It calls
// rest when its half is back, and not at all when nothing was changed; nothing is synchronised before rest has returned.
type Keeper interface {
	KeepWorld(ctx context.Context, path string) (users int, err error)
	RestoreWorld(ctx context.Context, path string, rest func() error) (users int, err error)
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
	forestPart  = premises.ForestFile
	description = "snapshot.json"
	unfinished  = ".new-" // begins the name of what is being written
)

// keptWorld is the description beside the parts.
type keptWorld struct {
	Version int       `json:"version"`
	Name    string    `json:"name"`
	At      time.Time `json:"at"` // real time
	Users   int       `json:"users"`
	Ahead   string    `json:"clockAhead"`

	ahead time.Duration // Ahead, read
}

func newWorlds(l *Lab, c *Clock) *Worlds {
	return &Worlds{lab: l, clock: c, folder: filepath.Join(l.dir, "snapshots")}
}

// Worlds are the lab's kept states.
func (l *Lab) Worlds() *Worlds { return l.worlds }

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
	fresh, err := os.MkdirTemp(w.folder, unfinished) // mode 0700
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
	if err := w.lab.forest().Keep(filepath.Join(fresh, forestPart)); err != nil {
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

// Snapshots implements console.Worlds: those that a person named, by name. One that can't be read is told of in the log and
// hides none of the others.
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
			w.lab.log.Warn("a snapshot is left out of the list", "error", err)
			continue
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
		return keptWorld{}, damaged(name, err)
	}
	if kept.Version != worldKept {
		return keptWorld{}, refused("the snapshot %s was kept by another version of fourways (its form is %d, this one's %d)", name, kept.Version, worldKept)
	}
	if kept.ahead, err = time.ParseDuration(kept.Ahead); err != nil || kept.ahead < 0 || kept.ahead > furthest {
		return keptWorld{}, damaged(name, fmt.Errorf("its clock is %q ahead", kept.Ahead))
	}
	return kept, nil
}

// damaged is about a kept world of which a part can't be read.
func damaged(name string, err error) error {
	if name == seeded {
		return refused("the world as it was seeded is damaged, and nothing was changed: %v", err)
	}
	return refused("the snapshot %s is damaged, and nothing was changed: %v", name, err)
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
