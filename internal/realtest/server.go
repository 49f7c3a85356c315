package realtest

import (
	"context"
	"os/exec"
	"testing"
)

// server is an identity provider that a test may stop and start again, at the same address.
type server struct {
	on      *stage
	folder  string
	command func() *exec.Cmd // made anew for each start
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
	s.now = p
	return p.ready(s.answers)
}

// Stop ends the server before its time.
func (s *server) Stop() { s.now.stop() }

// Start brings a stopped server back and waits until it answers.
func (s *server) Start(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}
