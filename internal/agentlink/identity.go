package agentlink

import (
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/nats-io/nkeys"
)

// IdentityFile is the name of an agent's key file in its data folder.
const IdentityFile = "agent.json"

// Identity is all that an enrolled agent knows: who it is, its private keys, and what it pinned of the gateway.
type Identity struct {
	EnrolResponse
	keys *Keys
}

// identityFile is the file's form. It never leaves the agent's machine.
type identityFile struct {
	Version int `json:"version"`
	EnrolResponse
	NKeySeed string `json:"nkey_seed"`
	SignSeed []byte `json:"sign_seed"`
	BoxKey   []byte `json:"box_key"`
}

// NewIdentity joins an agent's keys with the gateway's answer.
func NewIdentity(keys *Keys, r EnrolResponse) (*Identity, error) {
	if err := r.validate(); err != nil {
		return nil, fmt.Errorf("the gateway's enrolment answer: %w", err)
	}
	return &Identity{EnrolResponse: r, keys: keys}, nil
}

func (r EnrolResponse) validate() error {
	if !validID(r.AgentID) {
		return errors.New("agent_id is not one of ours")
	}
	if r.URL == "" {
		return errors.New("url of the broker is missing")
	}
	if !x509.NewCertPool().AppendCertsFromPEM([]byte(r.CA)) {
		return errors.New("ca holds no certificate")
	}
	return r.Gateway.validate()
}

// Save writes the identity to a new file that only its owner may read. It refuses to overwrite one.
func (id *Identity) Save(path string) error {
	seed, err := id.keys.conn.Seed()
	if err != nil {
		return fmt.Errorf("read the connection key: %w", err)
	}
	box, err := id.keys.box.Bytes()
	if err != nil {
		return fmt.Errorf("read the sealing key: %w", err)
	}
	b, err := json.MarshalIndent(identityFile{
		Version: wireVersion, EnrolResponse: id.EnrolResponse,
		NKeySeed: string(seed), SignSeed: id.keys.sign.Seed(), BoxKey: box,
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the key file: %w", err)
	}
	defer clear(b)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the agent's data folder: %w", err)
	}
	return writeNew(path, b)
}

func writeNew(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator names the folder
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists: this agent is enrolled already; remove the file first if it should enrol anew", path)
	}
	if err != nil {
		return fmt.Errorf("make the key file: %w", err)
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(path)
		return fmt.Errorf("write the key file: %w", err)
	}
	return nil
}

// LoadIdentity reads the key file. A file that others may read is refused: its keys count as lost.
func LoadIdentity(path string) (*Identity, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing: enrol this agent first with `fourways-agent enrol`", path)
	}
	if err != nil {
		return nil, fmt.Errorf("look at the key file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s may be read by others (mode %#o): revoke this agent and enrol it anew, or chmod 600 if nobody else has an account here", path, info.Mode().Perm())
	}
	b, err := os.ReadFile(path) //nolint:gosec // the operator names the folder
	if err != nil {
		return nil, fmt.Errorf("read the key file: %w", err)
	}
	defer clear(b)
	id, err := parseIdentity(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return id, nil
}

func parseIdentity(b []byte) (*Identity, error) {
	var f identityFile
	if err := decodeStrict(b, &f); err != nil {
		return nil, ErrMalformed // the cause could quote a key
	}
	if f.Version != wireVersion {
		return nil, ErrVersion
	}
	conn, err := nkeys.FromSeed([]byte(f.NKeySeed))
	if err != nil {
		return nil, fmt.Errorf("%w: nkey_seed", ErrMalformed)
	}
	if len(f.SignSeed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%w: sign_seed", ErrMalformed)
	}
	box, err := hpke.MLKEM768X25519().NewPrivateKey(f.BoxKey)
	if err != nil {
		return nil, fmt.Errorf("%w: box_key", ErrMalformed)
	}
	return NewIdentity(&Keys{conn: conn, sign: ed25519.NewKeyFromSeed(f.SignSeed), box: box}, f.EnrolResponse)
}

// Format shows who the agent is, never its keys.
func (id *Identity) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "agent "+id.AgentID) }
