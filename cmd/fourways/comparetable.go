package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/trace"
)

// text is the comparison as a table that is turned over where its lines would be longer than width; 0 is no limit.
func (c comparison) text(w io.Writer, width int) error {
	var accounts []string
	for _, r := range c.Rows {
		if r.UPN != "" {
			accounts = append(accounts, r.UPN)
		}
	}
	intro := fmt.Sprintf("%s has one account in each domain; these were signed in: %s", printable(c.User), printable(strings.Join(accounts, ", ")))
	_, _ = fmt.Fprintln(w, strings.Join(trace.Wrap(intro, width), "\n")+"\n") // the next write tells of a broken pipe
	err := writeFitting(w, c.Rows, columns[compared]{
		names: []string{"identity model", "authentication type", "path", "result", "total", "where checked", "password seen in clear by", "stored in cloud", "DC contacted"},
		cells: compared.cells,
	}, width)
	if err != nil {
		return err
	}
	return c.footer(w, width)
}

func (r compared) cells() []string {
	kind, path := r.Type, string(r.Path)
	if r.Protocol != "" {
		path += " (" + strings.ToUpper(r.Protocol) + ")"
	}
	result, total := r.Result, ""
	if r.TraceID != "" {
		total = strconv.FormatInt(r.Millis, 10) + " ms"
		if r.Result != success {
			result = strings.TrimSpace(r.Result + " " + r.Reason)
			if r.Code != 0 {
				result += fmt.Sprintf(" (%d)", r.Code)
			}
		}
	}
	return []string{r.Model, kind, path, result, total, r.WhereChecked, r.SeenInClearBy, r.StoredInCloud, r.DCContacted}
}

// footer says where the evidence is, and what could not be done.
func (c comparison) footer(w io.Writer, width int) error {
	var ids []string
	steps := 0
	for _, r := range c.Rows {
		if r.TraceID != "" {
			ids = append(ids, string(r.TraceID))
			steps += r.Steps
		}
	}
	var b strings.Builder
	if len(ids) > 0 {
		fmt.Fprintf(&b, "\n%s, %s; to see them:\nfourways trace show %s\n", count(len(ids), "trace"), count(steps, "step"), strings.Join(ids, " "))
	}
	for _, r := range c.Rows {
		if why := cmp.Or(r.Failed, r.Note); why != "" {
			b.WriteString(strings.Join(trace.Wrap(fmt.Sprintf("%s: %s", r.Path, printable(why)), width), "\n") + "\n")
		}
	}
	if outage := c.outage(); outage != "" {
		b.WriteString("\n" + strings.Join(trace.Wrap(outage, width), "\n") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// outage says what helps while the premises can't be reached; "" when they can.
// https://learn.microsoft.com/entra/identity/hybrid/connect/choose-ad-authn: hashes are the recommended backup, and fail-over
// is never automatic.
func (c comparison) outage() string {
	if !slices.ContainsFunc(c.Rows, func(r compared) bool {
		return r.Reason == authn.ADUnreachable.String() || r.Reason == authn.NoAgent.String()
	}) {
		return ""
	}
	const lead = "The premises can't be reached. Microsoft recommends password hash synchronisation as a backup; fail-over is manual: "
	if c.backup == "" {
		return lead + "`fourways mode set phs --domain DOMAIN` helps a domain whose hashes were synchronised before (passwordHashSync); none that is on another path now has that."
	}
	return lead + "fourways mode set phs --domain " + printable(c.backup)
}

func (c comparison) judge() error {
	var failed []string
	for _, r := range c.Rows {
		if r.Failed != "" {
			failed = append(failed, string(r.Path))
		}
	}
	if len(failed) == 0 {
		return nil
	}
	do := "`fourways mode get --all` says which paths are ready"
	if slices.ContainsFunc(c.Rows, func(r compared) bool { return r.Result == noAccount }) {
		do = "`fourways user list` says in which domains there is an account, `fourways mode get --all` which path each domain has"
	}
	if c.Rows[len(c.Rows)-1].Result == noAccount {
		do += fmt.Sprintf("; --idp %s looks for a federated domain of that kind", c.idp)
	}
	return failure{exitFailed, "not every path could be tried", strings.Join(failed, ", ") + " could not; the lines above say why", do}
}

// comparisonCSV is one line a comparison, for -o csv and jsonl of scripts that keep a history.
func comparisonCSV() columns[comparison] {
	c := columns[comparison]{names: []string{"user"}}
	for _, path := range authn.Paths() {
		if path != authn.PathNone {
			c.names = append(c.names, string(path)+"_result", string(path)+"_milliseconds", string(path)+"_trace")
		}
	}
	c.cells = func(item comparison) []string {
		cells := []string{item.User}
		for _, r := range item.Rows {
			cells = append(cells, r.Result, strconv.FormatInt(r.Millis, 10), string(r.TraceID))
		}
		return cells
	}
	return c
}
