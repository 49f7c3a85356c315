package agentlink

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
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

// Told are the handlers of what an agent is told.
type Told struct {
	Bind, Sync nats.MsgHandler
}

// Listen subscribes an agent to what it is told.
func (r *Receiver) Listen(conn *nats.Conn, t Told) ([]*nats.Subscription, error) {
	var subs []*nats.Subscription
	for what, handle := range map[string]nats.MsgHandler{toldBind: t.Bind, toldSync: t.Sync} {
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
	msg, err := signMessage(r.id.keys.sign, kindAlive, a)
	if err != nil {
		return err
	}
	return conn.Publish(Up(r.id.AgentID, saidAlive), msg)
}

// ErrNotYours says that the request is somebody else's by now, or nobody waits for it any more.
var ErrNotYours = errors.New("the gateway gave the request to another agent, or up")

// MayBind asks the gateway whether the password of q is still this agent's to try; nil is its yes. The gateway says yes once
// and then hands over to nobody else for slowness, so that no wrong password is counted twice: whatever else comes back, or
// nothing, means that there must be no bind.
func (r *Receiver) MayBind(ctx context.Context, conn *nats.Conn, q *Request) error {
	n := notice{Request: q.ID, Agent: r.id.AgentID, Hash: q.hash[:]}
	msg, err := signMessage(r.id.keys.sign, kindBinding, n)
	if err != nil {
		return err
	}
	res, err := conn.RequestWithContext(ctx, Up(r.id.AgentID, saidBinding), msg)
	if err != nil {
		return fmt.Errorf("the gateway can't be asked: %w", err)
	}
	var t turn
	if err := openMessage(r.id.Gateway.Sign, kindTurn, maxMessage, res.Data, &t); err != nil {
		return err
	}
	switch {
	case t.Request != n.Request || t.Agent != n.Agent || !bytes.Equal(t.Hash, n.Hash):
		return fmt.Errorf("%w: it is about another request", ErrForged)
	case !t.Yes:
		return ErrNotYours
	}
	return nil
}
