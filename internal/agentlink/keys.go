package agentlink

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/nats-io/nkeys"
)

// Keys are the private keys of one agent. The agent makes them itself and they never leave its key file; however they are
// printed they say [secret].
type Keys struct {
	conn nkeys.KeyPair      // proves at the broker who connects
	sign ed25519.PrivateKey // signs what the agent says
	box  hpke.PrivateKey    // opens what is sealed for it
}

// PublicKeys are what the gateway knows of an agent's keys.
type PublicKeys struct {
	NKey string `json:"nkey"` // NATS user public key
	Sign []byte `json:"sign"` // Ed25519
	Box  []byte `json:"box"`  // HPKE MLKEM768-X25519
}

// NewKeys makes fresh keys.
func NewKeys() (*Keys, error) {
	conn, err := nkeys.CreateUser()
	if err != nil {
		return nil, fmt.Errorf("make the connection key: %w", err)
	}
	_, sign, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the signing key: %w", err)
	}
	box, err := hpke.MLKEM768X25519().GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("make the sealing key: %w", err)
	}
	return &Keys{conn: conn, sign: sign, box: box}, nil
}

// Public are the public halves.
func (k *Keys) Public() (PublicKeys, error) {
	nkey, err := k.conn.PublicKey()
	if err != nil {
		return PublicKeys{}, fmt.Errorf("read the connection key: %w", err)
	}
	return PublicKeys{NKey: nkey, Sign: k.sign.Public().(ed25519.PublicKey), Box: k.box.PublicKey().Bytes()}, nil
}

// Format makes every fmt verb say [secret].
func (*Keys) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[secret]") }

// validate refuses keys that could not be used later.
func (p PublicKeys) validate() error {
	if !nkeys.IsValidPublicUserKey(p.NKey) {
		return errors.New("nkey is no NATS user public key")
	}
	if len(p.Sign) != ed25519.PublicKeySize {
		return fmt.Errorf("sign is %d bytes long; an Ed25519 public key has %d", len(p.Sign), ed25519.PublicKeySize)
	}
	if _, err := hpke.MLKEM768X25519().NewPublicKey(p.Box); err != nil {
		return fmt.Errorf("box is no MLKEM768-X25519 public key: %w", err)
	}
	return nil
}

// GatewayKeys are the private keys of the gateway, the same on every gateway that shares a root key.
type GatewayKeys struct {
	sign   ed25519.PrivateKey
	box    hpke.PrivateKey
	public GatewayPublic
}

// GatewayPublic is what an agent pins when it enrols.
type GatewayPublic struct {
	Sign [][]byte `json:"sign"` // Ed25519: the current key and the next one
	Box  []byte   `json:"box"`  // HPKE: what agents send up is sealed to it
}

// NewGatewayKeys derives the gateway's keys from a seed of at least 32 bytes (keyring.Derive). Generation n signs with key
// n while agents pin n and n+1, so that one step up needs no agent to enrol again.
func NewGatewayKeys(seed []byte, generation uint32) (*GatewayKeys, error) {
	if len(seed) < 32 {
		return nil, fmt.Errorf("the gateway's agent link seed has %d bytes; at least 32 are needed", len(seed))
	}
	current, err := deriveSigning(seed, generation)
	if err != nil {
		return nil, err
	}
	next, err := deriveSigning(seed, generation+1)
	if err != nil {
		return nil, err
	}
	ikm, err := hkdf.Expand(sha256.New, seed, "fourways agent link box", 32)
	if err != nil {
		return nil, fmt.Errorf("derive the gateway's sealing key: %w", err)
	}
	box, err := hpke.MLKEM768X25519().DeriveKeyPair(ikm)
	if err != nil {
		return nil, fmt.Errorf("derive the gateway's sealing key: %w", err)
	}
	return &GatewayKeys{sign: current, box: box, public: GatewayPublic{
		Sign: [][]byte{current.Public().(ed25519.PublicKey), next.Public().(ed25519.PublicKey)},
		Box:  box.PublicKey().Bytes(),
	}}, nil
}

func deriveSigning(seed []byte, generation uint32) (ed25519.PrivateKey, error) {
	s, err := hkdf.Expand(sha256.New, seed, fmt.Sprintf("fourways agent link sign %d", generation), ed25519.SeedSize)
	if err != nil {
		return nil, fmt.Errorf("derive the gateway's signing key: %w", err)
	}
	return ed25519.NewKeyFromSeed(s), nil
}

// Public are the public halves, for pinning.
func (k *GatewayKeys) Public() GatewayPublic { return k.public }

// Format makes every fmt verb say [secret].
func (*GatewayKeys) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[secret]") }

func (p GatewayPublic) validate() error {
	if len(p.Sign) == 0 || len(p.Sign) > 4 {
		return fmt.Errorf("%d gateway signing keys; one to four are expected", len(p.Sign))
	}
	for _, k := range p.Sign {
		if len(k) != ed25519.PublicKeySize {
			return fmt.Errorf("a gateway signing key is %d bytes long; Ed25519 has %d", len(k), ed25519.PublicKeySize)
		}
	}
	if _, err := hpke.MLKEM768X25519().NewPublicKey(p.Box); err != nil {
		return fmt.Errorf("the gateway's sealing key: %w", err)
	}
	return nil
}
