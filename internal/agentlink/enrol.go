package agentlink

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// The roles of an agent.
const (
	RolePTA  = "pta"  // tries passwords
	RoleSync = "sync" // reads the directory
)

// ErrToken says that an enrolment token is unknown, used or over. It never says which.
var ErrToken = errors.New("the enrolment token is not valid: make a new one with `fourways agent invite`")

// MaxEnrol bounds an enrolment request or response, in bytes.
const MaxEnrol = 32 << 10

// EnrolRequest is what an agent posts to /agent/enrol. Proof is its Ed25519 signature over everything else, so that nobody
// can enrol a key that is not theirs.
type EnrolRequest struct {
	Token   string `json:"token"`
	Name    string `json:"name"`
	Version string `json:"version"`
	PublicKeys
	Proof []byte `json:"proof"`
}

// EnrolResponse is what the agent pins.
type EnrolResponse struct {
	AgentID string        `json:"agent_id"`
	Name    string        `json:"name"`
	Roles   []string      `json:"roles"`
	URL     string        `json:"url"` // of the broker: tls://host:port
	CA      string        `json:"ca"`  // PEM; the only roots that the agent trusts for the broker
	Gateway GatewayPublic `json:"gateway"`
}

// Member is an enrolled agent, as the registry remembers it.
type Member struct {
	ID      string
	Name    string
	Roles   []string
	Keys    PublicKeys
	Version string
	Revoked bool
}

// Registry remembers agents. It is durable.
type Registry interface {
	// Agents lists all agents, the revoked ones too.
	Agents(ctx context.Context) ([]Member, error)
	// Enrol uses the token up and stores the agent with the invitation's name and roles, in one transaction. It returns
	// ErrToken when the token (given as its SHA-256) is unknown, used or over.
	Enrol(ctx context.Context, tokenHash []byte, m Member) error
	// Seen notes a sign of life.
	Seen(ctx context.Context, id string, at time.Time) error
}

// Enroller answers enrolment requests. Every field must be set.
type Enroller struct {
	Registry Registry
	URL      string // where agents find the broker
	CA       string // PEM
	Keys     *GatewayKeys
}

// ParseEnrolRequest reads a request strictly and checks its keys and its proof.
func ParseEnrolRequest(b []byte) (EnrolRequest, error) {
	var r EnrolRequest
	if len(b) > MaxEnrol {
		return EnrolRequest{}, fmt.Errorf("%w: %d bytes", ErrMalformed, len(b))
	}
	if err := decodeStrict(b, &r); err != nil {
		return EnrolRequest{}, err
	}
	if r.Token == "" || len(r.Token) > maxText || len(r.Name) > maxText || len(r.Version) > maxText {
		return EnrolRequest{}, fmt.Errorf("%w: token, name or version has a length that none has", ErrMalformed)
	}
	if err := r.validate(); err != nil {
		return EnrolRequest{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if !ed25519.Verify(r.Sign, r.proven(), r.Proof) {
		return EnrolRequest{}, fmt.Errorf("%w: the proof is not made with the signing key", ErrMalformed)
	}
	return r, nil
}

// proven is what Proof signs.
func (r EnrolRequest) proven() []byte {
	r.Proof = nil
	b, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings and bytes always marshal
	}
	return append([]byte("fourways agent link 1 enrol\x00"), b...)
}

// Enrol admits an agent that holds a token which was not used before. The request comes from ParseEnrolRequest, which
// checked its proof.
func (e *Enroller) Enrol(ctx context.Context, r EnrolRequest) (EnrolResponse, error) {
	m := Member{ID: newID(), Name: r.Name, Keys: r.PublicKeys, Version: r.Version}
	if err := e.Registry.Enrol(ctx, TokenHash(r.Token), m); err != nil {
		return EnrolResponse{}, fmt.Errorf("enrol the agent: %w", err)
	}
	stored, err := e.find(ctx, m.ID)
	if err != nil {
		return EnrolResponse{}, err
	}
	return EnrolResponse{AgentID: m.ID, Name: stored.Name, Roles: stored.Roles, URL: e.URL, CA: e.CA, Gateway: e.Keys.Public()}, nil
}

func (e *Enroller) find(ctx context.Context, id string) (Member, error) {
	all, err := e.Registry.Agents(ctx)
	if err != nil {
		return Member{}, fmt.Errorf("read the new agent back: %w", err)
	}
	for _, m := range all {
		if m.ID == id {
			return m, nil
		}
	}
	return Member{}, fmt.Errorf("the new agent %s is not in the registry", id)
}

// NewToken makes an enrolment token and the hash under which it is remembered.
func NewToken() (token authn.Secret, hash []byte) {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	text := hex.EncodeToString(b[:])
	return authn.NewSecret([]byte(text)), TokenHash(text)
}

// TokenHash is the form in which a token is stored. A token has 256 random bits: no slow hash is needed.
func TokenHash(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

func newID() string {
	var b [idSize]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:])
}
