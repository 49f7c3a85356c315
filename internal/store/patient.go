package store

import (
	"net"
	"sync"
	"time"
)

// patient is a connection whose reads wait no longer than silence: a server or a network that froze is given up. A
// deadline that somebody else has set comes first.
type patient struct {
	net.Conn
	silence time.Duration
	mu      sync.Mutex
	set     bool
}

// Read reads what comes in time.
func (p *patient) Read(b []byte) (int, error) {
	if err := p.arm(); err != nil {
		return 0, err
	}
	return p.Conn.Read(b)
}

func (p *patient) arm() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.set {
		return nil
	}
	return p.SetReadDeadline(time.Now().Add(p.silence)) //nolint:forbidigo // a network's deadline
}

// SetDeadline is net.Conn's; the zero time gives the deadline back to p.
func (p *patient) SetDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.set = !t.IsZero()
	return p.Conn.SetDeadline(t)
}
