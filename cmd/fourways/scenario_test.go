package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes this test binary the program too: a script that runs fourways runs the code under test.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"fourways": func() { os.Exit(Main()) }})
}

// TestScenarios runs the stories of testdata/scenarios: command lines and what they say, in a real lab where lab-start
// stands.
func TestScenarios(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/scenarios",
		Setup: func(e *testscript.Env) error {
			e.Values[labKey{}] = &runningLab{}
			e.Values[otherKey{}] = &runningLab{}
			e.Setenv("ADDRESS", outside())
			e.Setenv(envDir, filepath.Join(e.WorkDir, "no-lab"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"lab-start": labStart, "lab-stop": labStop, "exits": exits,
			"lab-kill": labKill, "lab-says": labSays, "open-at": openAt, "other-start": otherStart, "signins-during": signinsDuring, "until": untilSaid, "visits": visits,
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// hangGuard bounds a wait for what must come: it fails a test that hangs and times nothing.
const hangGuard = 60 * time.Second

// runningLab is the lab of one script; nil cmd: none runs.
type runningLab struct {
	cmd   *exec.Cmd
	log   bytes.Buffer
	ended chan struct{} // closed once err is set
	err   error
}

type labKey struct{}

func scriptsLab(ts *testscript.TestScript) *runningLab { return ts.Value(labKey{}).(*runningLab) }

// labStart is `lab-start [flags of up...]`: it starts a lab and waits until it is ready. The script's commands then find
// it, and $SIGNIN, $CONSOLE, $METRICS, $IDP, $LDAP and $DATA are its addresses and its data folder. It is stopped at the
// end of the script.
func labStart(ts *testscript.TestScript, neg bool, args []string) {
	lab := scriptsLab(ts)
	if neg || lab.cmd != nil {
		ts.Fatalf("usage: lab-start [flags of up...], once until lab-stop")
	}
	s := lab.start(ts, "ready.json", args)
	for key, value := range map[string]string{
		envServer: s.ConsoleURL, envToken: s.Token, envDir: s.DataDir, "DATA": s.DataDir,
		"SIGNIN": s.SignInURL, "CONSOLE": s.ConsoleURL, "METRICS": s.MetricsURL, "IDP": s.IdPURL, "LDAP": s.LDAPURL,
	} {
		ts.Setenv(key, value)
	}
}

// start starts a lab and waits until it is ready.
func (lab *runningLab) start(ts *testscript.TestScript, readyFile string, args []string) state {
	ready := ts.MkAbs(filepath.Join(ts.Getenv("WORK"), readyFile))
	_ = os.Remove(ready) // an earlier lab's
	path, err := exec.LookPath("fourways")
	ts.Check(err)
	lab.cmd = exec.Command(path, append([]string{"up", "--ephemeral", "--port", "0", "--quiet", "--ready-file", ready}, args...)...)
	lab.cmd.Dir = ts.Getenv("WORK")
	lab.log.Reset()
	lab.cmd.Stdout, lab.cmd.Stderr = &lab.log, &lab.log
	lab.ended = make(chan struct{})
	ts.Check(lab.cmd.Start())
	go func(cmd *exec.Cmd, ended chan struct{}) {
		lab.err = cmd.Wait()
		close(ended)
	}(lab.cmd, lab.ended)
	ts.Defer(func() { lab.stop(ts) })
	return lab.wait(ts, ready)
}

// wait waits for the ready file, which is there whole or not at all.
func (l *runningLab) wait(ts *testscript.TestScript, ready string) state {
	guard := time.After(hangGuard)
	for {
		if raw, err := os.ReadFile(ready); err == nil {
			s, err := decodeState(bytes.NewReader(raw))
			ts.Check(err)
			return s
		}
		select {
		case <-l.ended:
			ts.Fatalf("the lab ended before it was ready: %v\n%s", l.err, l.log.String())
		case <-guard:
			ts.Fatalf("the lab is not ready after %s", hangGuard)
		case <-time.After(10 * time.Millisecond): // look again
		}
	}
}

// labStop is `lab-stop`: SIGINT, which must end the lab with exit code 0.
func labStop(ts *testscript.TestScript, neg bool, args []string) {
	lab := scriptsLab(ts)
	if neg || len(args) > 0 || lab.cmd == nil {
		ts.Fatalf("usage: lab-stop, after lab-start")
	}
	lab.stop(ts)
}

func (l *runningLab) stop(ts *testscript.TestScript) {
	if l.cmd == nil {
		return
	}
	cmd := l.cmd
	l.cmd = nil
	_ = cmd.Process.Signal(os.Interrupt) // it may have ended already: then its exit code tells
	select {
	case <-l.ended:
	case <-time.After(hangGuard):
		_ = cmd.Process.Kill()
		ts.Fatalf("the lab still runs %s after SIGINT", hangGuard)
	}
	if l.err != nil {
		ts.Fatalf("the lab ended with %v after SIGINT\n%s", l.err, l.log.String())
	}
}

// exits is `exits CODE command [args...]`: exec, when the exit code matters.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE command [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%q ended with exit code %d, want %d", args[1:], got, want)
	}
}
