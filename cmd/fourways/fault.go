package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/trace"
)

const faultLong = `Break the lab on purpose, one hop at a time: a fault breaks a socket, a key, a clock or a message, and everything that follows
is what the real programs make of it. A fault ends by itself after 10 minutes (--for says otherwise), and "fault clear" mends
at once; nothing is restarted. A sign-in that was hit says so in its trace. Only the lab has faults.

"fault list" shows all of them, with what a sign-in then says in -o json; docs/reference/faults.md is the same as a page.`

func newFault(a *app) *cobra.Command {
	return newGroup("fault", "Break the lab on purpose", faultLong,
		"  fourways fault set dc-down\n  fourways compare alice\n  fourways fault clear",
		newFaultList(a), newFaultSet(a), newFaultClear(a), newFaultRun(a))
}

// faultColumns are those of a table, which is short of room, or of a CSV file.
func faultColumns(at func(time.Time) string) columns[api.Fault] {
	return columns[api.Fault]{
		names: []string{"fault", "hop", "on", "param", "until", "rate", "hits", "scope"},
		cells: func(f api.Fault) []string {
			b := f.Active
			if b == nil {
				return []string{f.Name, f.Hop, "no", "", "", "", "", ""}
			}
			return []string{f.Name, f.Hop, "yes", b.Param, at(b.Until), often(b), strconv.Itoa(b.Hits), b.Scope}
		},
	}
}

// often is how many messages are hit.
func often(b *api.Breach) string {
	share := strconv.FormatFloat(math.Round(b.Rate*1e4)/100, 'f', -1, 64) + "%"
	switch {
	case b.Next > 0 && b.Rate == 1:
		return fmt.Sprintf("next %d", b.Next)
	case b.Next > 0:
		return fmt.Sprintf("next %d, %s", b.Next, share)
	}
	return share
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05Z") }

func newFaultList(a *app) *cobra.Command {
	var on bool
	cmd := &cobra.Command{
		Use: "list", Short: "List what can be broken, and what is", Long: "List every fault, by the hop that it breaks: whether it is on, for whom, how often, until when, and how many messages it hit.",
		Example: "  fourways fault list\n  fourways fault list --on -o json", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			all, err := c.Faults(cmd.Context())
			if err != nil {
				return err
			}
			if on {
				all = active(all)
			}
			if a.flags.output == formatTable {
				return writeFaults(a.out, all, a.width())
			}
			return list(a, all, faultColumns(when))
		},
	}
	cmd.Flags().BoolVar(&on, "on", false, "only those that are on")
	return cmd
}

func active(all []api.Fault) []api.Fault {
	on := []api.Fault{}
	for _, f := range all {
		if f.Active != nil {
			on = append(on, f)
		}
	}
	return on
}

// writeFaults is a table; where its lines would be too long, those that are on stand side by side, and the rest by name.
func writeFaults(w io.Writer, all []api.Fault, width int) error {
	var table strings.Builder
	if err := writeTable(&table, all, faultColumns(clock)); err != nil {
		return err
	}
	on := active(all)
	if width == 0 || len(on) == 0 || trace.Widest(table.String()) <= width {
		_, err := io.WriteString(w, table.String())
		return err
	}
	if err := writeTransposed(w, on, faultColumns(clock), width); err != nil {
		return err
	}
	var off []string
	for _, f := range all {
		if f.Active == nil {
			off = append(off, f.Name)
		}
	}
	if len(off) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "\n%s\n", strings.Join(trace.Wrap("off: "+strings.Join(off, ", "), width), "\n"))
	return err
}

