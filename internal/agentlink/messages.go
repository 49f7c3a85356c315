package agentlink

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Request is one password to be tried, as it travels: signed by the gateway, the password sealed for one agent.
type Request struct {
	ID       string          `json:"id"`
	Attempt  authn.AttemptID `json:"attempt"`
	Agent    string          `json:"agent"`
	User     string          `json:"user"` // the name to bind; of a decoy, what was typed
	Issued   time.Time       `json:"issued"`
	Deadline time.Time       `json:"deadline"`
	Enc      []byte          `json:"enc"` // HPKE encapsulated key, good for a minute
	Sealed   []byte          `json:"sealed"`

	hash [sha256.Size]byte // of the whole message; the answer names it
}

// aad is what the sealed password can't be moved away from. Every part is preceded by its length, so that no two requests
// share one.
func (r *Request) aad() []byte {
	var b []byte
	for _, s := range []string{r.ID, r.User, r.Agent, r.Issued.UTC().Format(time.RFC3339Nano), r.Deadline.UTC().Format(time.RFC3339Nano)} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return b
}

func (r *Request) validate() error {
	switch {
	case !validID(r.ID) || !validID(r.Agent):
		return errors.New("request or agent id is not ours")
	case r.User == "" || len(r.User) > 320 || len(r.Attempt) > 64:
		return errors.New("user or attempt has a length that no request has")
	case !r.Deadline.After(r.Issued) || r.Deadline.Sub(r.Issued) > longestDeadline:
		return errors.New("the deadline is not shortly after the issue")
	case len(r.Enc) == 0 || len(r.Sealed) == 0:
		return errors.New("nothing is sealed")
	}
	return nil
}

// longestDeadline bounds how long one request may be good, and so the agent's replay set.
const longestDeadline = time.Minute

// notice names one request: the agent is about to bind, or the gateway lost the agent's connection.
type notice struct {
	Request string `json:"request"`
	Agent   string `json:"agent"`
	Hash    []byte `json:"hash"`
}

// turn is the gateway's word on a binding notice. Without a yes the agent must not bind.
type turn struct {
	notice
	Yes bool `json:"yes"`
}

// Answer is what an agent says of one request, signed by it.
type Answer struct {
	Request string `json:"request"`
	Agent   string `json:"agent"`
	Hash    []byte `json:"hash"`  // SHA-256 of the request message
	Bound   bool   `json:"bound"` // the directory may have seen the password
	Reason  string `json:"reason"`
	Code    int    `json:"code,omitempty"`   // LDAP result code
	Data    string `json:"data,omitempty"`   // AD sub-code
	Server  string `json:"server,omitempty"` // which directory server answered
	Steps   []Hop  `json:"steps,omitempty"`
}

// Hop is one step of the agent's evidence. Its times count from the agent's own P5, since clocks differ.
type Hop struct {
	ID     authn.StepID          `json:"id"`
	Result authn.StepResult      `json:"result"`
	After  time.Duration         `json:"after"` // nanoseconds since P5
	Took   time.Duration         `json:"took"`  // nanoseconds
	Facts  map[authn.Fact]string `json:"facts,omitempty"`
}

const (
	maxHops  = 16
	maxText  = 256
	maxFacts = 8
)

func (a *Answer) validate() error {
	if !validID(a.Request) || !validID(a.Agent) || len(a.Hash) != sha256.Size {
		return errors.New("the answer doesn't name its request")
	}
	if len(a.Reason) > maxText || len(a.Data) > maxText || len(a.Server) > maxText || len(a.Steps) > maxHops {
		return errors.New("the answer is longer than any that is expected")
	}
	for _, h := range a.Steps {
		if len(h.Facts) > maxFacts {
			return fmt.Errorf("step %.8s has %d facts", h.ID, len(h.Facts))
		}
		for k, v := range h.Facts {
			if len(k) > maxText || len(v) > maxText {
				return fmt.Errorf("step %.8s has an over-long fact", h.ID)
			}
		}
	}
	return nil
}

// Alive is an agent's sign of life.
type Alive struct {
	Agent   string    `json:"agent"`
	Version string    `json:"version"`
	At      time.Time `json:"at"`
	Leaving bool      `json:"leaving,omitempty"` // it shuts down: ask it nothing new
}

func (a *Alive) validate() error {
	if !validID(a.Agent) || len(a.Version) > maxText {
		return errors.New("the sign of life is not well-formed")
	}
	return nil
}

// idSize is the length of the ids that we make, in bytes; on the wire they are lower-case hex.
const idSize = 16

func validID(s string) bool {
	if len(s) != 2*idSize {
		return false
	}
	for i := range len(s) {
		if (s[i] < '0' || s[i] > '9') && (s[i] < 'a' || s[i] > 'f') {
			return false
		}
	}
	return true
}
