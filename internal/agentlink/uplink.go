package agentlink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/dirsync"
)

// Order reads the gateway's wish that this agent reads its directory, or writes into it.
func (r *Receiver) Order(msg []byte, now time.Time) (Order, error) {
	var o Order
	if err := openMessage(r.id.Gateway.Sign, kindSync, maxFrame, msg, &o); err != nil {
		return Order{}, err
	}
	if o.Agent != r.id.AgentID || o.Run == "" || len(o.Run) > maxText {
		return Order{}, fmt.Errorf("%w: it is for another agent", ErrForged)
	}
	if age := now.Sub(o.Issued).Abs(); age > longestDeadline {
		return Order{}, fmt.Errorf("the order is %s away from this clock: it is old, or the clocks differ", age.Round(time.Second))
	}
	if !o.Kind.Known() {
		return Order{}, fmt.Errorf("%w: kind %.40q", ErrMalformed, o.Kind)
	}
	return o, nil
}

// Uplink sends one run's batches to the gateway, sealed to it, one acknowledged frame at a time. It is not for concurrent use.
type Uplink struct {
	id    *Identity
	conn  *nats.Conn
	seal  *sealer
	order Order
	frame int
	batch int
}

// NewUplink begins to answer an order.
func NewUplink(id *Identity, conn *nats.Conn, clock authn.Clock, o Order) *Uplink {
	return &Uplink{id: id, conn: conn, seal: newSealer(clock), order: o}
}

// Send sends the next batch; its Run, Kind and Seq are filled in. It returns when the gateway has taken it.
func (u *Uplink) Send(ctx context.Context, b dirsync.Batch) error {
	b.Run, b.Kind, b.Seq = u.order.Run, u.order.Kind, u.batch
	u.batch++
	plain, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("encode batch %d: %w", b.Seq, err)
	}
	defer clear(plain)
	for rest := plain; ; {
		piece := rest[:min(len(rest), pieceSize)]
		rest = rest[len(piece):]
		if err := u.send(ctx, piece, len(rest) > 0); err != nil {
			return fmt.Errorf("send batch %d: %w", b.Seq, err)
		}
		if len(rest) == 0 {
			return nil
		}
	}
}

func (u *Uplink) send(ctx context.Context, piece []byte, more bool) error {
	key, err := u.seal.key(u.id.Gateway.Box, labelUp(u.id.AgentID))
	if err != nil {
		return err
	}
	f := frame{Agent: u.id.AgentID, Run: u.order.Run, Seq: u.frame, More: more, Enc: key.enc}
	u.frame++
	f.Sealed = key.seal(piece, f.aad())
	msg, err := signMessage(u.id.keys.sign, kindFrame, f)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()
	res, err := u.conn.RequestWithContext(ctx, Up(u.id.AgentID, saidFrame), msg)
	if err != nil {
		return fmt.Errorf("no acknowledgement from the gateway: %w", err)
	}
	var a ack
	if err := openMessage(u.id.Gateway.Sign, kindAck, maxMessage, res.Data, &a); err != nil {
		return err
	}
	switch {
	case a.Agent != f.Agent || a.Run != f.Run || a.Seq != f.Seq:
		return fmt.Errorf("%w: it acknowledges another frame", ErrForged)
	case a.Error != "":
		return errors.New(a.Error)
	}
	return nil
}
