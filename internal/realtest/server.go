package realtest

import (
	"context"
	"os/exec"
	"syscall"
	"testing"
)

// server is one that a test may stop and start again, at the same address.
type server struct {
	on      *stage
	folder  string
	command func() *exec.Cmd // made anew for each start
	ask     syscall.Signal   // that asks it to end; 0: SIGTERM
	answers func(context.Context) error
	now     *process
}

func (s *server) start() error {
	cmd := s.command()
	cmd.Dir = s.folder
	p, err := s.on.start(s.folder, cmd)
	if err != nil {
		return err
	}
	if s.ask != 0 {
		p.ask = s.ask
	}
	s.now = p
	return p.ready(s.answers)
}

// Stop ends the server before its time.
func (s *server) Stop() { s.now.stop() }

// Kill ends the server at once, as a power cut does.
func (s *server) Kill() { s.now.kill() }

// Start brings a stopped server back and waits until it answers.
func (s *server) Start(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}
