package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/golden"
)

// reference is the golden file of every --help.
const reference = "../../docs/reference/cli.md"

func TestReferenceIsTheHelpOfEveryCommand(t *testing.T) {
	s := newShell(t)
	var b strings.Builder
	b.WriteString("# The command line\n\nGenerated from the commands themselves: `go test ./cmd/fourways -run TestReference -update`.\n")
	for _, path := range pages(newRoot(&app{})) {
		fmt.Fprintf(&b, "\n## %s\n\n```text\n%s\n```\n", path, strings.TrimSpace(s.want(exitOK, append(strings.Fields(path)[1:], "--help")...).out))
	}
	golden.Check(t, reference, b.String())
}

// pages lists the full names of all commands and topics, in the order of the tree.
func pages(root *cobra.Command) []string {
	var all []string
	each(root, func(c *cobra.Command) {
		if !c.Hidden && (c.Parent() == nil || c.Parent().Name() != "completion") {
			all = append(all, c.CommandPath())
		}
	})
	return all
}

func TestEveryCommandExplainsItself(t *testing.T) {
	root := newRoot(&app{})
	n := 0
	each(root, func(c *cobra.Command) {
		if c.Parent() != nil && c.Parent().Name() == "completion" {
			return // cobra's
		}
		n++
		if c.Short == "" || c.Long == "" || c.Runnable() && c.Example == "" {
			t.Errorf("%s lacks Short, Long or Example", c.CommandPath())
		}
		for line := range strings.Lines(c.Long + "\n" + c.Example) {
			if strings.Contains(line, "\t") {
				t.Errorf("%s: a tab in its text", c.CommandPath())
			}
		}
	})
	if n < 40 {
		t.Errorf("%d commands: the tree was not walked", n)
	}
}

// TestExamplesAreCommandLines runs no example, but holds each against the tree: its command is there, and so are its flags.
func TestExamplesAreCommandLines(t *testing.T) {
	each(newRoot(&app{}), func(c *cobra.Command) {
		for line := range strings.Lines(c.Example) {
			_, line, ours := strings.Cut(line, "fourways ")
			if !ours {
				continue
			}
			line, _, _ = strings.Cut(line, " | ") // what follows is another command
			words := strings.Fields(strings.TrimRight(line, ")\n"))
			found, rest, err := newRoot(&app{}).Find(words)
			if err != nil {
				t.Errorf("%s: example %q: %v", c.CommandPath(), line, err)
				continue
			}
			found.InitDefaultHelpFlag()
			for _, w := range rest {
				name, isFlag := strings.CutPrefix(w, "--")
				name, _, _ = strings.Cut(name, "=")
				if isFlag && found.Flag(name) == nil {
					t.Errorf("%s: example %q: there is no flag %s", c.CommandPath(), line, w)
				}
			}
		}
	})
}

func TestExitCodesOfTheHelpAreThoseOfTheProgram(t *testing.T) {
	text := newShell(t).want(exitOK, "help", "exit-codes").out
	for _, code := range []int{exitOK, exitFailed, exitUsage, exitConfig, exitUnreachable, exitGuard, exitUnexpected, exitDenied, exitNotFound, exitConflict, exitInterrupted} {
		says(t, text, fmt.Sprintf("\n  %3d  ", code))
	}
}

func TestHelpFitsATerminal(t *testing.T) {
	s := newShell(t)
	for _, path := range pages(newRoot(&app{})) {
		for line := range strings.Lines(s.want(exitOK, append(strings.Fields(path)[1:], "--help")...).out) {
			if len([]rune(line)) > 150 {
				t.Errorf("%s --help has a line of %d characters: %s", path, len([]rune(line)), line)
			}
		}
	}
}
