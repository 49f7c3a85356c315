package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/admin"
	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/userfile"
)

const userImportLong = `Make many accounts from a file, which is CSV with a header or JSON Lines ("-": standard input). A comma, a semicolon or a
tab may part the columns. They are, in any order: userPrincipalName (needed), displayName, givenName, surname, mail,
department, jobTitle, usageLocation, accountEnabled, signInBlocked, immutableId, forceChangePasswordNextSignIn, and password
or passwordHash. An empty cell leaves what there is.

A passwordHash is a record that another system made: Argon2, scrypt, bcrypt, PBKDF2 (passlib, Django) or SHA-crypt. It is
verified as it is at the next sign-in, and hashed anew then.

A line that can't be taken is reported with its number, and the others go in; with --atomic nothing does. An account that is
there already and equal counts as unchanged, so a file can be imported again; where it differs, --update changes it, its
password too.`

type importFlags struct {
	config, format         string
	atomic, dryRun, update bool
}

func newUserImport(a *app, file *string) *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Make many accounts from a file", Long: userImportLong,
		Example: "  fourways user import people.csv --dry-run\n  fourways user import people.csv\n  fourways user import people.jsonl --atomic\n  fourways user export | fourways user import - --update",
		Args:    exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.config = *file
			return a.userImport(cmd, args[0], f)
		},
	}
	p := cmd.Flags()
	p.StringVar(&f.format, "format", "", "`format` of the file: csv or jsonl (else what its name ends with, else csv)")
	p.BoolVar(&f.atomic, "atomic", false, fmt.Sprintf("all lines or none; at most %s", grouped(api.ImportRowsAtomic)))
	p.BoolVar(&f.dryRun, "dry-run", false, "say what would be done, and do nothing")
	p.BoolVar(&f.update, "update", false, "change accounts that are there already and differ")
	return cmd
}

func (a *app) userImport(cmd *cobra.Command, name string, f importFlags) error {
	format, err := listFormat(cmd, f.format, name)
	if err != nil {
		return err
	}
	in, err := a.openInput(name)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	list, err := userfile.Open(in, format)
	if err != nil {
		return ofFile(name, err)
	}
	return a.withImporter(cmd.Context(), f.config, func(to importer) error {
		i := newImporting(a, to, list, f)
		err := i.run(cmd.Context())
		if err != nil {
			return ofFile(name, err)
		}
		return i.end()
	})
}

// listFormat is the format that was named, or what the file's name says.
func listFormat(cmd *cobra.Command, named, file string) (string, error) {
	switch {
	case named != "" && !slices.Contains(userfile.Formats(), named):
		return "", misuse(cmd, "--format %s is no format of a list: there are %s", named, strings.Join(userfile.Formats(), ", "))
	case named != "":
		return named, nil
	}
	switch strings.ToLower(filepath.Ext(file)) {
	case ".jsonl", ".ndjson", ".json":
		return userfile.JSONL, nil
	}
	return userfile.CSV, nil
}

// openInput opens a file; "-" is standard input.
func (a *app) openInput(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(a.in), nil
	}
	f, err := os.Open(name) //nolint:gosec // whoever types the command names the file
	if err != nil {
		return nil, failure{exitFailed, "the file can't be read", err.Error(), "check its name"}
	}
	return f, nil
}

func ofFile(name string, err error) error {
	var bad userfile.BadFile
	if errors.As(err, &bad) {
		return failure{exitFailed, printable(name) + " can't be read", bad.Error(), "correct the file; `fourways user import --help` lists the columns"}
	}
	return err
}

// importer takes rows: a console does, and a store file.
type importer interface {
	ImportUsers(ctx context.Context, ask api.Import) (api.Imported, error)
}

// withImporter opens the store file if one was named, else the console.
func (a *app) withImporter(ctx context.Context, file string, do func(importer) error) error {
	if file != "" {
		return withStore(ctx, file, func(s *storeFile) error {
			if err := s.untouched(ctx); err != nil {
				return err
			}
			return do(s)
		})
	}
	c, err := a.console()
	if err != nil {
		return err
	}
	return do(c)
}

// ImportUsers implements importer.
func (s *storeFile) ImportUsers(ctx context.Context, ask api.Import) (api.Imported, error) {
	bulk := admin.Bulk{
		Base: s.people.Base, Realms: directory.New(s.db, s.people.Config().Domains(), nil), Policy: s.people.Policy, Hashes: admin.NewImportHashes(),
	}
	done, err := bulk.ImportUsers(ctx, ask)
	return done, s.audited(ctx, console.Entry{Action: "Import users", Target: ask.Target(), After: done.InWords(ask)}, err)
}

// grouped writes a number as people read it: 10,000.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
