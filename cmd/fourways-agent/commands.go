package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/onprem"
)

// Bounds of a command that talks to somebody.
const (
	enrolWithin  = 30 * time.Second
	testWithin   = 15 * time.Second
	longestInput = 4096
)

func newEnrol(load loader) *cobra.Command {
	var gateway, env string
	var stdin bool
	cmd := &cobra.Command{
		Use: "enrol", Short: "Enrol this agent at the gateway with a one-time token (fourways agent invite)", Args: usage(cobra.NoArgs),
		Example: "  fourways-agent enrol -c agent.toml\n  echo $TOKEN | fourways-agent enrol -c agent.toml --token-stdin",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load()
			if err != nil {
				return err
			}
			token, err := takeSecret(cmd, stdin, env, "token")
			if err != nil {
				return err
			}
			if gateway == "" {
				gateway = c.Agent.GatewayURL
			}
			if _, err := os.Stat(identityPath(c)); err == nil { // before the token is used up
				return fmt.Errorf("%s exists: this agent is enrolled already; remove the file first if it should enrol anew", identityPath(c))
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), enrolWithin)
			defer cancel()
			id, err := agentlink.EnrolOverHTTP(ctx, nil, gateway, c.Agent.Name, version(), token)
			if err != nil {
				return enrolFailed(err)
			}
			if err := id.Save(identityPath(c)); err != nil {
				return err
			}
			cmd.Printf("Enrolled as %s (%s) with the roles %s.\nKeys: %s\nNext: fourways-agent check, then fourways-agent run\n",
				id.Name, id.AgentID, strings.Join(id.Roles, ", "), identityPath(c))
			return nil
		},
	}
	cmd.Flags().StringVar(&gateway, "gateway", "", "public `URL` of the gateway (default: agent.gateway_url)")
	cmd.Flags().BoolVar(&stdin, "token-stdin", false, "read the token from standard input")
	cmd.Flags().StringVar(&env, "token-env", "", "read the token from this environment `variable`")
	cmd.MarkFlagsMutuallyExclusive("token-stdin", "token-env")
	return cmd
}

func enrolFailed(err error) error {
	if errors.Is(err, agentlink.ErrToken) {
		return &exitError{err, exitDenied}
	}
	return &exitError{fmt.Errorf("enrol: %w", err), exitUnreachable}
}

func newRun(load loader) *cobra.Command {
	return &cobra.Command{
		Use: "run", Short: "Serve until interrupted", Args: usage(cobra.NoArgs), Example: "  fourways-agent run -c agent.toml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load()
			if err != nil {
				return err
			}
			id, err := agentlink.LoadIdentity(identityPath(c))
			if err != nil {
				return err
			}
			d, err := openDirectory(c)
			if err != nil {
				return err
			}
			defer d.Close()
			o := agent.Options{Identity: id, Clock: realClock{}, Version: version(), Log: slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))}
			if c.HasRole(agentlink.RolePTA) {
				o.Directory = d
				if o.Decoy, err = openDecoy(c); err != nil {
					return err
				}
			}
			if c.HasRole(agentlink.RoleSync) {
				so := sourceOptions(c)
				so.Log = o.Log
				o.Source = agent.NewSource(d, so)
			}
			return agent.Run(cmd.Context(), o)
		},
	}
}

func newTest(load loader) *cobra.Command {
	var stdin bool
	var env string
	cmd := &cobra.Command{
		Use: "test USER", Short: "Try a password at the directory, as a sign-in would", Args: usage(oneUser),
		Example: "  fourways-agent test alice@corp.example -c agent.toml",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := load()
			if err != nil {
				return err
			}
			d, err := openDirectory(c)
			if err != nil {
				return err
			}
			defer d.Close()
			password, err := takeSecret(cmd, stdin, env, "password")
			if err != nil {
				return err
			}
			defer password.Wipe()
			ctx, cancel := context.WithTimeout(cmd.Context(), testWithin)
			defer cancel()
			return report(cmd, d.Bind(ctx, args[0], password))
		},
	}
	cmd.Flags().BoolVar(&stdin, "password-stdin", false, "read the password from standard input")
	cmd.Flags().StringVar(&env, "password-env", "", "read the password from this environment `variable`")
	cmd.MarkFlagsMutuallyExclusive("password-stdin", "password-env")
	return cmd
}

func oneUser(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("one USER is wanted, %d are given", len(args))
	}
	return nil
}

// report prints a verdict; anything but a yes is an error with its exit code.
func report(cmd *cobra.Command, v onprem.Verdict) error {
	if v.Reason == authn.None {
		cmd.Printf("allowed by %s\n", v.Server)
		return nil
	}
	cmd.Printf("%s (%d), LDAP code %d", v.Reason, v.Reason.Code(), v.Code)
	if v.Data != "" {
		cmd.Printf(", data %s", v.Data)
	}
	cmd.Printf(", server %s\n", v.Server)
	if v.Reason.Verdict() == authn.Unavailable {
		return &exitError{fmt.Errorf("the directory could not be asked: %w", v.Cause), exitUnreachable}
	}
	return &exitError{fmt.Errorf("the directory said no: %w", v.Cause), exitDenied}
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: usage(cobra.NoArgs), Example: "  fourways-agent version",
		Run: func(cmd *cobra.Command, _ []string) { cmd.Println("fourways-agent", version()) },
	}
}

// takeSecret takes a token or password from standard input, an environment variable, or a prompt that doesn't echo.
func takeSecret(cmd *cobra.Command, stdin bool, env, what string) (authn.Secret, error) {
	var b []byte
	switch {
	case stdin:
		read, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), longestInput))
		if err != nil {
			return authn.Secret{}, fmt.Errorf("read the %s: %w", what, err)
		}
		b = []byte(strings.TrimRight(string(read), "\r\n"))
	case env != "":
		b = []byte(os.Getenv(env))
	case term.IsTerminal(int(os.Stdin.Fd())):
		cmd.PrintErrf("%s: ", what)
		read, err := term.ReadPassword(int(os.Stdin.Fd()))
		cmd.PrintErrln()
		if err != nil {
			return authn.Secret{}, fmt.Errorf("read the %s: %w", what, err)
		}
		b = read
	default:
		return authn.Secret{}, &exitError{fmt.Errorf("no %s is given: use --%s-stdin or --%s-env", what, what, what), exitUsage}
	}
	if len(b) == 0 {
		return authn.Secret{}, &exitError{fmt.Errorf("the %s is empty", what), exitUsage}
	}
	return authn.NewSecret(b), nil
}
