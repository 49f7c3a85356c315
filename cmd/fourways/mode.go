package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/client"
	"github.com/fourways-id/fourways/internal/console/api"
)

const modeLong = `How the people of a domain sign in. The configuration file says it; "mode set" overrides the file at once, for the next
sign-in on every gateway and without a restart; "mode undo" takes the last change back, and "mode reset" lets the file decide
again. This is also the way out when the premises or an identity provider are down: pta or federated to phs and back, by hand,
never by itself.

Without --domain, the lab's domain for switching is meant: ` + labDomain + `. Outside the lab --domain must be given.`

// labDomain is the lab's domain for switching: its people can sign in by every path.
const labDomain = "lab.example.test"

func newMode(a *app) *cobra.Command {
	var domain string
	g := newGroup("mode", "How a domain's people sign in", modeLong, "  fourways mode set pta\n  fourways mode get --all\n  fourways mode reset --domain lab.example.test",
		newModeGet(a, &domain), newModeSet(a, &domain), newModeUndo(a, &domain), newModeHistory(a, &domain), newModeReset(a, &domain))
	g.PersistentFlags().StringVar(&domain, "domain", "", "the `domain` (in the lab: "+labDomain+")")
	return g
}

// modeOf finds the domain that is meant, and how its people sign in now, with the version that a change names.
func (a *app) modeOf(cmd *cobra.Command, domain string) (*client.Console, client.Version[api.Mode], error) {
	var none client.Version[api.Mode]
	c, err := a.console()
	if err != nil {
		return nil, none, err
	}
	if domain == "" {
		_, isLab, err := a.lab(cmd.Context(), c)
		if err != nil {
			return nil, none, err
		}
		if !isLab {
			return nil, none, misuse(cmd, "--domain is missing: this gateway is no lab, so there is no domain to mean without it; `fourways mode get --all` lists them")
		}
		domain = labDomain
	}
	domain = strings.ToLower(domain)
	m, err := c.Mode(cmd.Context(), domain)
	var problem api.Problem
	if errors.As(err, &problem) && problem.Status == http.StatusNotFound {
		return nil, none, failure{exitNotFound, "there is no such domain", fmt.Sprintf("%s is no domain of this tenant, or is not verified", domain), "`fourways domain list` lists the domains; a new one is a [[domain]] of the configuration, or `fourways domain add`"}
	}
	return c, m, err
}

func modeColumns() columns[api.Mode] {
	return columns[api.Mode]{
		names: []string{"domain", "identity model", "authentication type", "path", "idp", "decided by", "ready", "why"},
		cells: func(m api.Mode) []string {
			return []string{m.Domain, m.Model, m.Type, string(m.Path), m.IdP, m.Rule, yesNo(m.Ready), m.Why}
		},
	}
}

func newModeGet(a *app, domain *string) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "get", Short: "Show how a domain's people sign in now, and why", Long: "Show the path of a domain, the rule that decided, and whether it is ready.",
		Example: "  fourways mode get --domain phs.example.test\n  fourways mode get --all -o json", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !all {
				_, m, err := a.modeOf(cmd, *domain)
				if err != nil {
					return err
				}
				return show(a, m.Object, modeColumns(), func(w io.Writer) error { return writeTable(w, []api.Mode{m.Object}, modeColumns()) })
			}
			if *domain != "" {
				return misuse(cmd, "--all and --domain exclude each other")
			}
			c, err := a.console()
			if err != nil {
				return err
			}
			modes, err := c.Modes(cmd.Context())
			if err != nil {
				return err
			}
			return list(a, modes, modeColumns())
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "every domain")
	return cmd
}

// swap is a change of a domain's path.
type swap struct {
	Before api.Mode `json:"before"`
	After  api.Mode `json:"after"`
}

func newModeSet(a *app, domain *string) *cobra.Command {
	var ask api.ModeChange
	var preview bool
	cmd := &cobra.Command{
		Use: "set PATH", Short: "Swap a domain's path at once", Long: "Swap the path of a domain. PATH is cloud, phs, pta or federated. The next sign-in takes it; nothing is restarted, and sessions\nthat are open stay open. --preview says whom it would affect, and changes nothing.",
		Example: "  fourways mode set phs --preview\n  fourways mode set pta\n  fourways mode set federated --idp oidc --domain lab.example.test --reason \"demo\"", Args: exactly("PATH"),
		ValidArgs: []string{"cloud", "phs", "pta", "federated"},
		RunE: func(cmd *cobra.Command, args []string) error {
			ask.Path = authn.Path(strings.ToLower(args[0]))
			if !ask.Path.Managed() && ask.Path != authn.PathFederated {
				return misuse(cmd, "%q is no path: there are cloud, phs, pta and federated", args[0])
			}
			if ask.IdP != "" && ask.Path != authn.PathFederated {
				return misuse(cmd, "--idp goes with the path federated only")
			}
			c, before, err := a.modeOf(cmd, *domain)
			if err != nil {
				return err
			}
			if preview {
				p, err := c.PreviewMode(cmd.Context(), before.Object.Domain, ask)
				if err != nil {
					return err
				}
				return a.showPreview(p)
			}
			after, err := c.SetMode(cmd.Context(), before.Object.Domain, before.Tag, ask)
			if err != nil {
				return err
			}
			return a.printSwap(swap{before.Object, after})
		},
	}
	cmd.Flags().StringVar(&ask.IdP, "idp", "", "federated: which identity provider, as an `id`, saml or oidc")
	cmd.Flags().StringVar(&ask.Reason, "reason", "", "why, for the history")
	cmd.Flags().BoolVar(&preview, "preview", false, "say whom it would affect, and change nothing")
	return cmd
}

func newModeReset(a *app, domain *string) *cobra.Command {
	return &cobra.Command{
		Use: "reset", Short: "Let the configuration file decide a domain's path again", Long: "Drop the override of a domain. It is no error when there is none.",
		Example: "  fourways mode reset\n  fourways mode reset --domain contoso.example.com", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, before, err := a.modeOf(cmd, *domain)
			if err != nil {
				return err
			}
			after, err := c.ResetMode(cmd.Context(), before.Object.Domain, before.Tag)
			if err != nil {
				return err
			}
			return a.printSwap(swap{before.Object, after})
		},
	}
}

func (a *app) printSwap(s swap) error {
	cols := columns[swap]{
		names: []string{"domain", "before", "after", "ready", "why"},
		cells: func(s swap) []string {
			return []string{s.After.Domain, pathText(s.Before), pathText(s.After), yesNo(s.After.Ready), s.After.Why}
		},
	}
	return show(a, s, cols, func(w io.Writer) error {
		_, err := io.WriteString(w, s.text())
		return err
	})
}

func (s swap) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s -> %s\n", s.After.Domain, pathText(s.Before), pathText(s.After))
	switch {
	case s.After.Ready:
		b.WriteString("ready: the next sign-in takes it\n")
	default:
		b.WriteString("not ready\n")
	}
	if s.After.Why != "" {
		fmt.Fprintf(&b, "why: %s\n", printable(s.After.Why))
	}
	if s.After.Override != nil {
		fmt.Fprintf(&b, "the configuration file says %s; `fourways mode reset --domain %s` goes back to it\n", s.After.File, s.After.Domain)
	}
	return b.String()
}

func pathText(m api.Mode) string {
	if m.IdP != "" {
		return string(m.Path) + " (" + m.IdP + ")"
	}
	return string(m.Path)
}
