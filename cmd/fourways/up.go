package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/lab/world"
)

// upFlags are those of `up`.
type upFlags struct {
	ephemeral bool
	port      int
	readyFile string
	world     world.Spec
	host      string
	open      bool
	quiet     bool
}

const upLong = `The whole lab in one process: the gateway, a simulated domain controller with its agent, another company's identity
provider, a demo application and the people of the demo world. All of it listens on loopback only, and all of its
passwords are public.

--users N adds a crowd: user000001@cloud.example.test, user000002@phs.example.test and so on, dealt to the domains in the order
cloud, phs, pta, saml, oidc, lab. They share a password and, of each kind, one hash, so that a hundred thousand are there in
seconds; what such hashes say of time and guessing is not honest, and --unique-hashes makes one for each.

--expose opens the sign-in page and the identity provider to other machines, over plain http and for a class in one room: the
passwords are then random ones, and console, metrics, agent link and directory stay on this machine.

The lab's state is kept in the data folder, so that a second start finds the same world; --ephemeral throws it away.
Its whole configuration stands in fourways.toml there: edit it, then ` + "`fourways config reload`" + `.`

func newUp(a *app) *cobra.Command {
	var f upFlags
	cmd := &cobra.Command{
		Use: "up", Short: "Start the whole lab on this machine", Long: upLong, Args: exactly(),
		Example: "  fourways up\n  fourways up --ephemeral --port 0 --ready-file ready.json --quiet",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.port < 0 || f.port > 65535-5 {
				return misuse(cmd, "--port %d is out of range: N to N+5 are taken, so give 1 to %d, or 0 for free ones", f.port, 65535-5)
			}
			if !cmd.Flags().Changed("seed") {
				f.world.Seed = 0 // the folder's
			} else if f.world.Seed < 1 {
				return misuse(cmd, "--seed %d is none: give a number from 1 on", f.world.Seed)
			}
			switch {
			case f.world.Crowd < 0 || f.world.Crowd > world.MostCrowd:
				return misuse(cmd, "--users %d is out of range: give 0 to %d", f.world.Crowd, world.MostCrowd)
			case f.world.UniqueHashes && f.world.Crowd == 0:
				return misuse(cmd, "--unique-hashes goes with --users N")
			case f.host != "" && !f.world.Exposed:
				return misuse(cmd, "--host %s would open the lab, whose passwords are public, to other machines: add --expose, which makes random ones", printable(f.host))
			}
			return a.up(cmd.Context(), f)
		},
	}
	p := cmd.Flags()
	p.BoolVar(&f.ephemeral, "ephemeral", false, "keep nothing: the data folder is a temporary one")
	p.IntVar(&f.port, "port", 8400, "take `N` to N+5 for public, console, metrics, agent link, identity provider and directory; 0: free ones")
	p.StringVar(&f.readyFile, "ready-file", "", "write where everything is into this `file`, once it is ready")
	p.IntVar(&f.world.Seed, "seed", 1, "the same seed makes the same people with the same ids and anchors")
	p.IntVar(&f.world.Crowd, "users", 0, "add a crowd of `N` people beside the cast, who share a password and its hashes")
	p.BoolVar(&f.world.UniqueHashes, "unique-hashes", false, "make a hash for each of the crowd, for honest measurements; takes long")
	p.BoolVar(&f.world.Exposed, "expose", false, "let other machines reach the sign-in page and the identity provider; makes random passwords")
	p.StringVar(&f.host, "host", "", "with --expose: the `name` or address by which others reach this machine (default: its host name)")
	p.BoolVar(&f.open, "open", false, "open the sign-in page in a browser")
	p.BoolVar(&f.quiet, "quiet", false, "print one line of JSON instead of the table")
	return cmd
}

