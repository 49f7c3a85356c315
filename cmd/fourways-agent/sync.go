package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/dirsync"
)

// shownRows is how long a table is unless all of it is asked for.
const shownRows = 100

func newSync(load loader) *cobra.Command {
	var kind string
	var all bool
	cmd := &cobra.Command{
		Use: "sync", Short: "Read the directory as a full run would and show what would be sent; nothing is sent or written", Args: usage(cobra.NoArgs),
		Example: "  fourways-agent sync -c agent.toml\n  fourways-agent sync --kind hash -c agent.toml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if kind != string(dirsync.KindDirectory) && kind != string(dirsync.KindHash) {
				return &exitError{fmt.Errorf("--kind %.40q is not known: use directory or hash", kind), exitUsage}
			}
			c, err := load()
			if err != nil {
				return err
			}
			if !c.HasRole(agentlink.RoleSync) {
				return &exitError{fmt.Errorf("this agent doesn't synchronise: add %q to agent.roles", agentlink.RoleSync), exitConfig}
			}
			rows := shownRows
			if all {
				rows = -1
			}
			return rehearse(cmd.Context(), cmd, c, &rehearsal{kind: dirsync.Kind(kind), most: rows, kinds: map[string]int{}, withheld: map[string]int{}, left: map[string]int{}})
		},
	}
	cmd.Flags().StringVar(&kind, "kind", string(dirsync.KindDirectory), "what to read: `directory` or hash")
	cmd.Flags().BoolVar(&all, "all", false, fmt.Sprintf("show everybody, not the first %d", shownRows))
	return cmd
}

// rehearsal is a read whose answer goes to the terminal. It never keeps or prints a hash.
type rehearsal struct {
	kind  dirsync.Kind
	most  int // rows of the table; negative: all
	table *tabwriter.Writer

	objects, errors int
	note            string
	kinds           map[string]int // in scope
	withheld        map[string]int // hashes, by reason; "": sent
	left            map[string]int // out of scope, by reason
}

func rehearse(ctx context.Context, cmd *cobra.Command, c *config.Agent, r *rehearsal) error {
	d, err := openDirectory(c)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Check(ctx); err != nil {
		return &exitError{fmt.Errorf("directory: %w", err), exitUnreachable}
	}
	o := sourceOptions(c)
	o.WriteBack = nil // nothing is written
	o.LeftOut = func(_, _, reason string) { r.left[reason]++ }
	r.table = tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	err = agent.NewSource(d, o).Read(ctx, dirsync.Ask{Kind: r.kind}, r.take)
	if flush := r.table.Flush(); flush != nil {
		return flush
	}
	if err != nil {
		return &exitError{err, exitUnreachable}
	}
	r.sum(cmd)
	return nil
}

func (r *rehearsal) row(cells ...string) {
	for i, c := range cells {
		cells[i] = printable(c)
	}
	_, _ = fmt.Fprintln(r.table, strings.Join(cells, "\t")) // Flush says it
}

func (r *rehearsal) take(p dirsync.Part) error {
	if p.Note != "" {
		r.note = p.Note
	}
	for _, o := range p.Objects {
		r.objects++
		r.kinds[o.Kind]++
		r.withheld[o.Withheld]++
		if o.Error != "" {
			r.errors++
		}
		if r.objects == 1 {
			r.row("KIND", "NAME", "STATE", "WHERE")
		}
		if r.most < 0 || r.objects <= r.most {
			r.row(o.Kind, name(o), r.state(o), o.DN)
		}
	}
	return nil
}

// name is what people know an object by.
func name(o dirsync.Object) string {
	for _, n := range []string{o.UPN, o.DisplayName, o.SAM, o.Mail} {
		if n != "" {
			return n
		}
	}
	return "-"
}

func (r *rehearsal) state(o dirsync.Object) string {
	switch {
	case o.Error != "":
		return "can't be sent: " + o.Error
	case r.kind == dirsync.KindHash && o.Withheld != "":
		return "withheld: " + o.Withheld
	case r.kind == dirsync.KindHash && o.PasswordAt.IsZero():
		return "would be sent"
	case r.kind == dirsync.KindHash:
		return "would be sent, of " + o.PasswordAt.UTC().Format(time.RFC3339)
	case o.Kind == dirsync.Group:
		return fmt.Sprintf("%d members", len(o.Members))
	case o.Kind == dirsync.User && !o.Enabled:
		return "disabled"
	case o.MustChange:
		return "must change the password"
	case o.Kind == dirsync.User:
		return "enabled"
	}
	return "-"
}

func (r *rehearsal) sum(cmd *cobra.Command) {
	if r.most >= 0 && r.objects > r.most {
		cmd.Printf("... and %d more: --all shows them\n", r.objects-r.most)
	}
	if r.kind == dirsync.KindHash {
		cmd.Printf("%d people in scope, of %d the hash would be sent\n", r.objects, r.withheld[""])
		delete(r.withheld, "")
		counted(cmd, "withheld", r.withheld)
	} else {
		cmd.Printf("in scope: %d users, %d groups, %d contacts; %d of them can't be sent\n",
			r.kinds[dirsync.User], r.kinds[dirsync.Group], r.kinds[dirsync.Contact], r.errors)
		counted(cmd, "left out", r.left)
	}
	if r.note != "" {
		cmd.Printf("note: %s\n", printable(r.note))
	}
}

// counted prints reasons, the commonest first.
func counted(cmd *cobra.Command, what string, reasons map[string]int) {
	names := slices.SortedFunc(maps.Keys(reasons), func(a, b string) int {
		if d := reasons[b] - reasons[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for _, why := range names {
		cmd.Printf("%s: %d: %s\n", what, reasons[why], printable(why))
	}
}

// printable is a text of the directory as a terminal may show it.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return '?'
		}
		return c
	}, s)
}
