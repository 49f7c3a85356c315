package fourwaystest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const (
	envBinary   = "FOURWAYS_BINARY"
	envPassword = "FOURWAYS_PASSWORD_OF_TEST"

	hangGuard = 90 * time.Second // bounds an answer: the machine may be busy
	grace     = 20 * time.Second // for a lab to end by itself
	lookAgain = 10 * time.Millisecond
	lastBytes = 4096 // of a log, in a message
)

// ready is the file that the lab writes when it is.
type ready struct {
	SignInURL  string `json:"signin_url"`
	ConsoleURL string `json:"console_url"`
	MetricsURL string `json:"metrics_url"`
	AgentURL   string `json:"agent_url"`
	IdPURL     string `json:"idp_url"`
	LDAPURL    string `json:"ldap_url"`
	DataDir    string `json:"data_dir"`
	Token      string `json:"token"`
	Users      []User `json:"users"`
}

// program is a lab's process.
type program struct {
	path string
	home string // its folder
	log  string // file with its output
	cmd  *exec.Cmd
	done chan struct{}
	err  error // how it ended; read after done
}

// run starts a lab below home and waits for its ready file.
func run(o options, home string) (*program, ready, error) {
	p := &program{path: o.binary, home: home, log: filepath.Join(home, "lab.log"), done: make(chan struct{})}
	file := filepath.Join(home, "ready.json")
	args := append([]string{"up", "--ephemeral", "--port", "0", "--quiet", "--ready-file", file}, o.args...)
	if err := p.start(args); err != nil {
		return nil, ready{}, err
	}
	r, err := p.wait(file, o.ready)
	if err != nil {
		_ = p.stop() // the error before says more
		return nil, ready{}, err
	}
	return p, r, nil
}

func (p *program) start(args []string) error {
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("fourwaystest: log of the lab: %w", err)
	}
	defer func() { _ = out.Close() }()    // the child has its own descriptor
	p.cmd = exec.Command(p.path, args...) //nolint:gosec // G204: the test names the program
	p.cmd.Dir, p.cmd.Env = p.home, environment("TMPDIR="+p.home)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	endWithUs(p.cmd)
	began := make(chan error)
	go func() {
		// On Linux the kernel ends the child when the thread that started it ends, so that thread stays.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		began <- err
		if err == nil {
			p.err = p.cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-began; err != nil {
		return fmt.Errorf("fourwaystest: start the lab: %w: %s or the option Binary names a fourways program", err, envBinary)
	}
	return nil
}

// wait waits for the ready file, which is there whole or not at all.
func (p *program) wait(file string, within time.Duration) (ready, error) {
	guard := time.After(within)
	for {
		raw, err := os.ReadFile(file) //nolint:gosec // this package chose its name
		if err == nil {
			var r ready
			if err := json.Unmarshal(raw, &r); err != nil {
				return ready{}, fmt.Errorf("fourwaystest: the lab's ready file is none: %w", err)
			}
			return r, nil
		}
		select {
		case <-p.done:
			return ready{}, fmt.Errorf("fourwaystest: the lab ended before it was ready: %s%s", ending(p.err), p.lastWords())
		case <-guard:
			return ready{}, fmt.Errorf("fourwaystest: the lab was not ready within %s: on a slow machine, give it longer with ReadyWithin%s", within, p.lastWords())
		case <-time.After(lookAgain):
		}
	}
}

// stop ends the lab and waits for its end. The error tells of one that did not end well.
func (p *program) stop() error {
	select {
	case <-p.done: // its process id may be another's by now
		return fmt.Errorf("fourwaystest: the lab ended before it was asked to: %s%s", ending(p.err), p.lastWords())
	default:
		if p.cmd.Process.Signal(os.Interrupt) != nil {
			_ = p.cmd.Process.Kill() // there is no such signal on Windows
		}
	}
	select {
	case <-p.done:
	case <-time.After(grace):
		_ = p.cmd.Process.Kill()
		<-p.done
		return fmt.Errorf("fourwaystest: the lab still ran %s after an interrupt, and was killed%s", grace, p.lastWords())
	}
	if p.err != nil && runtime.GOOS != "windows" {
		return fmt.Errorf("fourwaystest: the lab ended badly: %w%s", p.err, p.lastWords())
	}
	return nil
}

// signIn runs `fourways signin`. The password goes by the environment: a command line is for everybody to see.
func (p *program) signIn(ctx context.Context, l *Lab, upn, password string, out any) error {
	cmd := exec.CommandContext(ctx, p.path, "signin", "-o", "json", "--password-env", envPassword, "--", upn) //nolint:gosec // G204: as above
	cmd.Dir = p.home
	cmd.Env = environment("FOURWAYS_SERVER="+l.ConsoleURL, "FOURWAYS_TOKEN="+l.Token, "FOURWAYS_SIGNIN_URL="+l.SignInURL, envPassword+"="+password)
	var said, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complaint
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err
	}
	if said.Len() == 0 { // a refusal has a result and an exit code
		return fmt.Errorf("%s\n%s", ending(err), bytes.TrimSpace(complaint.Bytes()))
	}
	return json.Unmarshal(said.Bytes(), out)
}

// environment is the caller's without what would steer fourways: the lab of a test is steered by the test.
func environment(more ...string) []string {
	var all []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "FOURWAYS_") {
			all = append(all, v)
		}
	}
	return append(all, more...)
}

// lastWords is the end of the lab's log.
func (p *program) lastWords() string {
	text, err := os.ReadFile(p.log)
	if err != nil || len(text) == 0 {
		return ""
	}
	return "; its last words:\n" + string(text[max(0, len(text)-lastBytes):])
}

func ending(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}
