package lab

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/fourways-id/fourways/internal/directory"
)

// secrets are the passwords of the lab's own machinery: random, unlike the people's.
type secrets struct {
	admin, sync, decoy, oidc string
	people                   string // what every person's password begins with in a lab that others reach; "": they are public
}

// secretsFileName is where they are kept in the data folder.
const secretsFileName = "secrets.json"

// spoken is the password that stands for a public one in this lab.
func (s secrets) spoken(public string) string {
	switch {
	case s.people == "":
		return public
	case public == Password:
		return s.people
	}
	return s.people + "-" + public
}

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
	return secrets{admin: f.Administrator, sync: f.Sync, decoy: f.Decoy, oidc: f.OIDC, people: f.People}, nil
}
