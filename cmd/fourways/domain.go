package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

const domainLong = `The domains of the tenant. Those of the configuration file are verified: whoever writes it vouches for them. One that is added here
is not, and until it is verified nobody signs in there and no account can be made in it. It begins on the path cloud; "fourways
mode set" moves it to another.`

func newDomain(a *app) *cobra.Command {
	return newGroup("domain", "Domains: add, verify, and change settings of them", domainLong,
		"  fourways domain add contoso.example.com\n  fourways domain verify contoso.example.com\n  fourways domain update contoso.example.com --password-hash-sync on",
		newDomainList(a), newDomainShow(a), newDomainAdd(a), newDomainVerify(a), newDomainUpdate(a), newDomainRemove(a))
}

func domainColumns() columns[directory.DomainDetail] {
	return columns[directory.DomainDetail]{
		names: []string{
			"domain", "declared in", "verified", "by", "path", "hash synchronisation", "hash synchronisation set by",
			"password expiry", "password expiry set by", "initial", "txt record",
		},
		cells: func(d directory.DomainDetail) []string {
			return []string{d.Name, d.Source, yesNo(d.Verified), d.VerifiedBy, string(d.Path), onOff(d.PHS), d.PHSFrom, age(d.Expiry), d.ExpiryFrom, yesNo(d.Initial), d.Record}
		},
	}
}

// domainTable is what fits into a terminal: "show" and the other formats tell the rest.
func domainTable() columns[directory.DomainDetail] {
	return columns[directory.DomainDetail]{
		names: []string{"domain", "declared in", "verified by", "path", "hash sync", "expiry", "initial"},
		cells: func(d directory.DomainDetail) []string {
			by := d.VerifiedBy
			if !d.Verified {
				by = "(unverified)"
			}
			return []string{d.Name, d.Source, by, string(d.Path), onOff(d.PHS), age(d.Expiry), yesNo(d.Initial)}
		},
	}
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

// age is how long a password is good, in days where it is whole days.
func age(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d == 0:
		return "none"
	case d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	}
	return d.String()
}

func newDomainList(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the domains, verified or not", Long: "List the domains of the configuration file and those that were added.",
		Example: "  fourways domain list -o json", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			all, err := c.Domains(cmd.Context())
			if err != nil {
				return err
			}
			if a.flags.output == formatTable {
				return list(a, all, domainTable())
			}
			return list(a, all, domainColumns())
		},
	}
}

func newDomainShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show DOMAIN", Short: "Show a domain, and where its settings come from", Long: "Show a domain: whether it is verified, the TXT record that proves it, its settings and where each comes from.",
		Example: "  fourways domain show contoso.example.com", Args: exactly("DOMAIN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			d, err := c.Domain(cmd.Context(), strings.ToLower(args[0]))
			if err != nil {
				return err
			}
			return a.showDomain(d.Object)
		},
	}
}

func (a *app) showDomain(d directory.DomainDetail) error {
	return show(a, d, domainColumns(), func(w io.Writer) error {
		_, err := io.WriteString(w, domainText(d))
		return err
	})
}

func domainText(d directory.DomainDetail) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (declared in: %s)\n", d.Name, d.Source)
	if d.Verified {
		fmt.Fprintf(&b, "verified: by %s\n", printable(d.VerifiedBy))
		fmt.Fprintf(&b, "path: %s\n", d.Path)
	} else {
		fmt.Fprintf(&b, "verified: no; nobody signs in there yet. Make this TXT record of %s, then `fourways domain verify %s`:\n  %s\n", d.Name, d.Name, d.Record)
	}
	fmt.Fprintf(&b, "password hash synchronisation: %s (%s)\n", onOff(d.PHS), d.PHSFrom)
	fmt.Fprintf(&b, "cloud passwords expire: %s (%s)\n", age(d.Expiry), d.ExpiryFrom)
	if d.Initial {
		b.WriteString("it is the initial domain\n")
	}
	return b.String()
}

