package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/lab/dc"
)

// underWay is the file of the data folder that names the world that is being brought back: a program that ends between the
// parts is not to leave half of one world and half of another, so the next one carries it out again.
const underWay = "restoring"

func (w *Worlds) note() string { return filepath.Join(w.lab.dir, underWay) }

// Join gives the gateway's half. A restore that the last program began and did not end is carried out now.
func (w *Worlds) Join(ctx context.Context, k Keeper) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gate = k
	raw, err := os.ReadFile(w.note())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	name := strings.TrimSpace(string(raw))
	if err == nil && name != seeded && !snapshotName.MatchString(name) {
		err = errors.New("it names no world")
	}
	if err == nil {
		w.lab.log.Warn("a restore was cut off; it is carried out now", "world", name)
		_, err = w.restore(ctx, name)
	}
	if err != nil {
		return fmt.Errorf("the file %s says that a restore was cut off, and it can't be carried out: %w: remove that file, and bring a world back with `fourways reset`", w.note(), err)
	}
	return nil
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

// restore brings a world back. Its parts are read before anything changes, as far as that can be.
func (w *Worlds) restore(ctx context.Context, name string) (api.Restored, error) {
	kept, err := w.describe(name)
	if err != nil {
		return api.Restored{}, err
	}
	if w.gate == nil {
		return api.Restored{}, starting()
	}
	forest, err := w.lab.forest().ReadKept(filepath.Join(w.folder, name, forestPart))
	if err != nil {
		return api.Restored{}, damaged(name, err)
	}
	ctx = context.WithoutCancel(ctx) // whoever asked may go away; half a world is not to stay for it
	if err := w.lab.mend(ctx); err != nil {
		return api.Restored{}, err
	}
	takeBack, err := w.writeNote(name)
	if err != nil {
		return api.Restored{}, fmt.Errorf("bring a world back: %w", err)
	}
	var begun, whole bool
	users, err := w.gate.RestoreWorld(ctx, filepath.Join(w.folder, name, storePart), func() error {
		begun = true
		err := w.bringPremises(ctx, forest, kept.ahead)
		whole = err == nil
		return err
	})
	switch {
	case !begun:
		return api.Restored{}, errors.Join(refusal(err), takeBack())
	case !whole:
		return api.Restored{}, fmt.Errorf("the gateway's half of the world is back, the directory's is not: %w: try once more, or restart the lab", err)
	}
	return api.Restored{Users: users}, errors.Join(err, os.Remove(w.note()))
}

// writeNote says that a restore is under way. takeBack is for one that changed nothing: an earlier one may have done so.
func (w *Worlds) writeNote(name string) (takeBack func() error, err error) {
	path := w.note()
	earlier, err := os.ReadFile(path) //nolint:gosec // G304: a file of the lab's own
	switch {
	case errors.Is(err, fs.ErrNotExist):
		takeBack = func() error { return os.Remove(path) }
	case err != nil:
		return nil, err
	default:
		takeBack = func() error { return replace(path, earlier) }
	}
	return takeBack, replace(path, []byte(name+"\n"))
}

// bringPremises is the half of a world that the gateway doesn't have.
func (w *Worlds) bringPremises(ctx context.Context, forest dc.Kept, ahead time.Duration) error {
	if err := w.lab.forest().Restore(forest); err != nil {
		return err
	}
	if w.clock == nil {
		return nil
	}
	return w.clock.set(ctx, ahead)
}

// mend ends what was broken on purpose.
func (l *Lab) mend(ctx context.Context) error {
	l.faults.ClearAll()
	if err := errors.Join(l.premises.StartDC(), l.StartIdP(ctx)); err != nil {
		return fmt.Errorf("bring the premises back: %w", err)
	}
	return nil
}

// sweepFolder removes what a program began to write that ended before it had: a whole domain may be among it.
func sweepFolder(dir string) error {
	for _, folder := range []string{dir, filepath.Join(dir, "snapshots")} {
		entries, err := os.ReadDir(folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("clear the lab's data folder: %w", err)
		}
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), unfinished) && !strings.HasPrefix(e.Name(), dc.Unfinished) {
				continue
			}
			if err := os.RemoveAll(filepath.Join(folder, e.Name())); err != nil {
				return fmt.Errorf("clear the lab's data folder: %w", err)
			}
		}
	}
	return nil
}
