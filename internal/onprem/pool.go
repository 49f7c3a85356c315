package onprem

import (
	"context"
	"sync"
	"time"
)

// A pool keeps this many unused connections, none of them for longer than this: directories drop idle ones after minutes.
const (
	maxIdle  = 8
	idleTime = time.Minute
)

// pool keeps connections between two operations. A bind resets who a connection acts for (RFC 4511 section 4.2.1), so the
// next person may use the connection of the last; a connection whose operation failed is never kept.
type pool struct {
	open func(context.Context) (*link, error)
	mu   sync.Mutex
	free []*link
}

func newPool(open func(context.Context) (*link, error)) *pool { return &pool{open: open} }

// take gives a kept connection or opens one.
func (p *pool) take(ctx context.Context) (*link, error) {
	if l := p.kept(); l != nil {
		return l, nil
	}
	return p.open(ctx)
}

// kept is the connection used last, nil without one; those that are too old are hung up.
func (p *pool) kept() *link {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.free) > 0 {
		l := p.free[len(p.free)-1]
		p.free = p.free[:len(p.free)-1]
		if time.Since(l.idle) < idleTime && !l.conn.IsClosing() {
			l.reused = true
			return l
		}
		go l.close()
	}
	return nil
}

// put keeps a connection whose last operation was answered.
func (p *pool) put(l *link) {
	l.idle = time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) >= maxIdle || l.conn.IsClosing() {
		go l.close()
		return
	}
	p.free = append(p.free, l)
}

// drain hangs up everything that is kept.
func (p *pool) drain() {
	p.mu.Lock()
	free := p.free
	p.free = nil
	p.mu.Unlock()
	for _, l := range free {
		l.close()
	}
}
