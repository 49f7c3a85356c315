package endtoend_test

import (
	"net"
	"sync"
	"testing"
)

// hop is a wire to a real server that a test may cut: the server stays as it is for the other tests.
type hop struct {
	t  *testing.T
	to string
	at string // host:port

	mu       sync.Mutex
	listener net.Listener
	down     bool // refuses
	silent   bool // hangs
	conns    []net.Conn
	work     sync.WaitGroup
}

// newHop opens a wire to the server at to.
func newHop(t *testing.T, to string) *hop {
	t.Helper()
	h := &hop{t: t, to: to, at: "127.0.0.1:0"}
	h.mend()
	t.Cleanup(func() { h.cut(); h.work.Wait() })
	return h
}

// cut refuses connections and ends those that are open, as a server does that was switched off.
func (h *hop) cut() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.down = true
	_ = h.listener.Close()
	for _, c := range h.conns {
		_ = c.Close()
	}
	h.conns = nil
}

// hush keeps connections open and says nothing on them any more, as a server does that hangs.
func (h *hop) hush() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.silent = true
}

// mend opens the wire again, at the address it had.
func (h *hop) mend() {
	h.t.Helper()
	if h.listener != nil {
		h.cut() // what hung stays lost
	}
	l, err := new(net.ListenConfig).Listen(h.t.Context(), "tcp", h.at)
	if err != nil {
		h.t.Fatal(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.listener, h.at, h.down, h.silent = l, l.Addr().String(), false, false
	h.work.Go(func() { h.accept(l) })
}

func (h *hop) accept(l net.Listener) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		out, err := new(net.Dialer).Dial("tcp", h.to)
		if err != nil {
			_ = in.Close()
			continue
		}
		h.mu.Lock()
		if h.down || h.listener != l { // it was cut meanwhile
			_, _ = in.Close(), out.Close()
		}
		h.conns = append(h.conns, in, out)
		h.mu.Unlock()
		h.work.Go(func() { h.carry(out, in) })
		h.work.Go(func() { h.carry(in, out) })
	}
}

func (h *hop) carry(to, from net.Conn) {
	defer to.Close()
	buffer := make([]byte, 16<<10)
	for {
		n, err := from.Read(buffer)
		h.mu.Lock()
		silent := h.silent
		h.mu.Unlock()
		if n > 0 && !silent {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
