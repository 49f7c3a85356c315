package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/trace"
)

const compareLong = `Sign one person in by all four paths, at the public endpoint, and put the four side by side: who checked the password, who
saw it in clear, what the cloud stores, and whether a domain controller was asked. Every cell comes from the trace of that
sign-in.

A person has one account in each domain. compare takes the one of each path whose name before the @ is USER, and says which.
For the path federated it takes a domain that speaks SAML; --idp oidc takes the other, and --idp ID a certain one.

The exit code is 1 when any of the four could not be carried out. A denied sign-in was carried out.

--matrix runs eleven account states by the four paths instead, in a throw-away copy of the lab with the rules of its
fourways.toml: healthy, disabled, locked out, and so on. Each cell is a real sign-in, held against what Microsoft documents
and against the own logs of the domain controller and the identity provider. The exit code is 6 when a cell differs.`

const compareExample = `  fourways compare alice
  fourways compare alice --idp oidc
  fourways compare heidi -o json
  fourways compare --matrix`

type compareFlags struct {
	password passwordFlags
	door     string
	idp      string
	matrix   matrixFlags
}

// comparison is what compare says.
type comparison struct {
	User string     `json:"user"`
	Rows []compared `json:"rows"`
	idp  string     // what --idp said

	backup string       // a domain on another path whose hashes are here: it can be moved to phs
	pw     authn.Secret // for people whom the lab does not know
}

// compared is one path of it. Failed says why it could not be carried out; then the rest is empty.
type compared struct {
	Model    string          `json:"identityModel"`
	Type     string          `json:"authenticationType"`
	Path     authn.Path      `json:"path"`
	Protocol string          `json:"protocol,omitempty"`
	UPN      string          `json:"userPrincipalName,omitempty"`
	Result   string          `json:"result"`
	Reason   string          `json:"reason,omitempty"`
	Code     int             `json:"code"`
	Millis   int64           `json:"milliseconds"`
	TraceID  authn.AttemptID `json:"traceId,omitempty"`
	Note     string          `json:"note,omitempty"`
	Failed   string          `json:"failed,omitempty"`
	trace.Comparison
}

func newCompare(a *app) *cobra.Command {
	var f compareFlags
	cmd := &cobra.Command{
		Use: "compare [USER]", Short: "One person by all four paths, side by side", Long: compareLong, Example: compareExample,
		Args: between(0, "USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.matrix.run {
				if len(args) > 0 {
					return misuse(cmd, "--matrix has its own people: leave %s out", args[0])
				}
				return a.matrix(cmd, f.idp, f.matrix)
			}
			user := "alice"
			if len(args) == 1 {
				user, _, _ = strings.Cut(strings.ToLower(args[0]), "@")
			}
			return a.compare(cmd, user, f)
		},
	}
	cmd.Flags().StringVar(&f.idp, "idp", "saml", "which federation: saml, oidc, or the `id` of an identity provider")
	cmd.Flags().StringVar(&f.door, "signin-url", "", "the sign-in endpoint's origin, as `URL` (else "+envSignIn+", else asked of the console)")
	f.password.add(cmd)
	f.matrix.add(cmd)
	return cmd
}

func (a *app) compare(cmd *cobra.Command, user string, f compareFlags) error {
	ctx := cmd.Context()
	p, err := a.place(ctx, f.door)
	if err != nil {
		return err
	}
	if p.console == nil {
		_, err := a.console()
		return err
	}
	modes, err := p.console.Modes(ctx)
	if err != nil {
		return err
	}
	rows, err := chooseAccounts(ctx, p, modes, user, f.idp)
	if err != nil {
		return err
	}
	c := comparison{User: user, Rows: rows, idp: f.idp, backup: backup(modes)}
	if c.pw, err = a.comparePassword(cmd, p, c, f.password); err != nil {
		return err
	}
	defer c.pw.Wipe()
	for i := range c.Rows {
		if err := c.Rows[i].run(ctx, p, c.pw, f.password.given()); err != nil {
			return err
		}
	}
	if err := show(a, c, comparisonCSV(), func(w io.Writer) error { return c.text(w, a.width()) }); err != nil {
		return err
	}
	return c.judge()
}

