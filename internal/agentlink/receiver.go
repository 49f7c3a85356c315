package agentlink

import (
	"crypto/sha256"
	"fmt"

	"github.com/fourways-id/fourways/authn"
)

// Receiver is the agent's end of the protocol: it checks what the gateway says and makes what the agent says.
type Receiver struct {
	id *Identity
	un *unsealer
}

// NewReceiver is the receiver of an enrolled agent.
func NewReceiver(id *Identity) *Receiver { return &Receiver{id: id, un: newUnsealer(id.keys.box)} }

// Request reads a request: from the gateway, whole, for this agent. Time and replay are the caller's to check.
func (r *Receiver) Request(msg []byte) (*Request, error) {
	var q Request
	if err := openMessage(r.id.Gateway.Sign, kindBind, maxMessage, msg, &q); err != nil {
		return nil, err
	}
	if err := q.validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if q.Agent != r.id.AgentID {
		return nil, fmt.Errorf("%w: it is for another agent", ErrForged)
	}
	q.hash = sha256.Sum256(msg)
	return &q, nil
}

// Password opens the sealed password; decoy says that there is none and that the agent's own decoy account is to be bound.
// It returns ErrKey or ErrSealed.
func (r *Receiver) Password(q *Request) (secret authn.Secret, decoy bool, err error) {
	plain, err := r.un.open(q.Enc, q.Sealed, q.aad(), labelDown(r.id.AgentID))
	if err != nil {
		return authn.Secret{}, false, err
	}
	return unpackPassword(plain)
}

// Binding is the message that says: from here on the directory may have seen the password.
func (r *Receiver) Binding(q *Request) ([]byte, error) {
	return signMessage(r.id.keys.sign, kindBinding, notice{Request: q.ID, Agent: r.id.AgentID, Hash: q.hash[:]})
}

// Answer signs the answer to q. Request, Agent and Hash are filled in.
func (r *Receiver) Answer(q *Request, a Answer) ([]byte, error) {
	a.Request, a.Agent, a.Hash = q.ID, r.id.AgentID, q.hash[:]
	return signMessage(r.id.keys.sign, kindAnswer, a)
}

// Unreadable signs an answer to a message that could not be taken for a request: it names what came by its hash alone.
func (r *Receiver) Unreadable(msg []byte, reason authn.Reason) ([]byte, error) {
	h := sha256.Sum256(msg)
	return signMessage(r.id.keys.sign, kindAnswer, Answer{Request: noRequest, Agent: r.id.AgentID, Hash: h[:], Reason: reason.String()})
}

// noRequest stands where the agent could not read which request it answers.
const noRequest = "00000000000000000000000000000000"

// Cancelled reads a cancel message and returns the request that is to be dropped.
func (r *Receiver) Cancelled(msg []byte) (request string, err error) {
	var n notice
	if err := openMessage(r.id.Gateway.Sign, kindCancel, maxMessage, msg, &n); err != nil {
		return "", err
	}
	if n.Agent != r.id.AgentID || !validID(n.Request) {
		return "", fmt.Errorf("%w: it is for another agent", ErrForged)
	}
	return n.Request, nil
}

// Alive signs a sign of life.
func (r *Receiver) Alive(a Alive) ([]byte, error) {
	a.Agent = r.id.AgentID
	return signMessage(r.id.keys.sign, kindAlive, a)
}
