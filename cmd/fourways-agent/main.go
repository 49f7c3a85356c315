// Command fourways-agent is the small program on the premises: it enrols once, then dials out to the gateway, tries the
// passwords that it is asked to try at the directory, and reads the directory when it is asked to synchronise.
//
// In come agent.toml, a one-time token and flags; out come a key file in the agent's data folder, a log on stderr, and the
// exit code. It opens no listening port.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/config"
)

// Exit codes, the same as those of fourways.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitConfig      = 3
	exitUnreachable = 4
	exitDenied      = 7
	exitInterrupted = 130
)

// exitError ends the program with a code of its own.
type exitError struct {
	error
	code int
}

func (e *exitError) Unwrap() error { return e.error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(execute(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

func execute(ctx context.Context, args []string, s streams) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	_, _ = fmt.Fprintln(s.err, "fourways-agent:", told(err))
	var exit *exitError
	var bad *config.Errors
	switch {
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &bad):
		return exitConfig
	case ctx.Err() != nil:
		return exitInterrupted
	}
	return exitFailed
}

// told is an error as a terminal may show it: it may quote a directory. Several complaints have a line each.
func told(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

func newRoot() *cobra.Command {
	var file string
	root := &cobra.Command{
		Args: usage(cobra.NoArgs),
		Use:  "fourways-agent", Short: "The on-premises agent of fourways",
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().StringVarP(&file, "config", "c", "agent.toml", "configuration `file`")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exitError{err, exitUsage} })
	load := func() (*config.Agent, error) {
		c, err := config.LoadAgent(file)
		if err != nil {
			return nil, err
		}
		return c, nil
	}
	root.AddCommand(newEnrol(load), newRun(load), newCheck(load), newTest(load), newSync(load), newVersion())
	return root
}

// usage makes wrong arguments a usage error.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return &exitError{fmt.Errorf("%w; see `%s --help`", err, cmd.CommandPath()), exitUsage}
		}
		return nil
	}
}

// loader reads the configuration that the flags name.
type loader func() (*config.Agent, error)
