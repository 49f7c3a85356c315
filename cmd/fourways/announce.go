package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/lab/world"
)

func (a *app) announce(ctx context.Context, w *workshop, st state, f upFlags, took time.Duration) error {
	if f.quiet {
		return writeLines(a.out, []state{st})
	}
	modes, err := w.gateway.Modes(ctx)
	if err != nil {
		return err
	}
	tw := tabwriter.NewWriter(a.out, 0, 0, 3, ' ', 0)
	if w.lab.World().Exposed {
		fmt.Fprintf(tw, "fourways %s   LAB, EXPOSED: other machines reach it over plain http, so anybody on the way reads what is typed\n\n", version())
	} else {
		fmt.Fprintf(tw, "fourways %s   LAB: its passwords are public, keep it to yourself\n\n", version())
	}
	fmt.Fprintf(tw, "  Sign in\t%s\tready in %.1f s\n", st.SignInURL, took.Seconds())
	fmt.Fprintf(tw, "  Harbour Mail\t%s/app/\tthe demo application\n", st.SignInURL)
	fmt.Fprintf(tw, "  Harbour ID\t%s\tanother company's identity provider\n", st.IdPURL)
	fmt.Fprintf(tw, "  Console API\t%s/api/v1\tthe commands find it by themselves\n", st.ConsoleURL)
	fmt.Fprintf(tw, "  Metrics\t%s\thealth: /readyz?verbose\n\n", st.MetricsURL)
	if err := tw.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(tw, "  DOMAIN\tPATH\tSTATUS\tTRY")
	for _, m := range modes {
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\n", m.Domain, inWords(m), readiness(m), try(m))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if c := st.Crowd; c != nil {
		fmt.Fprintf(a.out, "\n  crowd: %d people, %s to %s\n", c.Count, c.First, c.Last)
	}
	_, err = fmt.Fprintf(a.out, "\n  password of nearly everybody: %s   (the sign-in page lists them all)\n%s  next: %s signin alice@%s --trace\n        %[3]s compare alice\n  data: %[5]s   ctrl-c stops\n",
		w.lab.Password(), a.wayTo(w.dir), self(), world.PTADomain, w.dir)
	return err
}

// wayTo is what a person types first in another window, so that the commands find a lab that is not in ./.fourways.
func (a *app) wayTo(dir string) string {
	usual, err := filepath.Abs(a.first("", envDir, ".fourways"))
	if err != nil || usual == dir {
		return ""
	}
	return fmt.Sprintf("  elsewhere first: export %s=%s\n", envDir, dir)
}

// self is how a person calls this program again: `go run` leaves nothing behind that could be called.
func self() string {
	if path, err := os.Executable(); err == nil && strings.Contains(path, string(filepath.Separator)+"go-build") {
		return "go run ./cmd/fourways"
	}
	return "fourways"
}

func inWords(m api.Mode) string {
	if m.Protocol != "" {
		return m.Path.InWords() + " (" + m.Protocol + ")"
	}
	return m.Path.InWords()
}

func readiness(m api.Mode) string {
	if m.Ready {
		return "ready"
	}
	return "not ready: " + m.Why
}

func try(m api.Mode) string {
	if m.Domain == world.LabDomain {
		return "fourways mode set pta"
	}
	return "alice@" + m.Domain
}
