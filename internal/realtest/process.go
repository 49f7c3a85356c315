package realtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	readyWithin = 90 * time.Second // a hang guard, not a promise: the machine may be busy
	stopWithin  = 15 * time.Second
	askAgain    = 25 * time.Millisecond
)

// process is a server that was started here and is ended here.
type process struct {
	name string
	log  string // file with its stdout and stderr
	cmd  *exec.Cmd
	ask  syscall.Signal // that asks it to end
	done chan struct{}
	err  error // how it ended; read after done
}

// start runs a server in the background, in folder, in a process group of its own.
func (s *stage) start(folder string, cmd *exec.Cmd) (*process, error) {
	name := filepath.Base(cmd.Path)
	p := &process{name: name, log: filepath.Join(folder, name+".out"), cmd: cmd, ask: syscall.SIGTERM, done: make(chan struct{})}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", name, err)
	}
	defer out.Close() // the child has its own descriptor
	cmd.Stdout, cmd.Stderr = out, out
	ownGroup(cmd)

	began := make(chan error)
	go func() {
		// The kernel ends the child when the thread that forked it ends (PR_SET_PDEATHSIG, prctl(2)); a test
		// binary that dies must take its servers along, a Go thread that is merely retired must not.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		began <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-began; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	s.cleanup(p.stop)
	return p, nil
}

// ready asks until the server answers. A server that ended, or never answers, is an error with the end of its log.
func (p *process) ready(ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	tick := time.NewTicker(askAgain)
	defer tick.Stop()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended before it was ready (%w); its last words:\n%s", p.name, errors.Join(p.err, err), tail(p.log))
		case <-ctx.Done():
			return fmt.Errorf("%s did not answer within %s: %w; its last words:\n%s", p.name, readyWithin, err, tail(p.log))
		case <-tick.C:
		}
	}
}

// stop asks the server to end, waits for it, and only then kills what is left of its group. A second call does nothing.
func (p *process) stop() {
	select {
	case <-p.done:
		return // its process id may be another's by now
	default:
	}
	signalGroup(p.cmd.Process, p.ask)
	select {
	case <-p.done:
	case <-time.After(stopWithin):
	}
	signalGroup(p.cmd.Process, syscall.SIGKILL)
	<-p.done
}

// kill ends the server and what it forked without a word.
func (p *process) kill() {
	select {
	case <-p.done:
		return
	default:
	}
	signalGroup(p.cmd.Process, syscall.SIGKILL)
	<-p.done
}

// tool runs a program to its end and gives what it printed; input may be empty.
func tool(folder, input, name string, args ...string) (string, error) {
	path, err := program(name)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Env, cmd.Stdin = folder, environment("TDB_NO_FSYNC=1"), strings.NewReader(input)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s%s", name, err, out, complaint.String())
	}
	return string(out), nil
}

// environment is what a child sees: nothing of the caller's but the place for temporary files.
func environment(more ...string) []string {
	return append([]string{"PATH=" + systemPath, "LC_ALL=C.UTF-8", "HOME=/nonexistent", "TMPDIR=" + os.TempDir()}, more...)
}

// tail is the last 2 KiB of a log.
func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2048):])
}
