package agentlink

import (
	"crypto/sha256"
	"fmt"

	"github.com/nats-io/nats.go"

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

// Told are the handlers of what an agent is told.
type Told struct {
	Bind, Cancel, Sync nats.MsgHandler
}

// Listen subscribes an agent to what it is told.
func (r *Receiver) Listen(conn *nats.Conn, t Told) ([]*nats.Subscription, error) {
	var subs []*nats.Subscription
	for what, handle := range map[string]nats.MsgHandler{toldBind: t.Bind, toldCancel: t.Cancel, toldSync: t.Sync} {
		s, err := conn.Subscribe(Down(r.id.AgentID, what), handle)
		if err != nil {
			return subs, fmt.Errorf("listen to the gateway: %w", err)
		}
		subs = append(subs, s)
	}
	return subs, nil
}

// SayAlive publishes a sign of life; Agent is filled in.
func (r *Receiver) SayAlive(conn *nats.Conn, a Alive) error {
	a.Agent = r.id.AgentID
	return r.say(conn, saidAlive, kindAlive, a)
}

// SayBinding publishes that from here on the directory may have seen the password of q.
func (r *Receiver) SayBinding(conn *nats.Conn, q *Request) error {
	return r.say(conn, saidBinding, kindBinding, notice{Request: q.ID, Agent: r.id.AgentID, Hash: q.hash[:]})
}

func (r *Receiver) say(conn *nats.Conn, what string, k kind, body any) error {
	msg, err := signMessage(r.id.keys.sign, k, body)
	if err != nil {
		return err
	}
	return conn.Publish(Up(r.id.AgentID, what), msg)
}
