package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/fourways-id/fourways/authn"
)

// passwordFlags are the ways in which a command learns a password, beside asking for it. No flag takes the password itself:
// it would stand in the list of processes and in the shell's history.
type passwordFlags struct {
	stdin bool
	env   string
}

func (p *passwordFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&p.stdin, "password-stdin", false, "read the password from standard input")
	cmd.Flags().StringVar(&p.env, "password-env", "", "read the password from the environment `variable` of that name")
	cmd.MarkFlagsMutuallyExclusive("password-stdin", "password-env")
}

func (p *passwordFlags) given() bool { return p.stdin || p.env != "" }

// longestPassword bounds what is read as one, in bytes.
const longestPassword = 64 << 10

// password reads the password that the flags point at, or asks for it, twice when it is a new one.
func (a *app) password(cmd *cobra.Command, p passwordFlags, question string, isNew bool) (authn.Secret, error) {
	switch {
	case p.stdin:
		return a.passwordFromStdin(cmd)
	case p.env != "":
		v := a.env(p.env)
		if v == "" {
			return authn.Secret{}, misuse(cmd, "the variable %s of --password-env is not set, or empty", p.env)
		}
		return authn.NewSecret([]byte(v)), nil
	}
	pw, err := a.ask(cmd, question+": ")
	if err != nil || !isNew {
		return pw, err
	}
	again, err := a.ask(cmd, "Again: ")
	if err != nil {
		return authn.Secret{}, err
	}
	defer again.Wipe()
	if !bytes.Equal(pw.Reveal(), again.Reveal()) {
		return authn.Secret{}, misuse(cmd, "the two passwords differ: nothing was changed")
	}
	return pw, nil
}

func (a *app) passwordFromStdin(cmd *cobra.Command) (authn.Secret, error) {
	raw, err := io.ReadAll(io.LimitReader(a.in, longestPassword+1))
	if err != nil {
		return authn.Secret{}, fmt.Errorf("read the password: %w", err)
	}
	raw = bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r"))
	if len(raw) == 0 || len(raw) > longestPassword {
		return authn.Secret{}, misuse(cmd, "standard input holds no password, or more than 64 KiB")
	}
	return authn.NewSecret(raw), nil
}

// ask asks at the terminal, without echo. A signal ends it and turns the echo on again.
func (a *app) ask(cmd *cobra.Command, prompt string) (authn.Secret, error) {
	f, ok := a.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return authn.Secret{}, misuse(cmd, "there is no terminal to ask for the password: use --password-stdin or --password-env VARIABLE")
	}
	before, err := term.GetState(int(f.Fd()))
	if err != nil {
		return authn.Secret{}, fmt.Errorf("ask for the password: %w", err)
	}
	_, _ = fmt.Fprint(a.err, prompt) // a prompt that nobody sees is still answered
	return waitFor(cmd.Context(), func() ([]byte, error) { return term.ReadPassword(int(f.Fd())) }, func() {
		_ = term.Restore(int(f.Fd()), before) // the program ends next
		_, _ = fmt.Fprintln(a.err)
	})
}

func waitFor(ctx context.Context, read func() ([]byte, error), restore func()) (authn.Secret, error) {
	type answer struct {
		raw []byte
		err error
	}
	got := make(chan answer, 1)
	go func() {
		raw, err := read()
		got <- answer{raw, err}
	}()
	defer restore()
	select {
	case <-ctx.Done():
		return authn.Secret{}, ctx.Err()
	case r := <-got:
		if r.err != nil {
			return authn.Secret{}, fmt.Errorf("ask for the password: %w", r.err)
		}
		return authn.NewSecret(r.raw), nil
	}
}
