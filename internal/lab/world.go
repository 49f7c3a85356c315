package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/fourways-id/fourways/internal/directory"
)

// World says what a lab's world is made of. It is written down when the lab is made and never changes: a world that is
// half of one seed and half of another would be nobody's.
type World struct {
	Seed         int  `json:"seed"`                   // the same seed makes the same people, ids, anchors and times; 0: the folder's, or 1
	Crowd        int  `json:"crowd"`                  // so many people beside the cast; 0: the folder's, or none
	UniqueHashes bool `json:"uniqueHashes,omitempty"` // each of the crowd has a hash of its own, as in production
	Exposed      bool `json:"exposed,omitempty"`      // others reach it, so its passwords are random
}

// MostCrowd bounds the crowd.
const MostCrowd = 1_000_000

func openWorld(dir string, asked World) (World, error) {
	path := filepath.Join(dir, "world.json")
	raw, err := os.ReadFile(path) //nolint:gosec // G304: the operator names the folder
	if errors.Is(err, fs.ErrNotExist) {
		if (asked.Crowd > 0 || asked.Exposed) && livedIn(dir) {
			return World{}, fmt.Errorf("%w: %s", directory.ErrConflict, fmt.Sprintf(otherWorld, dir, "no crowd and public passwords"))
		}
		asked.Seed = max(asked.Seed, 1)
		return asked, writeJSON(path, asked)
	}
	if err != nil {
		return World{}, fmt.Errorf("read what the lab is made of: %w", err)
	}
	var made World
	if err := json.Unmarshal(raw, &made); err != nil || made.Seed < 1 || made.Crowd < 0 || made.Crowd > MostCrowd {
		return World{}, fmt.Errorf("%s is damaged: stop the lab and remove its data folder", path)
	}
	switch {
	case asked.Exposed && !made.Exposed:
		return World{}, fmt.Errorf("%w: %s", directory.ErrConflict, fmt.Sprintf(otherWorld, dir, "public passwords, which must not be reached by others"))
	case asked.Seed != 0 && asked.Seed != made.Seed:
		return World{}, fmt.Errorf("%w: %s", directory.ErrConflict, fmt.Sprintf(otherWorld, dir, fmt.Sprintf("seed %d", made.Seed)))
	case asked.Crowd != 0 && (asked.Crowd != made.Crowd || asked.UniqueHashes != made.UniqueHashes):
		return World{}, fmt.Errorf("%w: %s", directory.ErrConflict, fmt.Sprintf(otherWorld, dir, made.crowd()))
	}
	return made, nil
}

// livedIn reports that a lab was made in the folder, by whatever is left of it.
func livedIn(dir string) bool {
	for _, name := range []string{secretsFileName, forestPart} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

const otherWorld = "the lab in %s was made with %s; a lab keeps what it was made of: give this one a folder of its own (--dir FOLDER)"

func (w World) crowd() string {
	switch {
	case w.Crowd == 0:
		return "no crowd"
	case w.UniqueHashes:
		return fmt.Sprintf("a crowd of %d with hashes of their own", w.Crowd)
	}
	return fmt.Sprintf("a crowd of %d who share a hash", w.Crowd)
}
