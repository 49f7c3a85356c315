package dc

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// Outage cuts the domain controller off: it stops listening and hangs up on everybody, as a broken network does. The
// domain stays as it is. Recover ends the outage.
func (s *Server) Outage() { s.hangUp() }

// Recover listens again, at the address it had. Without an outage it does nothing; after Close it is an error.
func (s *Server) Recover(ctx context.Context) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	if err := s.ctx.Err(); err != nil {
		return errors.New("the domain controller was closed: start a new one")
	}
	if !s.closed {
		return nil
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.listener.Addr().String())
	if err != nil {
		return fmt.Errorf("the domain controller can't listen again: %w", err)
	}
	s.listener, s.closed = l, false
	s.work.Go(func() { s.accept(l) })
	return nil
}
