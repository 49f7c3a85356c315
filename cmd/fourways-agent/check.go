package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/onprem"
)

const (
	checkWithin = time.Minute

	// clocksApart is how far the clock of the directory may be from this machine's before it is worth a word.
	clocksApart = time.Minute
)

func newCheck(load loader) *cobra.Command {
	var offline bool
	cmd := &cobra.Command{
		Use: "check", Short: "Check configuration, files, directory, decoy account, what a synchronisation needs, and keys", Args: usage(cobra.NoArgs),
		Example: "  fourways-agent check -c agent.toml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load()
			if err != nil {
				return err
			}
			cmd.Println("ok: configuration")
			if offline {
				return nil
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), checkWithin)
			defer cancel()
			if err := checkDirectory(ctx, cmd, c); err != nil {
				return err
			}
			if c.HasRole(agentlink.RoleSync) {
				if err := checkSync(ctx, cmd, c); err != nil {
					return err
				}
			}
			id, err := agentlink.LoadIdentity(identityPath(c))
			if err != nil {
				return err
			}
			if missing := notGranted(c.Agent.Roles, id.Roles); missing != "" {
				return fmt.Errorf("the gateway enrolled this agent without the role %s: invite it anew with that role", missing)
			}
			cmd.Printf("ok: enrolled as %s (%s), broker %s\n", id.Name, id.AgentID, id.URL)
			return nil
		},
	}
	cmd.Flags().BoolVar(&offline, "offline", false, "check the configuration alone: no other file, no network")
	return cmd
}

// checkDirectory goes to the directory as a sign-in would, with the decoy account.
func checkDirectory(ctx context.Context, cmd *cobra.Command, c *config.Agent) error {
	d, err := openDirectory(c)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Check(ctx); err != nil {
		return &exitError{fmt.Errorf("directory: %w", err), exitUnreachable}
	}
	cmd.Println("ok: directory")
	if !c.HasRole(agentlink.RolePTA) {
		return nil
	}
	decoy, err := openDecoy(c)
	if err != nil {
		return err
	}
	defer decoy.Password.Wipe()
	if v := d.Bind(ctx, decoy.UPN, decoy.Password); v.Reason != authn.None {
		return fmt.Errorf("the decoy account %s can't sign in (%s): %w", decoy.UPN, v.Reason, v.Cause)
	}
	cmd.Println("ok: decoy account")
	return nil
}

func notGranted(want, have []string) string {
	for _, r := range want {
		if !slices.Contains(have, r) {
			return r
		}
	}
	return ""
}

// checkSync looks at what a synchronisation needs: reading, hashes, following changes, and the time. What is merely slower or
// less without it is a warning.
func checkSync(ctx context.Context, cmd *cobra.Command, c *config.Agent) error {
	d, err := openDirectory(c)
	if err != nil {
		return err
	}
	defer d.Close()
	o := sourceOptions(c)
	o.WriteBack = nil // a look changes nothing
	source := agent.NewSource(d, o)
	objects, err := firstPart(ctx, source, dirsync.KindDirectory)
	if err != nil {
		return &exitError{err, exitUnreachable}
	}
	if len(objects) == 0 {
		cmd.Println("warning: reading: nobody is in scope: correct sync.scope, or give the account the right to read what is there")
	} else {
		cmd.Printf("ok: reading: %d objects in the first part\n", len(objects))
	}
	if o.HashAttribute != "" {
		if err := checkHashes(ctx, cmd, source, o.HashAttribute); err != nil {
			return err
		}
	}
	if err := checkChanges(ctx, cmd, c); err != nil {
		return err
	}
	return checkTime(ctx, cmd, d)
}

var errEnough = errors.New("enough was read")

func firstPart(ctx context.Context, s dirsync.Source, kind dirsync.Kind) ([]dirsync.Object, error) {
	var first []dirsync.Object
	err := s.Read(ctx, dirsync.Ask{Kind: kind}, func(p dirsync.Part) error {
		first = p.Objects
		return errEnough
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return first, err
}

func checkHashes(ctx context.Context, cmd *cobra.Command, s dirsync.Source, attribute string) error {
	people, err := firstPart(ctx, s, dirsync.KindHash)
	if err != nil {
		return &exitError{err, exitUnreachable}
	}
	missing := 0
	for _, o := range people {
		if o.Withheld == dirsync.WithheldMissing {
			missing++
		}
	}
	if missing == len(people) && missing > 0 {
		cmd.Printf("warning: hashes: %s can be seen of none of %d people: give the service account the right to read it\n", attribute, missing)
		return nil
	}
	cmd.Printf("ok: hashes: %s can be seen of %d of %d people\n", attribute, len(people)-missing, len(people))
	return nil
}

// checkChanges says by which way changes are followed, and what the better ones lack.
func checkChanges(ctx context.Context, cmd *cobra.Command, c *config.Agent) error {
	ways := map[string][]string{onprem.AD: {onprem.DirSync, onprem.USN}, onprem.LDAP: {onprem.Syncrepl, onprem.CSN}}[c.Directory.Kind]
	if c.Sync.Changes != "" {
		ways = []string{c.Sync.Changes}
	}
	for _, way := range ways {
		d, err := openBy(c, way)
		if err != nil {
			return err
		}
		_, err = d.Position(ctx)
		d.Close()
		switch {
		case err == nil:
			cmd.Printf("ok: changes are followed by %s\n", way)
			return nil
		case !errors.Is(err, onprem.ErrPosition):
			return &exitError{err, exitUnreachable}
		}
		cmd.Printf("note: not by %s: %s\n", way, printable(err.Error()))
	}
	cmd.Println("warning: changes can't be followed: every run will read all")
	return nil
}

func checkTime(ctx context.Context, cmd *cobra.Command, d *onprem.Directory) error {
	told, err := d.Time(ctx)
	if errors.Is(err, onprem.ErrNoClock) {
		return nil
	}
	if err != nil {
		return &exitError{err, exitUnreachable}
	}
	if apart := time.Since(told); apart.Abs() > clocksApart {
		cmd.Printf("warning: clock: the directory's is %s away from this machine's: let both follow the same time\n", apart.Abs().Round(time.Second))
		return nil
	}
	cmd.Println("ok: clock")
	return nil
}
