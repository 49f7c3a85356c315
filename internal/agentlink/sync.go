package agentlink

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/fourways-id/fourways/internal/dirsync"
)

// Bounds of a synchronisation.
const (
	pieceSize  = 256 << 10        // of a batch, in one frame; sealed and in JSON it stays below maxFrame
	maxBatch   = 64 << 20         // of one batch's JSON
	frameWait  = 10 * time.Minute // for the next frame: a large directory takes its time to say what changed
	ackWait    = 30 * time.Second // for the gateway to take a frame
	framesHeld = 2                // an agent sends one at a time
)

// Order asks an agent to read its directory, or to write into it.
type Order struct {
	dirsync.Ask
	Agent  string    `json:"agent"`
	Run    string    `json:"run"`
	Issued time.Time `json:"issued"`
}

// frame is a piece of a batch, sealed to the gateway.
type frame struct {
	Agent  string `json:"agent"`
	Run    string `json:"run"`
	Seq    int    `json:"seq"`            // of the frame: 0, 1, 2, …
	More   bool   `json:"more,omitempty"` // the batch goes on in the next frame
	Enc    []byte `json:"enc"`
	Sealed []byte `json:"sealed"`
}

func (f *frame) aad() []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(f.Seq))
	if f.More {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	return append(append(b, f.Agent+"\x00"...), f.Run...)
}

func (f *frame) validate() error {
	if !validID(f.Agent) || f.Run == "" || len(f.Run) > maxText || f.Seq < 0 || len(f.Enc) == 0 || len(f.Sealed) == 0 {
		return errors.New("the frame is not well-formed")
	}
	return nil
}

// ack is the gateway's word on one frame.
type ack struct {
	Agent string `json:"agent"`
	Run   string `json:"run"`
	Seq   int    `json:"seq"`
	Error string `json:"error,omitempty"` // the run is over
}

// run is one synchronisation that waits for frames.
type run struct {
	agent  string
	conn   uint64 // over which it was asked
	frames chan received
	gone   signal
}

type received struct {
	frame frame
	reply string
}

// Sync has a live agent with the sync role do what is asked and yields the batches of its answer in order, each with Agent
// set. It returns nil after the batch that says Last or Error, and what yield returned when that is an error.
func (l *Link) Sync(ctx context.Context, id string, ask dirsync.Ask, yield func(dirsync.Batch) error) error {
	m, ok := l.syncing()
	if !ok {
		return errors.New("no agent with the sync role is connected: see `fourways agent list`")
	}
	r := &run{agent: m.ID, frames: make(chan received, framesHeld), gone: signal{c: make(chan struct{})}}
	l.mu.Lock()
	_, taken := l.runs[id]
	r.conn, _ = l.connLocked(m.ID)
	if !taken {
		l.runs[id] = r
	}
	l.mu.Unlock()
	if taken {
		return fmt.Errorf("run %s goes on already", id)
	}
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.runs, id)
	}()
	msg, err := signMessage(l.o.Keys.sign, kindSync, Order{Ask: ask, Agent: m.ID, Run: id, Issued: l.o.Clock.Now().UTC()})
	if err != nil {
		return err
	}
	if err := l.o.Conn.Publish(Down(m.ID, toldSync), msg); err != nil {
		return fmt.Errorf("ask agent %s to synchronise: %w", m.Name, err)
	}
	in := &assembly{link: l, member: m, run: id, kind: ask.Kind}
	for !in.over {
		if err := l.nextFrame(ctx, r, in, yield); err != nil {
			return err
		}
	}
	return nil
}

func (l *Link) syncing() (Member, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var best Member
	for id, m := range l.members {
		if slices.Contains(m.Roles, RoleSync) && l.liveLocked(id) && (best.ID == "" || m.Name+m.ID < best.Name+best.ID) {
			best = m
		}
	}
	return best, best.ID != ""
}

