package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/lab/premises"
	"github.com/fourways-id/fourways/internal/lab/world"
)

// openWorld reads what the lab in a folder is made of, or writes down what a new one is to be made of.
func openWorld(dir string, asked world.Spec) (world.Spec, error) {
	path := filepath.Join(dir, "world.json")
	raw, err := os.ReadFile(path) //nolint:gosec // G304: the operator names the folder
	if errors.Is(err, fs.ErrNotExist) {
		if (asked.Crowd > 0 || asked.Exposed) && livedIn(dir) {
			return world.Spec{}, fmt.Errorf("%w: %s", directory.ErrConflict, fmt.Sprintf(otherWorld, dir, "no crowd and public passwords"))
		}
		asked.Seed = max(asked.Seed, 1)
		return asked, writeJSON(path, asked)
	}
	if err != nil {
		return world.Spec{}, fmt.Errorf("read what the lab is made of: %w", err)
	}
	var made world.Spec
	if err := json.Unmarshal(raw, &made); err != nil || made.Seed < 1 || made.Crowd < 0 || made.Crowd > world.MostCrowd {
		return world.Spec{}, fmt.Errorf("%s is damaged: stop the lab and remove its data folder", path)
	}
	switch {
	case asked.Exposed && !made.Exposed:
		return world.Spec{}, fmt.Errorf("%w: %s", directory.ErrConflict, fmt.Sprintf(otherWorld, dir, "public passwords, which must not be reached by others"))
	case asked.Seed != 0 && asked.Seed != made.Seed:
		return world.Spec{}, fmt.Errorf("%w: %s", directory.ErrConflict, fmt.Sprintf(otherWorld, dir, fmt.Sprintf("seed %d", made.Seed)))
	case asked.Crowd != 0 && (asked.Crowd != made.Crowd || asked.UniqueHashes != made.UniqueHashes):
		return world.Spec{}, fmt.Errorf("%w: %s", directory.ErrConflict, fmt.Sprintf(otherWorld, dir, made.CrowdText()))
	}
	return made, nil
}

// livedIn reports that a lab was made in the folder, by whatever is left of it.
func livedIn(dir string) bool {
	for _, name := range []string{secretsFileName, premises.ForestFile} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

const otherWorld = "the lab in %s was made with %s; a lab keeps what it was made of: give this one a folder of its own (--dir FOLDER)"