func newDomainAdd(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "add DOMAIN", Short: "Add a domain, unverified", Long: "Add a domain and say which TXT record proves that it is yours.",
		Example: "  fourways domain add contoso.example.com", Args: exactly("DOMAIN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			d, err := c.AddDomain(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.showDomain(d)
		},
	}
}

func newDomainVerify(a *app) *cobra.Command {
	var vouch bool
	cmd := &cobra.Command{
		Use: "verify DOMAIN", Short: "Verify a domain by its TXT record", Long: `Look for the domain's TXT record in DNS (tenant.resolver names the server). --vouch verifies without DNS, in your name: for labs
and for networks that have none. People can sign in there from then on.`,
		Example: "  fourways domain verify contoso.example.com\n  fourways domain verify contoso.example.com --vouch", Args: exactly("DOMAIN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			d, err := c.VerifyDomain(cmd.Context(), strings.ToLower(args[0]), vouch)
			if err != nil {
				return err
			}
			return a.showDomain(d)
		},
	}
	cmd.Flags().BoolVar(&vouch, "vouch", false, "without DNS: you answer for it")
	return cmd
}

func newDomainUpdate(a *app) *cobra.Command {
	var hashes, expiry string
	cmd := &cobra.Command{
		Use: "update DOMAIN", Short: "Change settings of a domain", Long: `Change settings of a domain at run time, for the next sign-in on every gateway. They win over the configuration file until they are
given back to it with "file". With the hash synchronisation off, the hashes that are stored go at once; it stays on where people
sign in by them.`,
		Example: "  fourways domain update contoso.example.com --password-hash-sync on\n  fourways domain update contoso.example.com --password-expiry 90d\n  fourways domain update contoso.example.com --password-expiry file",
		Args:    exactly("DOMAIN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var ask api.DomainChange
			given(cmd, "password-hash-sync", &ask.HashSync, hashes)
			given(cmd, "password-expiry", &ask.Expiry, expiry)
			if ask == (api.DomainChange{}) {
				return misuse(cmd, "nothing is to be changed: give --password-hash-sync or --password-expiry")
			}
			c, err := a.console()
			if err != nil {
				return err
			}
			before, err := c.Domain(cmd.Context(), strings.ToLower(args[0]))
			if err != nil {
				return err
			}
			after, err := c.ChangeDomain(cmd.Context(), before.Object.Name, before.Tag, ask)
			if err != nil {
				return err
			}
			return a.showChangedDomain(before.Object.PHS, after, ask.HashSync != nil)
		},
	}
	cmd.Flags().StringVar(&hashes, "password-hash-sync", "", "`on`, off or file")
	cmd.Flags().StringVar(&expiry, "password-expiry", "", "how long a cloud password is good, as `90d`, 36h, none or file")
	return cmd
}

// showChangedDomain shows a domain after a change, and what the switch of hash synchronisation came to; it was on before or
// not.
func (a *app) showChangedDomain(before bool, d api.DomainChanged, switched bool) error {
	cols := domainColumns()
	return show(a, d, columns[api.DomainChanged]{cols.names, func(d api.DomainChanged) []string { return cols.cells(d.DomainDetail) }}, func(w io.Writer) error {
		text := domainText(d.DomainDetail)
		switch {
		case switched && !d.PHS:
			text += fmt.Sprintf("synchronised hashes that were dropped: %d\n", d.Dropped)
		case d.PHS && !before:
			text += "hashes come with the next synchronisation: `fourways sync run` fetches them now\n"
		}
		_, err := io.WriteString(w, text)
		return err
	})
}

func newDomainRemove(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "remove DOMAIN", Short: "Remove a domain that has no accounts", Long: "Remove a domain that was added at run time. One that has accounts stays, also deleted ones that can be restored, and so does the\ninitial domain (exit code 5).",
		Example: "  fourways domain remove contoso.example.com", Args: exactly("DOMAIN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			name := strings.ToLower(args[0])
			if err := c.RemoveDomain(cmd.Context(), name, ""); err != nil {
				return err
			}
			return a.done(name, "removed")
		},
	}
}
