package premises

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// wire is a way over TCP to one server, that can be cut, or made to swallow what is sent. What is held back arrives when it
// heals: so it is with TCP, which sends again what nobody confirmed.
type wire struct {
	to       string
	listener net.Listener

	mu    sync.Mutex
	pairs map[*pair]struct{}
	ok    chan struct{} // closed while packets arrive
	over  bool
	work  sync.WaitGroup
}

// pair is one connection over the wire: two sockets, the far one as soon as it is there.
type pair struct {
	over chan struct{} // closed at the end

	mu    sync.Mutex
	ended bool
	ends  []net.Conn
}

// has adds a socket; false when the connection ended already.
func (p *pair) has(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		_ = c.Close()
		return false
	}
	p.ends = append(p.ends, c)
	return true
}

func (p *pair) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	p.ended = true
	close(p.over)
	for _, c := range p.ends {
		_ = c.Close()
	}
}

// openWire listens on loopback for connections to a server.
func openWire(ctx context.Context, to string) (*wire, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open the wire to %s: %w", to, err)
	}
	w := &wire{to: to, listener: l, pairs: map[*pair]struct{}{}, ok: make(chan struct{})}
	close(w.ok)
	w.work.Go(w.accept)
	return w, nil
}

func (w *wire) addr() string { return w.listener.Addr().String() }

// dial connects over the wire, whatever address was asked for.
func (w *wire) dial(network, _ string) (net.Conn, error) { return net.Dial(network, w.addr()) }

// stall has packets vanish, or arrive again.
func (w *wire) stall(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.ok:
		if on {
			w.ok = make(chan struct{})
		}
	default:
		if !on {
			close(w.ok)
		}
	}
}

// drop ends every connection and takes new ones.
func (w *wire) drop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for p := range w.pairs {
		p.end()
	}
}

// close ends the wire for good.
func (w *wire) close() {
	_ = w.listener.Close()
	w.mu.Lock()
	w.over = true
	w.mu.Unlock()
	w.drop()
	w.work.Wait()
}

func (w *wire) accept() {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return
		}
		p := &pair{over: make(chan struct{}), ends: []net.Conn{near}}
		w.mu.Lock()
		if w.over {
			p.end()
		}
		w.pairs[p] = struct{}{}
		w.mu.Unlock()
		w.work.Go(func() {
			w.join(p, near)
			p.end()
			w.mu.Lock()
			delete(w.pairs, p)
			w.mu.Unlock()
		})
	}
}

// join carries both directions of one connection until one ends.
func (w *wire) join(p *pair, near net.Conn) {
	if !w.passes(p) {
		return
	}
	far, err := net.Dial("tcp", w.to)
	if err != nil || !p.has(far) {
		return
	}
	var back sync.WaitGroup
	back.Go(func() { w.carry(p, near, far) })
	w.carry(p, far, near)
	back.Wait()
}

// carry copies one direction. The end of a connection is a packet too: in a partition nobody hears of it.
func (w *wire) carry(p *pair, to, from net.Conn) {
	defer p.end()
	buffer := make([]byte, 16<<10)
	for {
		n, err := from.Read(buffer)
		if !w.passes(p) {
			return
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// passes waits until packets arrive; false when the connection ended first.
func (w *wire) passes(p *pair) bool {
	w.mu.Lock()
	ok := w.ok
	w.mu.Unlock()
	select {
	case <-ok:
		return true
	case <-p.over:
		return false
	}
}