// comparePassword asks once, and only when somebody is not a demo person.
func (a *app) comparePassword(cmd *cobra.Command, p place, c comparison, f passwordFlags) (authn.Secret, error) {
	needed := f.given()
	for _, row := range c.Rows {
		_, known := p.lab.password(row.UPN)
		needed = needed || row.UPN != "" && !known
	}
	if !needed {
		return authn.Secret{}, nil
	}
	return a.password(cmd, f, "Password of "+printable(c.User), false)
}

// run signs the row's person in and reads the trace. An error ends the whole comparison; all else stands in the row.
func (r *compared) run(ctx context.Context, p place, typed authn.Secret, given bool) error {
	if r.Failed != "" {
		return nil
	}
	pw := typed
	if demo, ok := p.lab.password(r.UPN); ok && !given {
		pw = authn.NewSecret([]byte(demo))
		defer pw.Wipe()
	}
	did, err := signIn(ctx, p.door, r.UPN, pw)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.Result, r.Failed = "error", err.Error()
		return nil
	}
	records, err := recordsOf(ctx, p, did.CorrelationID)
	if err != nil {
		r.Result, r.Failed = "error", "its trace can't be read: "+err.Error()
		return nil
	}
	r.fill(did, records)
	return nil
}

func (r *compared) fill(did attempt, records []authn.Record) {
	r.TraceID, r.Path = did.CorrelationID, did.Path
	r.Result = did.Verdict.MetricOutcome()
	r.Reason = reasonOf(did, records)
	if reason, ok := authn.ParseReason(r.Reason); ok {
		r.Code = reason.Code()
	}
	r.Millis, r.Note = did.Milliseconds, did.Note
	r.Comparison = trace.Compare(records, time.Now())
	if did.Verdict == authn.Unavailable {
		r.Failed = told(did)
	}
}

// chooseAccounts finds the person's account of each path; a row without one says so.
func chooseAccounts(ctx context.Context, p place, modes []api.Mode, user, idp string) ([]compared, error) {
	people, err := everybody(ctx, p.console, directory.Query{})
	if err != nil {
		return nil, err
	}
	upns := map[string]bool{}
	found := false
	for _, u := range people {
		upns[u.UPN] = true
		found = found || strings.HasPrefix(u.UPN, user+"@")
	}
	if !found {
		return nil, failure{exitNotFound, "there is no such person", fmt.Sprintf("no account is called %s@…", user), "`fourways user list` shows who there is"}
	}
	var rows []compared
	for _, path := range authn.Paths() {
		if path == authn.PathNone {
			continue
		}
		rows = append(rows, choose(modes, path, idp, func(domain string) (string, bool) {
			upn := user + "@" + domain
			return upn, upns[upn]
		}))
	}
	return rows, nil
}

// backup is a domain that could be moved to password hash synchronisation; "" when there is none.
func backup(modes []api.Mode) string {
	for _, m := range modes {
		if m.PHS && m.Path != authn.PathPHS && m.Path != authn.PathCloud {
			return m.Domain
		}
	}
	return ""
}

// noAccount is the result of a path on which the person has none.
const noAccount = "no account"

// choose takes the first domain of a path that has the person, one that the file put there before one that was swapped.
func choose(modes []api.Mode, path authn.Path, idp string, has func(domain string) (string, bool)) compared {
	for _, swapped := range []bool{false, true} {
		for _, m := range modes {
			if m.Path != path || (m.Override != nil) != swapped || path == authn.PathFederated && m.Protocol != idp && m.IdP != idp {
				continue
			}
			if upn, ok := has(m.Domain); ok {
				return compared{Model: m.Model, Type: m.Type, Path: path, Protocol: m.Protocol, UPN: upn}
			}
		}
	}
	return compared{Path: path, Result: noAccount, Failed: "no domain with this path has the person"}
}
