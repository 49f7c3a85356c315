package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/client/browser"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/trace"
)

const signInLong = `Sign one person in at the public endpoint, as a browser would: a federated sign-in goes through the identity provider's
form. The verdict, the path and the correlation id are those of a real sign-in, which stands in the sign-in log.

In the lab the password of a demo person is known. Elsewhere it is asked for, or comes by --password-stdin or
--password-env.

--change-password changes a cloud password in the same step, as a person does who must change it (cloud_must_change,
cloud_password_expired), or wants to. The new one is asked for, or comes by --new-password-stdin or --new-password-env.

--expect success passes when the sign-in succeeds; --expect REASON (see "fourways help reasons") when it ends with exactly
that reason in the sign-in log. A person whom the identity provider does not let through counts as idp_abandoned: that is
what the log will say.`

const signInExample = `  fourways signin alice@phs.example.test
  fourways signin alice@pta.example.test --trace
  fourways signin carol@cloud.example.test --change-password
  echo wrong | fourways signin alice@cloud.example.test --password-stdin --expect bad_password`

type signInFlags struct {
	password passwordFlags
	change   bool
	fresh    passwordFlags
	door     string
	trace    bool
	expect   string
}

func newSignIn(a *app) *cobra.Command {
	var f signInFlags
	cmd := &cobra.Command{
		Use: "signin USER", Short: "Sign somebody in at the public endpoint", Long: signInLong, Example: signInExample,
		Args: exactly("USER"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.signIn(cmd, args[0], f) },
	}
	cmd.Flags().BoolVar(&f.trace, "trace", false, "show every step of it, from the gateway's own records")
	cmd.Flags().StringVar(&f.expect, "expect", "", "exit with 6 unless it ends like this: success, or a `reason`")
	cmd.Flags().StringVar(&f.door, "signin-url", "", "the sign-in endpoint's origin, as `URL` (else "+envSignIn+", else asked of the console)")
	f.password.add(cmd)
	cmd.Flags().BoolVar(&f.change, "change-password", false, "change the password in the same step; the new one is asked for")
	cmd.Flags().BoolVar(&f.fresh.stdin, "new-password-stdin", false, "change the password to what standard input holds")
	cmd.Flags().StringVar(&f.fresh.env, "new-password-env", "", "change the password to what the environment `variable` of that name holds")
	cmd.MarkFlagsMutuallyExclusive("new-password-stdin", "new-password-env")
	cmd.MarkFlagsMutuallyExclusive("new-password-stdin", "password-stdin") // it is read to its end
	return cmd
}

func (a *app) signIn(cmd *cobra.Command, user string, f signInFlags) error {
	if err := knownExpectation(cmd, f.expect); err != nil {
		return err
	}
	ctx := cmd.Context()
	p, err := a.place(ctx, f.door)
	if err != nil {
		return err
	}
	pw, err := a.passwordOf(cmd, p, user, f.password)
	if err != nil {
		return err
	}
	defer pw.Wipe()
	fresh, err := a.newPasswordOf(cmd, user, f)
	if err != nil {
		return err
	}
	defer fresh.Wipe()
	did, err := signInWith(ctx, browser.SignInOptions{Door: p.door, UPN: user, Password: pw, New: fresh})
	if err != nil {
		return err
	}
	var records []authn.Record
	if p.console != nil {
		t, err := p.console.Trace(ctx, did.CorrelationID)
		if err != nil && (f.trace || f.expect != "") {
			return fmt.Errorf("the sign-in was made, but its trace can't be read: %w", err)
		}
		records = t.Records
	}
	did.Reason = reasonOf(did, records)
	if err := a.printSignIn(did, records, f.trace); err != nil {
		return err
	}
	return judge(did, f.expect)
}

// passwordOf is what the flags point at, else a demo person's public password, else what somebody types.
func (a *app) passwordOf(cmd *cobra.Command, p place, upn string, f passwordFlags) (authn.Secret, error) {
	if !f.given() {
		if pw, ok := p.lab.password(authn.ParseIdentifier(upn).UPN()); ok {
			return authn.NewSecret([]byte(pw)), nil
		}
	}
	return a.password(cmd, f, "Password of "+printable(upn), false)
}

// newPasswordOf is the password that the person wants from now on; empty when it is not to be changed.
func (a *app) newPasswordOf(cmd *cobra.Command, upn string, f signInFlags) (authn.Secret, error) {
	if !f.change && !f.fresh.given() {
		return authn.Secret{}, nil
	}
	if f.fresh.env != "" && a.env(f.fresh.env) == "" {
		return authn.Secret{}, misuse(cmd, "the variable %s of --new-password-env is not set, or empty", f.fresh.env)
	}
	return a.password(cmd, f.fresh, "New password of "+printable(upn), true)
}

