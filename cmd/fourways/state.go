package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/fourways-id/fourways/internal/lab/world"
)

// stateFile is where a running lab says how to reach it, below its data folder.
const stateFile = "state.json"

// state is what a running lab tells other programs: its state file, and the file of `up --ready-file`. URLs hold no token.
type state struct {
	SignInURL  string      `json:"signin_url"` // an origin
	ConsoleURL string      `json:"console_url"`
	MetricsURL string      `json:"metrics_url"`
	AgentURL   string      `json:"agent_url"`
	IdPURL     string      `json:"idp_url"`
	LDAPURL    string      `json:"ldap_url"`
	DataDir    string      `json:"data_dir"`
	Token      string      `json:"token"` // of the console, role admin
	PID        int         `json:"pid"`
	Seed       int         `json:"seed"`
	Users      []stateUser `json:"users"` // the cast
	Crowd      *crowd      `json:"crowd,omitempty"`
}

// crowd is the people whom `up --users` added: user000001@... and so on, whose domains are those of the list in turn.
type crowd struct {
	Count        int      `json:"count"`
	Password     string   `json:"password"`
	First        string   `json:"first"`
	Last         string   `json:"last"`
	Domains      []string `json:"domains"`
	UniqueHashes bool     `json:"unique_hashes"` // false: one hash of each kind is everybody's
}

// stateUser is a demo person with a password that works now. It is public in a lab.
type stateUser struct {
	UPN      string `json:"upn"`
	Password string `json:"password"`
	Path     string `json:"path"`
}

// longestState bounds a state file, in bytes: one that is longer is another file.
const longestState = 4 << 20

// readState reads the state of the lab whose data folder is dir; the error wraps os.ErrNotExist when none runs there.
func readState(dir string) (state, error) {
	path := filepath.Join(dir, stateFile)
	f, err := os.Open(path) //nolint:gosec // the folder is the one that the person named
	if err != nil {
		return state{}, fmt.Errorf("read the lab's state: %w", err)
	}
	defer f.Close()
	s, err := decodeState(f)
	if err != nil {
		return state{}, failure{
			code: exitFailed, what: path + " is no lab's state", why: err.Error(),
			do: "remove it and start the lab again, or name a gateway with --server and --token",
		}
	}
	return s, nil
}

func decodeState(r io.Reader) (state, error) {
	var s state
	err := json.NewDecoder(io.LimitReader(r, longestState)).Decode(&s)
	return s, err
}

// write puts the state into a file that only this user can read. Readers see the whole file or none of it.
func (s state) write(path string) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("write the lab's state: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("write the lab's state: %w", err)
	}
	defer os.Remove(tmp.Name()) // it is gone once it has been renamed
	if _, err := tmp.Write(append(raw, '\n')); err != nil {
		_ = tmp.Close()
		return fmt.Errorf("write the lab's state: %w", err)
	}
	if err := tmp.Close(); err != nil {
		return fmt.Errorf("write the lab's state: %w", err)
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return fmt.Errorf("write the lab's state: %w", err)
	}
	return nil
}

// password is the public password of a demo person.
func (s state) password(upn string) (string, bool) {
	for _, u := range s.Users {
		if u.UPN == upn {
			return u.Password, true
		}
	}
	if s.Crowd.has(upn) {
		return s.Crowd.Password, true
	}
	return "", false
}

// has reports that the name is one of the crowd's.
func (c *crowd) has(upn string) bool {
	var i int
	var domain string
	if c == nil {
		return false
	}
	if n, err := fmt.Sscanf(upn, "user%d@%s", &i, &domain); err != nil || n != 2 || i < 1 || i > c.Count {
		return false
	}
	return upn == world.CrowdName(i)
}
