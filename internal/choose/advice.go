package choose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fourways-id/fourways/authn"
)

// costs is what a path asks of its owner: servers, network, certificates, and what happens when something is down.
func costs(r Recommendation) []string {
	var all []string
	switch r.Path {
	case authn.PathCloud:
		all = []string{"Servers on-premises: none.", "Down: nothing but the gateway itself."}
	case authn.PathPHS:
		all = []string{
			"Servers on-premises: one agent with the role sync; it dials out.",
			"Down: sign-ins go on when the premises are down; changes wait.",
			"A disabled account is refused after the next directory run (30 minutes by default); the directory's account expiry, password expiry, lockout and sign-in hours do not apply.",
		}
	case authn.PathPTA:
		all = []string{
			"Servers on-premises: Microsoft recommends three agents or more with the role pta; they dial out, no port is opened.",
			"Down: without an agent or a domain controller nobody signs in (80001, 80007).",
			"Keep lockout.threshold below the directory's: its two to three times as large.",
		}
	case authn.PathFederated, authn.PathNone:
		if r.hybrid() {
			all = append(all, "Servers on-premises: for AD FS Microsoft counts two servers or more, and two Web Application Proxies in front of them.")
		}
		all = append(all,
			"The provider must face the internet, with a TLS certificate of its own; so must the gateway.",
			"Down: with the provider down nobody signs in. Its signing certificate must be renewed in time here as well.",
		)
	}
	switch {
	case r.hybrid() && r.Path != authn.PathPHS:
		all = append(all, "Accounts: an agent with the role sync brings them, whatever the path.")
	case r.Path == authn.PathFederated:
		all = append(all, "Accounts: make each with `fourways user create`; whoever has none is not let in, whatever the provider says.")
	}
	if r.Hashes && r.Path != authn.PathPHS {
		all = append(all, "Backup: an agent with the role sync brings the hashes; `fourways mode set phs --domain "+r.Domain+"` is the way out, by hand.")
	}
	return all
}

// hybrid reports that the people come from a directory on-premises.
func (r Recommendation) hybrid() bool {
	return slices.ContainsFunc(r.Why, func(a Answer) bool { return a.Key == first && a.Word == onPremises })
}

// toml is the domain's part of the configuration; files that it names have to be put there.
func toml(r Recommendation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[[domain]]\nname = %q\npath = %q\n", r.Domain, r.Path)
	if r.Path == authn.PathFederated {
		b.WriteString("idp = \"partner\"\n")
	}
	if r.Path != authn.PathCloud {
		fmt.Fprintf(&b, "password_hash_sync = %t\n", r.Hashes)
	}
	if r.Path != authn.PathFederated {
		return b.String()
	}
	match := authn.MatchUPN // accounts that are made here have no anchor, and few OpenID providers tell one
	if r.hybrid() && r.Protocol == "saml" {
		match = authn.MatchAnchor
	}
	fmt.Fprintf(&b, "\n[[idp]]\nid = \"partner\"\nprotocol = %q\ndomains = [%q]\nmatch = %q\n", r.Protocol, r.Domain, match)
	if r.Protocol == "saml" {
		b.WriteString("metadata_file = \"./partner-metadata.xml\"\n")
	} else {
		b.WriteString("issuer = \"https://login.partner.example\"\nclient_id = \"fourways\"\nclient_secret_file = \"./partner-client-secret\"\n")
	}
	return b.String()
}

// show is what to type in the lab to see the path work, and fail.
func show(r Recommendation) []string {
	all := []string{"fourways up"}
	const lab = "lab.example.test"
	switch r.Path {
	case authn.PathCloud:
		return append(all, "fourways signin alice@cloud.example.test --trace", "fourways fault set dc-down", "fourways signin alice@cloud.example.test", "fourways fault clear")
	case authn.PathFederated:
		all = append(all, "fourways mode set federated --idp "+r.Protocol+" --domain "+lab, "fourways signin alice@"+lab+" --trace", "fourways fault set idp-down")
	case authn.PathPHS, authn.PathPTA, authn.PathNone:
		all = append(all, "fourways mode set "+string(r.Path)+" --domain "+lab, "fourways signin alice@"+lab+" --trace", "fourways fault set dc-down")
	}
	all = append(all, "fourways signin alice@"+lab)
	if r.Hashes && r.Path != authn.PathPHS {
		all = append(all, "fourways mode set phs --domain "+lab, "fourways signin alice@"+lab)
	}
	return append(all, "fourways fault clear", "fourways mode reset --domain "+lab)
}