func newFaultSet(a *app) *cobra.Command {
	var ask api.FaultSetting
	var rate, lasts string
	cmd := &cobra.Command{
		Use: "set NAME [PARAM]", Short: "Break something",
		Long: `Break one thing. PARAM is how long or how many, for faults that have a parameter; "fault list -o json" shows the default of
each. What is on already is set anew. --scope aims it: user=alice@pta.example.test, domain=pta.example.test, agent=agent-1 or
path=phs, as far as the fault can tell them apart.`,
		Example: "  fourways fault set dc-down\n  fourways fault set dc-slow 2s --scope user=alice@pta.example.test --for 5m\n  fourways fault set agent-hang --next 1\n  fourways fault set idp-wrong-signature --rate 50%",
		Args:    between(1, "NAME", "PARAM"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if rate != "" {
				hit, err := share(rate)
				if err != nil {
					return misuse(cmd, "--rate %s: %w", rate, err)
				}
				ask.Rate = &hit
			}
			if cmd.Flags().Changed("next") && ask.Next < 1 {
				return misuse(cmd, "--next %d hits nothing: give 1 or more, or leave it out for no limit", ask.Next)
			}
			if ask.For = lasts; len(args) > 1 {
				ask.Param = args[1]
			}
			c, err := a.console()
			if err != nil {
				return err
			}
			f, err := c.SetFault(cmd.Context(), args[0], ask)
			if err != nil {
				return err
			}
			return show(a, f, faultColumns(when), func(w io.Writer) error { return tellFault(w, f) })
		},
	}
	cmd.Flags().StringVar(&ask.Scope, "scope", "", "hit only this `aim`: user=, domain=, agent= or path=, and a name")
	cmd.Flags().StringVar(&rate, "rate", "", "hit this `share` of the messages, such as 50%")
	cmd.Flags().IntVar(&ask.Next, "next", 0, "hit the next `n` messages, then mend")
	cmd.Flags().StringVar(&lasts, "for", "", "mend after this `time`, at most 30m (default 10m)")
	cmd.Flags().StringVar(&ask.Reason, "reason", "", "why, for the audit `log`")
	return cmd
}

// share reads 50% or 0.5; "" is 0, which asks for the default.
func share(text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	n, err := strconv.ParseFloat(number, 64)
	if percent {
		n /= 100
	}
	if err != nil || math.IsNaN(n) || n <= 0 || n > 1 {
		return 0, fmt.Errorf("a share is more than 0 and at most 100%%, such as 50%% or 0.5")
	}
	return n, nil
}

// tellFault says what is broken, what to expect, and how it ends.
func tellFault(w io.Writer, f api.Fault) error {
	b := f.Active
	if b == nil {
		_, err := fmt.Fprintf(w, "%s is over already\n", printable(f.Name))
		return err
	}
	about := ""
	if b.Param != "" {
		about = " " + b.Param
	}
	if b.Scope != "" {
		about += ", " + b.Scope
	}
	if often := often(b); often != "100%" {
		about += ", " + often
	}
	_, err := fmt.Fprintf(w, "%s\nexpect  %s\nends    %s, or at once with: fourways fault clear %s\n",
		printable(f.Name+about+": "+f.Summary), printable(f.Shows), clock(b.Until), printable(f.Name))
	return err
}

// mended is a fault that was cleared.
type mended struct {
	Name string `json:"name"`
}

func newFaultClear(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "clear [NAME]", Short: "Mend what was broken on purpose", Long: "Mend one fault, or all of them. Nothing is restarted: the next sign-in finds everything as it should be.",
		Example: "  fourways fault clear\n  fourways fault clear dc-down", Args: between(0, "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := strings.Join(args, "")
			if len(args) > 0 && name == "" {
				return misuse(cmd, "NAME is empty: leave it out to mend everything")
			}
			c, err := a.console()
			if err != nil {
				return err
			}
			names, err := c.ClearFaults(cmd.Context(), name)
			if err != nil {
				return err
			}
			var all []mended
			for _, n := range names {
				all = append(all, mended{n})
			}
			if a.flags.output != formatTable {
				return list(a, all, columns[mended]{names: []string{"fault"}, cells: func(m mended) []string { return []string{m.Name} }})
			}
			return tellMended(a.out, names)
		},
	}
}

func tellMended(w io.Writer, names []string) error {
	text := "nothing was broken"
	if len(names) > 0 {
		text = "mended: " + printable(strings.Join(names, ", "))
	}
	_, err := fmt.Fprintln(w, text)
	return err
}
