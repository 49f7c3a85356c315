package main

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/fourways-id/fourways/internal/client"
)

// app is what every command works with: the streams, the environment, and the flags that all commands share.
type app struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) string
	flags    flags
}

// flags are those of the root command. An empty one was not given.
type flags struct {
	server, token string
	dir           string
	output        string
}

// The variables that stand in for flags. They have one underscore only, so none is a key of the configuration.
const (
	envServer = "FOURWAYS_SERVER"
	envToken  = "FOURWAYS_TOKEN"
	envDir    = "FOURWAYS_DIR"
	envSignIn = "FOURWAYS_SIGNIN_URL"
)

// run executes one command line and returns the exit code. An error that comes before the command itself began is the
// fault of the command line.
func (a *app) run(ctx context.Context, args ...string) int {
	began := false
	root := newRoot(a)
	each(root, func(c *cobra.Command) {
		if do := c.RunE; do != nil {
			c.RunE = func(c *cobra.Command, args []string) error {
				began = true
				return do(c, args)
			}
		}
	})
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	if !began {
		err = usage(cmd, err)
	}
	f := asFailure(ctx, err)
	f.print(a.err)
	return f.code
}

// each visits a command and all below it.
func each(c *cobra.Command, do func(*cobra.Command)) {
	do(c)
	for _, sub := range c.Commands() {
		each(sub, do)
	}
}

// dir is the lab's data folder: --dir, FOURWAYS_DIR, or .fourways in the current folder.
func (a *app) dir() string { return a.first(a.flags.dir, envDir, ".fourways") }

// first is the flag if it was given, else the variable, else the last word.
func (a *app) first(flag, variable, last string) string {
	if flag != "" {
		return flag
	}
	if v := a.env(variable); v != "" {
		return v
	}
	return last
}

// server is the console that flag or environment name; "" when neither does.
func (a *app) server() string { return strings.TrimSuffix(a.first(a.flags.server, envServer, ""), "/") }

// console makes a client of the console that flags, environment or the lab's state name, in this order.
func (a *app) console() (*client.Console, error) {
	server, token := a.server(), a.first(a.flags.token, envToken, "")
	if server == "" || token == "" {
		s, err := readState(a.dir())
		switch {
		case err == nil && (server == "" || server == s.ConsoleURL):
			server = s.ConsoleURL
			if token == "" {
				token = s.Token
			}
		case err != nil && !errors.Is(err, os.ErrNotExist):
			return nil, err
		}
	}
	switch {
	case server != "" && !strings.Contains(server, "://"):
		return nil, failure{exitUsage, "the console's address is wrong", server + " has no scheme", "give --server http://" + server + ", or set " + envServer}
	case server == "":
		return nil, failure{
			code: exitUnreachable, what: "no gateway is named",
			why: "there is no --server, no " + envServer + ", and no lab's state at " + filepath.Join(a.dir(), stateFile),
			do:  "start the lab with `fourways up`, or name a console: --server http://127.0.0.1:8401",
		}
	case token == "":
		return nil, failure{
			code: exitUsage, what: "no token is given for " + server,
			why: "the console answers nobody without one",
			do:  "set " + envToken + " (`fourways admin token create -c fourways.toml` makes a token on the gateway's machine)",
		}
	}
	if u, err := url.Parse(server); err == nil && inClear(u) {
		return nil, failure{exitGuard, "no token is sent there", server + " is plain http to another machine: everybody on the way could read the token", "reach the console through `ssh -L 8401:127.0.0.1:8401`, or a proxy that speaks TLS"}
	}
	c, err := client.New(server, token)
	if err != nil {
		return nil, failure{code: exitUsage, what: "the console's address is wrong", why: err.Error(), do: "give --server http://127.0.0.1:8401, or set " + envServer}
	}
	return c, nil
}

// width is how many characters go on a line: COLUMNS, else what the terminal says; 0, which is no limit, when output does
// not go to one.
func (a *app) width() int {
	if n, err := strconv.Atoi(a.env("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := a.out.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil {
			return n
		}
	}
	return 0
}

// plain reports that output should be ASCII: it does not go to a terminal, or the person asked for it.
func (a *app) plain() bool {
	f, ok := a.out.(*os.File)
	return !ok || !term.IsTerminal(int(f.Fd())) || a.env("NO_COLOR") != ""
}