func (l *Link) nextFrame(ctx context.Context, r *run, in *assembly, yield func(dirsync.Batch) error) error {
	timeout := time.NewTimer(frameWait)
	defer timeout.Stop()
	select {
	case f := <-r.frames:
		err := in.take(f.frame, yield)
		l.acknowledge(f, err)
		return err
	case <-r.gone.c:
		return fmt.Errorf("the connection of agent %s is gone", in.member.Name)
	case <-timeout.C:
		return fmt.Errorf("agent %s sent nothing for %s", in.member.Name, frameWait)
	case <-ctx.Done():
		return fmt.Errorf("synchronisation run %s: %w", in.run, ctx.Err())
	}
}

func (l *Link) acknowledge(f received, refused error) {
	a := ack{Agent: f.frame.Agent, Run: f.frame.Run, Seq: f.frame.Seq}
	if refused != nil {
		a.Error = "the gateway refused the batch: see its log"
	}
	l.reply(f.reply, kindAck, a)
}

// frame takes one frame off the wire. What it is about is checked in Sync's own turn.
func (l *Link) frame(msg *nats.Msg) {
	id := agentOf(msg.Subject)
	m, ok := l.member(id)
	var f frame
	err := errors.New("no such agent is enrolled")
	if ok {
		err = openMessage([][]byte{m.Keys.Sign}, kindFrame, maxFrame, msg.Data, &f)
	}
	if err == nil {
		err = f.validate()
	}
	// An agent may have the gateway answer to its own inbox only: any other reply subject would be somebody else's.
	if err == nil && (f.Agent != id || !inInbox(id, msg.Reply)) {
		err = ErrForged
	}
	if err != nil {
		l.refuse("a synchronisation frame", id, err)
		return
	}
	l.mu.Lock()
	r := l.runs[f.Run]
	l.mu.Unlock()
	got := received{frame: f, reply: msg.Reply}
	if r == nil || r.agent != id {
		l.acknowledge(got, errors.New("no such run"))
		return
	}
	select {
	case r.frames <- got:
	default:
		l.refuse("a synchronisation frame", id, errors.New("it came before the one before it was acknowledged"))
	}
}

func inInbox(agent, reply string) bool {
	prefix := inboxOf(agent) + "."
	return len(reply) > len(prefix) && reply[:len(prefix)] == prefix
}

// assembly puts frames together to batches and checks that nothing is missing.
type assembly struct {
	link   *Link
	member Member
	run    string
	kind   dirsync.Kind
	seq    int // of the next frame
	batch  int // of the next batch
	buf    []byte
	over   bool
}

func (in *assembly) take(f frame, yield func(dirsync.Batch) error) error {
	if f.Seq != in.seq {
		return fmt.Errorf("frame %d came where %d was due: the run is incomplete", f.Seq, in.seq)
	}
	in.seq++
	piece, err := in.link.unseal.open(f.Enc, f.Sealed, f.aad(), labelUp(in.member.ID))
	if err != nil {
		return fmt.Errorf("frame %d of agent %s: %w", f.Seq, in.member.Name, err)
	}
	if len(in.buf)+len(piece) > maxBatch {
		return fmt.Errorf("a batch of agent %s is larger than %d MiB", in.member.Name, maxBatch>>20)
	}
	in.buf = append(in.buf, piece...)
	clear(piece)
	if f.More {
		return nil
	}
	b, err := in.decode()
	if err != nil {
		return err
	}
	in.over = b.Last || b.Error != ""
	return yield(b)
}

func (in *assembly) decode() (dirsync.Batch, error) {
	var b dirsync.Batch
	err := decodeStrict(in.buf, &b)
	clear(in.buf)
	in.buf = in.buf[:0]
	if err != nil {
		return dirsync.Batch{}, fmt.Errorf("batch %d of agent %s: %w", in.batch, in.member.Name, err)
	}
	if b.Run != in.run || b.Kind != in.kind || b.Seq != in.batch {
		return dirsync.Batch{}, fmt.Errorf("agent %s sent batch %d of run %.64q where batch %d of %q was due", in.member.Name, b.Seq, b.Run, in.batch, in.run)
	}
	in.batch++
	b.Agent = in.member.Name
	return b, nil
}
