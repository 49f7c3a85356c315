package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/console/api"
)

const worldOf = `
people, groups, passwords, lockouts, overrides and sign-ins, the directory's people, and how far the clock is ahead. Tokens,
agents, the audit log and the configuration file belong to whoever runs the lab and stay; whoever is signed in is signed out.`

func newReset(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "reset", Short: "Bring the lab's world back as it was seeded",
		Long: "Bring the lab back as it was seeded, while it runs:" + worldOf + `
What is broken on purpose is mended first.`,
		Example: "  fourways reset", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			done, err := c.Reset(cmd.Context())
			return a.showRestored(done, err)
		},
	}
}

func newSnapshot(a *app) *cobra.Command {
	return newGroup("snapshot", "Keep the lab's world and bring it back", "A snapshot is the lab's world at one moment:"+worldOf+`
Snapshots are kept in the lab's data folder, below snapshots; removing one is removing its folder there.`,
		"  fourways snapshot save before-lunch\n  fourways snapshot restore before-lunch",
		newSnapshotSave(a), newSnapshotRestore(a), newSnapshotList(a))
}

func snapshotColumns() columns[api.Snapshot] {
	return columns[api.Snapshot]{
		names: []string{"name", "kept at", "users", "bytes"},
		cells: func(s api.Snapshot) []string {
			return []string{s.Name, when(s.At), strconv.Itoa(s.Users), strconv.FormatInt(s.Bytes, 10)}
		},
	}
}

func newSnapshotSave(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "save NAME", Short: "Keep the world as it is now",
		Long:    "Keep the world as it is now under NAME: letters in lower case, digits, and . _ - within. A name is given once.",
		Example: "  fourways snapshot save before-lunch", Args: exactly("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			kept, err := c.SaveSnapshot(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return show(a, kept, snapshotColumns(), func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s is kept: %d users\n", kept.Name, kept.Users)
				return err
			})
		},
	}
}

func newSnapshotRestore(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "restore NAME", Short: "Bring a kept world back",
		Long:    "Bring a kept world back, while the lab runs. Whoever is signed in is signed out, and what is broken on purpose is mended.",
		Example: "  fourways snapshot restore before-lunch", Args: exactly("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			done, err := c.RestoreSnapshot(cmd.Context(), args[0])
			return a.showRestored(done, err)
		},
	}
}

func newSnapshotList(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the kept worlds", Long: "List the kept worlds by name.", Example: "  fourways snapshot list -o json", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			all, err := c.Snapshots(cmd.Context())
			if err != nil {
				return err
			}
			return list(a, all, snapshotColumns())
		},
	}
}

func (a *app) showRestored(done api.Restored, err error) error {
	if err != nil {
		return err
	}
	cols := columns[api.Restored]{
		names: []string{"world", "users", "milliseconds"},
		cells: func(r api.Restored) []string {
			return []string{r.Name, strconv.Itoa(r.Users), strconv.FormatInt(r.Millis, 10)}
		},
	}
	return show(a, done, cols, func(w io.Writer) error {
		what := "as it was seeded"
		if done.Name != "" {
			what = "as " + done.Name + " kept it"
		}
		_, err := fmt.Fprintf(w, "the world is back %s: %d users, in %d ms\n", what, done.Users, done.Millis)
		return err
	})
}
