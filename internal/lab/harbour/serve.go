package harbour

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
)

// serving is what listens now; nothing during an outage.
type serving struct {
	at     string // the address, also after an outage
	mu     sync.Mutex
	server *http.Server
	closed bool
}

// serve answers on l until an outage or the end.
func (s *Server) serve(l net.Listener) {
	log := s.options.ErrorLog
	server := &http.Server{
		Handler: s.routes(), ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: readWithin, ReadTimeout: readWithin, WriteTimeout: writeWithin, IdleTimeout: idleWithin, MaxHeaderBytes: mostHeader,
	}
	s.serving.server = server
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("harbour stopped serving", "cause", err)
		}
	}()
}

// Outage cuts Harbour ID off: it stops listening and hangs up on everybody, as a broken network does. Recover ends the
// outage.
func (s *Server) Outage() {
	s.serving.mu.Lock()
	defer s.serving.mu.Unlock()
	if s.serving.server != nil {
		_ = s.serving.server.Close() // hanging up is what it is for
		s.serving.server = nil
	}
}

// Recover listens again, at the address it had. Without an outage it does nothing; after Close it is an error.
func (s *Server) Recover(ctx context.Context) error {
	s.serving.mu.Lock()
	defer s.serving.mu.Unlock()
	if s.serving.closed {
		return errors.New("harbour: it was closed: start a new one")
	}
	if s.serving.server != nil {
		return nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.serving.at)
	if err != nil {
		return fmt.Errorf("harbour: listen again: %w", err)
	}
	s.serve(l)
	return nil
}

// Close stops listening and lets open requests end; a second call does nothing more.
func (s *Server) Close() error {
	s.serving.mu.Lock()
	defer s.serving.mu.Unlock()
	s.serving.closed = true
	server := s.serving.server
	if server == nil {
		return nil
	}
	s.serving.server = nil
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("harbour: stop: %w", err), server.Close())
	}
	return nil
}
