package config

import (
	"cmp"
	"slices"
	"time"
)

// Agent is everything that fourways-agent is told (agent.toml).
type Agent struct {
	Agent     AgentSelf       `toml:"agent"`
	Directory OnpremDirectory `toml:"directory"`
	Decoy     Decoy           `toml:"decoy"`
	Sync      AgentSync       `toml:"sync"`

	source source
}

// AgentSelf is who the agent is and what it does.
type AgentSelf struct {
	Name       string   `toml:"name"`
	GatewayURL string   `toml:"gateway_url"` // the public listener, for enrolment
	DataDir    string   `toml:"data_dir"`    // its keys and what enrolment told it
	Roles      []string `toml:"roles"`       // pta, sync
}

// OnpremDirectory is the directory that the agent binds to and reads.
type OnpremDirectory struct {
	Kind             string   `toml:"kind"` // ad or ldap
	URLs             []string `toml:"urls"`
	TLS              string   `toml:"tls"` // starttls, ldaps or plain
	CAFile           string   `toml:"ca_file"`
	ServerName       string   `toml:"server_name"`
	BaseDN           string   `toml:"base_dn"`
	BindDN           string   `toml:"bind_dn"`
	BindPasswordFile string   `toml:"bind_password_file"`
	UserFilter       string   `toml:"user_filter"`      // finds a person: %s is the user name, %u the part before the @; "" means by upn_attribute
	UPNAttribute     string   `toml:"upn_attribute"`    // "" means userPrincipalName (ad), mail (ldap)
	AnchorAttribute  string   `toml:"anchor_attribute"` // "" means objectGUID (ad), entryUUID (ldap)
	Timeout          Duration `toml:"timeout"`
}

// Decoy is the account that is bound in place of people the tenant doesn't know, so that both cost the same.
type Decoy struct {
	UPN          string `toml:"upn"`
	PasswordFile string `toml:"password_file"`
}

// AgentSync is what a syncing agent reads. Who is let through by each of scope, groups and filter is synchronised.
type AgentSync struct {
	Scope             []string `toml:"scope"`               // DNs of organisational units; empty: all of base_dn
	Exclude           []string `toml:"exclude"`             // DNs of organisational units below a scope that are left out
	Groups            []string `toml:"groups"`              // DNs of groups whose direct members alone are in scope; empty: everybody
	Filter            string   `toml:"filter"`              // an LDAP filter that an object must match; "": none
	CloudUPNAttribute string   `toml:"cloud_upn_attribute"` // "" means upn_attribute
	Changes           string   `toml:"changes"`             // how changes are followed: dirsync, usn (ad), syncrepl, csn (ldap); "" is the best there is
	WriteBack         []string `toml:"write_back"`          // attributes that may be written on-premises; empty: none ever is

	HashSource      string `toml:"hash_source"`      // none or attribute
	HashAttribute   string `toml:"hash_attribute"`   // "" means sambaNTPassword (ldap)
	SelectiveHashes string `toml:"selective_hashes"` // exclude (all but PHSFiltered) or include (PHSIncluded alone) by adminDescription; "": everybody's
}

// DefaultAgent is the configuration of an empty agent.toml.
func DefaultAgent() *Agent {
	return &Agent{
		Agent: AgentSelf{DataDir: "./agent-data", Roles: []string{"pta"}},
		Directory: OnpremDirectory{
			Kind: "ad", TLS: "ldaps", Timeout: Duration(5 * time.Second),
		},
		Sync: AgentSync{HashSource: "none"},
	}
}

// complete fills the attributes that were left to the kind of directory.
func (a *Agent) complete() {
	upn, anchor := "userPrincipalName", "objectGUID"
	if a.Directory.Kind == "ldap" {
		upn, anchor = "mail", "entryUUID"
	}
	a.Directory.UPNAttribute = cmp.Or(a.Directory.UPNAttribute, upn)
	a.Directory.AnchorAttribute = cmp.Or(a.Directory.AnchorAttribute, anchor)
	a.Sync.CloudUPNAttribute = cmp.Or(a.Sync.CloudUPNAttribute, a.Directory.UPNAttribute)
	if a.Directory.Kind == "ldap" {
		a.Sync.HashAttribute = cmp.Or(a.Sync.HashAttribute, "sambaNTPassword")
	}
}

// HasRole reports that the agent was given that role.
func (a *Agent) HasRole(role string) bool {
	return slices.Contains(a.Agent.Roles, role)
}
