package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/client"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// The exit codes: contract.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitConfig      = 3
	exitUnreachable = 4
	exitGuard       = 5
	exitUnexpected  = 6
	exitDenied      = 7
	exitNotFound    = 8
	exitConflict    = 9
	exitInterrupted = 130
)

// failure is an error as a person reads it: what happened, why, and what to do; and the exit code.
type failure struct {
	code          int
	what, why, do string
}

func (f failure) Error() string { return f.what + ": " + f.why }

// print writes the three lines. What has nothing to say is left out.
func (f failure) print(w io.Writer) {
	_, _ = fmt.Fprintf(w, "fourways: %s\n", printable(f.what)) // nothing is left to tell of a broken stderr
	for _, line := range []struct{ label, text string }{{"why", f.why}, {"do", f.do}} {
		if line.text != "" {
			text := make([]string, 0, 1)
			for part := range strings.Lines(line.text) {
				text = append(text, printable(strings.TrimRight(part, "\n")))
			}
			_, _ = fmt.Fprintf(w, "%-4s %s\n", line.label+":", strings.Join(text, "\n     "))
		}
	}
}

// usage makes a command line's fault of err.
func usage(cmd *cobra.Command, err error) error {
	var f failure
	if errors.As(err, &f) {
		return err
	}
	why, hints, _ := strings.Cut(err.Error(), "\n\nDid you mean this?")
	do := fmt.Sprintf("see `%s --help`", cmd.CommandPath())
	if hint := strings.Fields(hints); len(hint) > 0 {
		do = fmt.Sprintf("did you mean `%s %s`? Else %s", cmd.CommandPath(), hint[0], do)
	}
	return failure{code: exitUsage, what: "this command line can't be carried out", why: why, do: do}
}

// misuse is usage for a command's own checks.
func misuse(cmd *cobra.Command, format string, args ...any) error {
	return usage(cmd, fmt.Errorf(format, args...))
}

// asFailure is the one place where an error gets its exit code.
func asFailure(ctx context.Context, err error) failure {
	var f failure
	var problem api.Problem
	var bad *config.Errors
	switch {
	case ctx.Err() != nil:
		return failure{exitInterrupted, "interrupted", "a signal asked this command to stop", "run it again; what was done before stays done"}
	case errors.As(err, &f):
		return f
	case errors.As(err, &bad):
		return failure{exitConfig, "the configuration is not valid", bad.Error(), "correct the file, then run `fourways config check`"}
	case errors.Is(err, client.ErrUnreachable):
		return failure{exitUnreachable, "the gateway can't be reached", err.Error(), "start it (`fourways up` starts the lab, `fourways serve` a gateway), or name its console with --server or " + envServer}
	case errors.As(err, &problem):
		return ofProblem(problem, once(err))
	case errors.Is(err, directory.ErrNotFound):
		return failure{exitNotFound, "there is no such thing", once(err), "check the name; the list commands show what there is"}
	case errors.Is(err, directory.ErrConflict):
		return failure{exitConflict, "it exists already", once(err), "choose another name, or change what is there"}
	}
	return failure{code: exitFailed, what: "the command failed", why: err.Error(), do: "read the line above; the gateway's own log may say more"}
}

// once leaves out what the line before says already.
func once(err error) string {
	why := strings.TrimSuffix(err.Error(), ": "+directory.ErrNotFound.Error())
	return strings.TrimSuffix(why, ": "+directory.ErrConflict.Error())
}

// ofProblem is a console's refusal; why is the whole error around it.
func ofProblem(p api.Problem, why string) failure {
	f := failure{code: exitFailed, what: "the gateway refused", why: why}
	switch {
	case p.Type == console.GuardType:
		f.code, f.what, f.do = exitGuard, "a guard refused, and nothing was changed", "make sure that this is wanted; `fourways help exit-codes` says what a guard is"
	case p.Type == console.MasteredType:
		f.code, f.what, f.do = exitGuard, "it is mastered elsewhere, and nothing was changed here", "change it where the line above says"
	case p.Type == console.ChangedType:
		f.code, f.what, f.do = exitConflict, "somebody else changed it meanwhile", "look at it again, then change it again"
	case p.Status == http.StatusNotFound:
		f.code, f.what, f.do = exitNotFound, "there is no such thing", "check the name; the list commands show what there is"
	case p.Status == http.StatusConflict:
		f.code, f.what, f.do = exitConflict, "it exists already, or something else is in the way", "choose another name, or change what the line above says"
	case p.Status == http.StatusUnauthorized:
		f.what, f.do = "the gateway does not know this token", "give another with --token or "+envToken+"; `fourways admin token create -c FILE` makes one"
	case p.Status == http.StatusForbidden:
		f.what, f.do = "the token may not do this", "use a token with the role that is named above"
	case p.Status == http.StatusBadRequest:
		f.what, f.do = "the gateway does not accept this", "correct what is named above"
	default:
		f.what, f.do = "the gateway failed", "try again; the gateway's own log says more"
	}
	return f
}

// printable keeps control characters of names that others chose out of a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}
