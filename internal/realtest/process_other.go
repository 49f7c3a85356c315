//go:build !linux

package realtest

import (
	"os"
	"os/exec"
	"syscall"
)

// The servers are Debian packages: elsewhere Need stops the test before any of these is reached.

func ownGroup(*exec.Cmd) {}

func signalGroup(p *os.Process, sig syscall.Signal) { _ = p.Signal(sig) }

func actAs(*exec.Cmd, uint32, uint32) {}

func lockFolder(string) (func(), error) { return func() {}, nil }