func knownExpectation(cmd *cobra.Command, expect string) error {
	if expect == "" || expect == success {
		return nil
	}
	if r, ok := authn.ParseReason(expect); !ok || r == authn.None {
		return misuse(cmd, "--expect %s is neither success nor a reason: `fourways help reasons` lists them", expect)
	}
	return nil
}

const success = "success"

// reasonOf is the precise reason, of the record that closed the sign-in; "" when it is not known here.
func reasonOf(did attempt, records []authn.Record) string {
	for _, r := range records {
		if r.Final {
			return r.Reason.String()
		}
	}
	switch {
	case did.Verdict == authn.Allowed:
		return authn.None.String()
	case did.MustChange(): // the attempt is still open
		return did.Public.Name
	case did.Verdict == authn.Challenged && did.Path == authn.PathFederated:
		return authn.IdPAbandoned.String()
	}
	return ""
}

func (a *app) printSignIn(did attempt, records []authn.Record, withTrace bool) error {
	type traced struct {
		attempt
		Trace *api.Trace `json:"trace,omitempty"`
	}
	item := traced{attempt: did}
	if withTrace && len(records) > 0 {
		item.Trace = &api.Trace{ID: did.CorrelationID, Records: records}
	}
	cols := columns[traced]{
		names: []string{"user", "verdict", "path", "account", "correlation_id", "milliseconds", "reason"},
		cells: func(t traced) []string {
			return []string{t.User, t.Verdict.String(), string(t.Path), t.Account, string(t.CorrelationID), strconv.FormatInt(t.Milliseconds, 10), t.Reason}
		},
	}
	return show(a, item, cols, func(w io.Writer) error {
		if _, err := io.WriteString(w, signInText(did)); err != nil || item.Trace == nil {
			return err
		}
		_, _ = fmt.Fprintln(w) // the next write tells of a broken pipe
		return a.writeTrace(w, records)
	})
}

// signInText is the sign-in in a few lines.
func signInText(t attempt) string {
	var b strings.Builder
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-15s %s\n", key, printable(value))
		}
	}
	line("verdict", t.Verdict.String())
	line("path", string(t.Path))
	if t.Account != "" {
		line("account", fmt.Sprintf("%s (%s)", t.Account, t.Name))
	}
	switch {
	case t.Public == nil:
	case t.Public.Code == 0: // of a challenge, which is no error
		line("told", t.Public.Message)
	default:
		line("told", fmt.Sprintf("%s (%d)", t.Public.Message, t.Public.Code))
	}
	if t.Verdict != authn.Allowed {
		line("reason", t.Reason)
	}
	line("note", t.Note)
	line("correlation id", string(t.CorrelationID))
	line("took", fmt.Sprintf("%d ms", t.Milliseconds))
	return b.String()
}

// judge turns how it ended into the exit code.
func judge(did attempt, expect string) error {
	got := did.Reason
	if did.Verdict == authn.Allowed {
		got = success
	}
	switch {
	case expect != "" && got == "":
		return failure{exitFailed, "what was expected can't be judged", "the precise reason stands in the sign-in log, and no console is named", "give --server and --token"}
	case expect != "" && got != expect:
		return failure{exitUnexpected, "the sign-in did not end as expected", fmt.Sprintf("expected %s, got %s", expect, got), "fourways trace show " + string(did.CorrelationID)}
	case expect != "" || did.Verdict == authn.Allowed:
		return nil
	case did.Verdict == authn.Unavailable:
		return failure{exitFailed, "nobody could check the sign-in", told(did), "fourways trace show " + string(did.CorrelationID)}
	}
	do := "fourways trace show " + string(did.CorrelationID)
	if did.MustChange() {
		do = "fourways signin " + printable(did.User) + " --change-password"
	}
	return failure{exitDenied, "the sign-in was not let in", told(did), do}
}

func told(did attempt) string {
	switch {
	case did.Note != "":
		return did.Note
	case did.Public != nil && did.Reason != "":
		return fmt.Sprintf("%s (reason in the sign-in log: %s)", did.Public.Message, did.Reason)
	case did.Public != nil:
		return did.Public.Message
	}
	return "the gateway said " + did.Verdict.String()
}

// writeTrace writes a trace as text, in ASCII where that is wanted.
func (a *app) writeTrace(w io.Writer, records []authn.Record) error {
	if a.plain() {
		w = ascii{w}
	}
	return trace.Text(w, records, a.width())
}

// recordsOf are the records of a sign-in; an attempt without any is an error.
func recordsOf(ctx context.Context, p place, id authn.AttemptID) ([]authn.Record, error) {
	if p.console == nil {
		return nil, errors.New("no console is named, so there is no trace: give --server and --token")
	}
	t, err := p.console.Trace(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(t.Records) == 0 {
		return nil, fmt.Errorf("the gateway keeps no record of %s", id)
	}
	return t.Records, nil
}
