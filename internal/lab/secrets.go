package lab

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/lab/premises"
	"github.com/fourways-id/fourways/internal/lab/world"
	"github.com/fourways-id/fourways/internal/onprem"
)

// secrets are the passwords of the lab's own machinery, which are random, and of its people, which need not be.
type secrets struct {
	keys   premises.Keys
	oidc   string // the gateway's at Harbour ID
	people world.Passwords
}

// secretsFileName is where they are kept in the data folder.
const secretsFileName = "secrets.json"

// people is the length of a password that a class types: 16 characters of base32 are 80 random bits.
const people = 16

type secretsFile struct {
	Administrator string `json:"administrator"` // of the forest
	Sync          string `json:"svc_sync"`      // the account that the agent reads with
	Decoy         string `json:"decoy"`         // the account that is bound for strangers
	OIDC          string `json:"oidc_client"`   // the gateway's at Harbour ID
	People        string `json:"people,omitempty"`
}

// openSecrets reads them, or makes them; those of a new exposed lab have a random password for its people.
func openSecrets(path string, exposed bool) (secrets, error) {
	raw, err := os.ReadFile(path) //nolint:gosec // G304: the operator names the file
	if errors.Is(err, fs.ErrNotExist) {
		made := secretsFile{Administrator: rand.Text(), Sync: rand.Text(), Decoy: rand.Text(), OIDC: rand.Text()}
		if exposed {
			made.People = rand.Text()[:people]
		}
		if raw, err = json.MarshalIndent(made, "", "  "); err != nil {
			return secrets{}, err
		}
		err = replace(path, append(raw, '\n')) // whole: without it there is no way back into the lab's directory
	}
	if err != nil {
		return secrets{}, fmt.Errorf("the lab's secrets: %w", err)
	}
	var f secretsFile
	if err := json.Unmarshal(raw, &f); err != nil || f.Administrator == "" || f.Sync == "" || f.Decoy == "" || f.OIDC == "" {
		return secrets{}, fmt.Errorf("%s is damaged: stop the lab and remove its data folder", path)
	}
	if exposed && f.People == "" {
		return secrets{}, fmt.Errorf("%w: the lab of %s has public passwords, which must not be reached by others: give this one a folder of its own (--dir FOLDER)", directory.ErrConflict, path)
	}
	return secrets{
		keys: premises.Keys{Administrator: f.Administrator, Sync: f.Sync, Decoy: f.Decoy}, oidc: f.OIDC, people: world.Passwords(f.People),
	}, nil
}

// Reader says how another process reaches a running lab's directory at url as the account of its synchronisation, which
// may read and change nothing. dir is the lab's data folder; only the user who runs the lab can read the password in it.
func Reader(dir, url string) (onprem.Config, error) {
	path := filepath.Join(dir, secretsFileName)
	if _, err := os.Stat(path); err != nil { // openSecrets would make them
		return onprem.Config{}, err
	}
	s, err := openSecrets(path, false)
	if err != nil {
		return onprem.Config{}, err
	}
	return premises.Reader(dir, url, s.keys)
}
