package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/userfile"
)

const userExportLong = `Write the accounts as a file that "user import" reads again: CSV, or JSON Lines with -o jsonl, --format jsonl or a --out that
ends so. It holds no password and no hash of one, and neither groups nor licences. What a spreadsheet would take for a
formula has an apostrophe before it, which the import takes away again.`

func newUserExport(a *app, file *string) *cobra.Command {
	var domain, format, out string
	cmd := &cobra.Command{
		Use: "export", Short: "Write the accounts as a file", Long: userExportLong,
		Example: "  fourways user export --domain cloud.example.test --out people.csv\n  fourways user export --format jsonl", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			format, err := a.exportFormat(cmd, format, out)
			if err != nil {
				return err
			}
			return a.withPeople(cmd.Context(), *file, func(p people) error {
				return a.toFile(out, func(w io.Writer) (int, error) { return exportUsers(cmd.Context(), p, domain, w, format) })
			})
		},
	}
	cmd.Flags().StringVar(&domain, "domain", "", "only those of this `domain`")
	cmd.Flags().StringVar(&format, "format", "", "`format` of the file: csv or jsonl (else -o, else what --out ends with, else csv)")
	cmd.Flags().StringVar(&out, "out", "", "write into this `file`, which only you can read, instead of to standard output")
	return cmd
}

func (a *app) exportFormat(cmd *cobra.Command, format, out string) (string, error) {
	if format == "" && cmd.Flags().Changed("output") {
		if format = a.flags.output; format == formatTable || format == formatJSON {
			return "", misuse(cmd, "-o %s is no list that can be imported: there are csv and jsonl", format)
		}
	}
	return listFormat(cmd, format, out)
}

// toFile writes to standard output, or into a file that is there whole or not at all.
func (a *app) toFile(out string, write func(io.Writer) (int, error)) error {
	if out == "" {
		_, err := write(a.out)
		return err
	}
	f, err := os.OpenFile(out+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) //nolint:gosec // whoever types the command names the file
	if err != nil {
		return failure{exitFailed, "the file can't be written", err.Error(), "name another with --out"}
	}
	n, err := write(f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(out+".new", out)
	}
	if err != nil {
		_ = os.Remove(out + ".new") // the first error is the one to tell
		return err
	}
	return a.done(out, grouped(n)+" accounts written")
}

// exportUsers writes page by page.
func exportUsers(ctx context.Context, p people, domain string, w io.Writer, format string) (n int, err error) {
	list, err := userfile.NewWriter(w, format)
	if err != nil {
		return 0, err
	}
	for after := ""; ; {
		page, err := p.Users(ctx, directory.Query{Domain: domain, After: after, Limit: exportPage})
		if err != nil {
			return n, err
		}
		for _, u := range page.Items {
			if err := list.Write(u); err != nil {
				return n, fmt.Errorf("write the list: %w", err)
			}
		}
		n += len(page.Items)
		if page.Next == "" || page.Next == after {
			return n, list.Flush()
		}
		after = page.Next
	}
}

// exportPage is how many accounts are read at once.
const exportPage = 1000