func (a *app) up(ctx context.Context, f upFlags) (err error) {
	began := time.Now()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	hangup := hangups()
	defer signal.Stop(hangup)
	dir, done, err := a.labFolder(f.ephemeral)
	if err != nil {
		return err
	}
	defer done()
	log, closeLog, err := labLog(dir, a.err)
	if err != nil {
		return err
	}
	defer closeLog()
	host, err := reachedBy(ctx, f)
	if err != nil {
		return err
	}
	s, err := openSocketsAs(ctx, f.port, host)
	if err != nil {
		return err
	}
	w, err := openWorld(ctx, dir, f.world, 1, s, log)
	if err != nil {
		return ended(ctx, otherWorld(err))
	}
	defer w.close()
	st, err := w.state(ctx)
	if err != nil {
		return ended(ctx, err)
	}
	if err := st.write(filepath.Join(dir, stateFile)); err != nil {
		return err
	}
	defer os.Remove(filepath.Join(dir, stateFile)) // nothing runs there any more
	if f.readyFile != "" {
		if err := st.write(f.readyFile); err != nil {
			return err
		}
	}
	if err := a.announce(ctx, w, st, f, time.Since(began)); err != nil {
		return err
	}
	if f.open {
		a.browse(ctx, st.SignInURL)
	}
	go w.watchAgent(ctx, log)
	untilStopped(ctx, w.gateway, hangup)
	return nil
}

// ended makes a stop that was asked for the good end that it is.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// labFolder makes the data folder, and refuses one in which another lab runs.
func (a *app) labFolder(ephemeral bool) (dir string, done func(), err error) {
	if ephemeral {
		dir, err = os.MkdirTemp("", "fourways-")
		return dir, func() { _ = os.RemoveAll(dir) }, err
	}
	if dir, err = filepath.Abs(a.dir()); err != nil {
		return "", nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, fmt.Errorf("make the lab's data folder: %w", err)
	}
	if st, err := readState(dir); err == nil && alive(st.PID) && answers(st.ConsoleURL) {
		return "", nil, failure{
			code: exitConflict, what: "a lab runs in " + dir + " already", why: fmt.Sprintf("its process %d is alive", st.PID),
			do: "use that one, stop it, or give this one a folder of its own: --dir FOLDER --port 0",
		}
	}
	return dir, func() {}, nil
}

func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	return err == nil && pid != os.Getpid() && p.Signal(syscall.Signal(0)) == nil
}

// answers reports that somebody listens at an address: a process id alone may have passed to another program since.
func answers(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	c, err := net.DialTimeout("tcp", u.Host, time.Second)
	if err != nil {
		return false
	}
	_ = c.Close() // nothing was said
	return true
}

// labLog writes everything into the data folder, and what is wrong to stderr as well.
func labLog(dir string, stderr io.Writer) (*slog.Logger, func(), error) {
	f, err := os.OpenFile(filepath.Join(dir, "fourways.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // G304: the operator names the folder
	if err != nil {
		return nil, nil, fmt.Errorf("open the lab's log: %w", err)
	}
	handler := slog.NewMultiHandler(slog.NewTextHandler(f, nil), slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	return slog.New(handler), func() { _ = f.Close() }, nil
}

// state says where everything is, and makes the token of the lab's own commands.
func (w *workshop) state(ctx context.Context) (state, error) {
	operator := w.gateway.Operator()
	token, err := operator.NewToken(ctx, api.NewToken{Name: "lab", Role: console.Admin})
	if err != nil {
		return state{}, fmt.Errorf("make the lab's token: %w", err)
	}
	st := state{
		SignInURL: w.sockets.publicURL(), ConsoleURL: "http://" + w.sockets.console.Addr().String(), MetricsURL: "http://" + w.sockets.telemetry.Addr().String() + "/metrics",
		AgentURL: operator.AgentURL(), IdPURL: w.lab.IdPURL(), LDAPURL: w.lab.Premises().URL(), DataDir: w.dir, Token: token.Secret, PID: os.Getpid(),
		Seed: w.lab.World().Seed, Crowd: w.crowd(),
	}
	for _, account := range w.lab.Accounts() {
		st.Users = append(st.Users, stateUser{UPN: account.UPN, Password: account.Password, Path: string(account.Path)})
	}
	return st, nil
}

// watchAgent tells of an agent that ended by itself.
func (w *workshop) watchAgent(ctx context.Context, log *slog.Logger) {
	select {
	case <-ctx.Done():
	case err := <-w.agent:
		if ctx.Err() == nil {
			log.Error("the lab's agent ended; the other paths go on", "error", err)
		}
	}
}
