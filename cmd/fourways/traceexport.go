package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/trace"
)

// tracePicture is a format of `trace export`.
type tracePicture struct {
	name, suffix string
	write        func(io.Writer, trace.Attempt) error
}

func tracePictures() []tracePicture {
	return []tracePicture{
		{"html", ".html", func(w io.Writer, a trace.Attempt) error { return trace.HTML(w, a) }},
		{"svg", ".svg", trace.SVG},
		{"mermaid", ".mmd", trace.Mermaid},
		{"waterfall", "-waterfall.svg", trace.Waterfall},
		{"json", ".json", trace.JSON},
	}
}

func tracePictureNames() []string {
	var names []string
	for _, p := range tracePictures() {
		names = append(names, p.name)
	}
	return names
}

// exportFlags are what was typed.
type exportFlags struct{ format, redact, out string }

// exported is a file that was written.
type exported struct {
	File   string `json:"file"`
	Format string `json:"format"`
	Traces int    `json:"traces"`
	Bytes  int    `json:"bytes"`
	Redact string `json:"redact"`
}

func newTraceExport(a *app) *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use: "export ID...", Short: "Write a sign-in as a page, a picture or data",
		Long: `Write one or more sign-ins into a file that needs nothing else: --format html is a page with the sequence diagram, the
waterfall, the custody ledger and every step (several ids stand in one page); svg and waterfall are pictures; mermaid is
the diagram for pages that draw it themselves; json are the records with the ledger.

People's names and addresses are masked (alice@example.com is a***e@example.com) unless --redact says otherwise: remove
leaves them out, with the names of servers and all that others wrote; none shows them. No record holds a secret.

Without --out the file is trace-ID in the current folder; "--out -" writes to standard output.`,
		Example: "  fourways trace export 0198c0de-0000-7000-8000-000000000001\n  fourways trace export ID --format svg --redact none --out diagram.svg\n  fourways trace export ID --format mermaid --out -",
		Args:    someIDs,
		RunE: func(cmd *cobra.Command, ids []string) error {
			picture, how, err := f.check(cmd, ids)
			if err != nil {
				return err
			}
			attempts, err := a.attempts(cmd, ids, how)
			if err != nil {
				return err
			}
			return a.export(f, picture, ids, attempts)
		},
	}
	cmd.Flags().StringVar(&f.format, "format", "html", "the `format`: "+strings.Join(tracePictureNames(), ", "))
	cmd.Flags().StringVar(&f.redact, "redact", string(trace.Mask), "what to do with people's names and addresses: `mask`, remove or none")
	cmd.Flags().StringVar(&f.out, "out", "", "the `file` to write; - is standard output (default trace-ID in this folder)")
	return cmd
}

func someIDs(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("ID is missing: `fourways trace list` lists them")
	}
	return nil
}

// check reads the flags before anything is asked of the gateway.
func (f exportFlags) check(cmd *cobra.Command, ids []string) (tracePicture, trace.Redaction, error) {
	all := tracePictures()
	i := slices.IndexFunc(all, func(p tracePicture) bool { return p.name == f.format })
	if i < 0 {
		return tracePicture{}, "", misuse(cmd, "--format %s is no format: there are %s", f.format, strings.Join(tracePictureNames(), ", "))
	}
	how, err := trace.ParseRedaction(f.redact)
	if err != nil {
		return tracePicture{}, "", misuse(cmd, "--redact: %v", err)
	}
	if len(ids) > 1 && f.out != "" && f.format != "html" {
		return tracePicture{}, "", misuse(cmd, "--out takes one %s, and there are %d ids: leave --out away, or use --format html", f.format, len(ids))
	}
	return all[i], how, nil
}

// attempts reads the traces, as they may be shown.
func (a *app) attempts(cmd *cobra.Command, ids []string, how trace.Redaction) ([]trace.Attempt, error) {
	c, err := a.console()
	if err != nil {
		return nil, err
	}
	var all []trace.Attempt
	for _, id := range ids {
		t, err := c.Trace(cmd.Context(), authn.AttemptID(id))
		if err != nil {
			return nil, err
		}
		all = append(all, trace.Redact(trace.Attempt{Records: t.Records, Away: t.Away}, how))
	}
	return all, nil
}

// export writes one page for all, or a file for each.
func (a *app) export(f exportFlags, p tracePicture, ids []string, attempts []trace.Attempt) error {
	var files []exported
	write := func(name string, n int, draw func(io.Writer) error) error {
		if f.out == "-" {
			return draw(a.out)
		}
		var b bytes.Buffer
		if err := draw(&b); err != nil {
			return err
		}
		if f.out != "" {
			name = f.out
		}
		if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
			return failure{code: exitFailed, what: "the trace could not be written", why: err.Error(), do: "name a file in a folder that you may write to with --out"}
		}
		files = append(files, exported{File: name, Format: p.name, Traces: n, Bytes: b.Len(), Redact: f.redact})
		return nil
	}
	if len(attempts) > 1 && p.name == "html" {
		if err := write("traces.html", len(attempts), func(w io.Writer) error { return trace.HTML(w, attempts...) }); err != nil {
			return err
		}
		return a.tellExported(f, files)
	}
	for i, attempt := range attempts {
		if err := write("trace-"+filepath.Base(ids[i])+p.suffix, 1, func(w io.Writer) error { return p.write(w, attempt) }); err != nil {
			return err
		}
	}
	return a.tellExported(f, files)
}

func (a *app) tellExported(f exportFlags, files []exported) error {
	if f.out == "-" {
		return nil
	}
	return list(a, files, columns[exported]{
		names: []string{"file", "format", "traces", "bytes", "redact"},
		cells: func(e exported) []string {
			return []string{e.File, e.Format, strconv.Itoa(e.Traces), strconv.Itoa(e.Bytes), e.Redact}
		},
	})
}
