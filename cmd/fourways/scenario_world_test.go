package main

import (
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// otherKey is the second lab of a script.
type otherKey struct{}

// otherStart is `other-start [flags of up...]`: a second lab beside the first, whose data folder is $OTHER. Commands are
// sent there with --dir $OTHER.
func otherStart(ts *testscript.TestScript, neg bool, args []string) {
	lab := ts.Value(otherKey{}).(*runningLab)
	if neg || lab.cmd != nil {
		ts.Fatalf("usage: other-start [flags of up...], once")
	}
	s := lab.start(ts, "other.json", args)
	ts.Setenv("OTHER", s.DataDir)
	ts.Setenv("OTHER_SIGNIN", s.SignInURL)
	ts.Setenv("OTHER_CONSOLE", s.ConsoleURL)
	ts.Setenv("OTHER_TOKEN", s.Token)
}

// outside is an address of this machine that is not loopback; "" when it has none.
func outside() string {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() && !n.IP.IsLinkLocalUnicast() {
			return n.IP.String()
		}
	}
	return ""
}

// openAt is `open-at ADDRESS URL`: somebody listens at that address on the URL's port. With ! nobody does.
func openAt(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: [!] open-at ADDRESS URL")
	}
	u, err := url.Parse(args[1])
	ts.Check(err)
	conn, err := net.Dial("tcp", net.JoinHostPort(args[0], u.Port())) //nolint:noctx // it answers or refuses at once
	if err == nil {
		_ = conn.Close()
	}
	if (err == nil) == neg {
		ts.Fatalf("port %s at %s: %v", u.Port(), args[0], err)
	}
}

// labSays is `lab-says TEXT`: the lab printed it when it started. With ! it did not.
func labSays(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] lab-says TEXT")
	}
	if said := scriptsLab(ts).log.String(); strings.Contains(said, args[0]) == neg {
		ts.Fatalf("the lab said %q", said)
	}
}

// labKill is `lab-kill`: the lab ends as by a loss of power.
func labKill(ts *testscript.TestScript, neg bool, args []string) {
	lab := scriptsLab(ts)
	if neg || len(args) > 0 || lab.cmd == nil {
		ts.Fatalf("usage: lab-kill, after lab-start")
	}
	ts.Check(lab.cmd.Process.Kill())
	<-lab.ended
	lab.cmd = nil
}

// untilSaid is `until PATTERN command [args...]`: the command is run again and again until a line that it writes to stdout is
// of the pattern: what comes about by itself, such as a look at the premises that is due every second.
func untilSaid(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until PATTERN command [args...]")
	}
	wanted, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	guard := time.After(hangGuard)
	for {
		ts.Check(ts.Exec(args[1], args[2:]...))
		if wanted.MatchString(ts.ReadFile("stdout")) {
			return
		}
		select {
		case <-guard:
			ts.Fatalf("%q never says %q", args[1:], args[0])
		case <-time.After(100 * time.Millisecond): // look again
		}
	}
}

// signinsDuring is `signins-during N command [args...]`: as long as the command is run N times over, people sign in. Each
// must get an answer that is one: let in, refused, or not now.
func signinsDuring(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: signins-during N command [args...]")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	var over atomic.Bool
	var answered, letIn atomic.Int64
	var mu sync.Mutex
	var wrong []string
	var people sync.WaitGroup
	for _, domain := range []string{"cloud", "phs", "pta", "lab"} {
		people.Go(func() {
			body := `{"username":"alice@` + domain + `.example.test","password":"Spring-2025!"}`
			for !over.Load() {
				resp, err := http.Post(ts.Getenv("SIGNIN")+"/signin", "application/json", strings.NewReader(body)) //nolint:noctx // the lab ends with the script
				if err != nil {
					mu.Lock()
					wrong = append(wrong, err.Error())
					mu.Unlock()
					return
				}
				_ = resp.Body.Close()
				answered.Add(1)
				switch resp.StatusCode {
				case http.StatusOK:
					letIn.Add(1)
				case http.StatusUnauthorized, http.StatusServiceUnavailable, http.StatusTooManyRequests:
				default:
					mu.Lock()
					wrong = append(wrong, resp.Status)
					mu.Unlock()
				}
			}
		})
	}
	for range n {
		err = ts.Exec(args[1], args[2:]...)
		if err != nil {
			break
		}
	}
	over.Store(true)
	people.Wait()
	ts.Check(err)
	ts.Logf("%d answers, %d people let in", answered.Load(), letIn.Load())
	if len(wrong) > 0 || letIn.Load() == 0 {
		ts.Fatalf("%d people were let in; not answered: %v", letIn.Load(), wrong)
	}
}
