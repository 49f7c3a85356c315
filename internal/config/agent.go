package config

import "time"

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
	UserFilter       string   `toml:"user_filter"` // "" means that of the kind
	UPNAttribute     string   `toml:"upn_attribute"`
	AnchorAttribute  string   `toml:"anchor_attribute"`
	Timeout          Duration `toml:"timeout"`
}

// Decoy is the account that is bound in place of people the tenant doesn't know, so that both cost the same.
type Decoy struct {
	UPN          string `toml:"upn"`
	PasswordFile string `toml:"password_file"`
}

// AgentSync is what a syncing agent reads.
type AgentSync struct {
	Scope             []string `toml:"scope"` // DNs of organisational units; empty: all of base_dn
	CloudUPNAttribute string   `toml:"cloud_upn_attribute"`
	HashSource        string   `toml:"hash_source"` // none or attribute
	HashAttribute     string   `toml:"hash_attribute"`
}

// DefaultAgent is the configuration of an empty agent.toml.
func DefaultAgent() *Agent {
	return &Agent{
		Agent: AgentSelf{DataDir: "./agent-data", Roles: []string{"pta"}},
		Directory: OnpremDirectory{
			Kind: "ad", TLS: "ldaps", UPNAttribute: "userPrincipalName", AnchorAttribute: "objectGUID",
			Timeout: Duration(5 * time.Second),
		},
		Sync: AgentSync{CloudUPNAttribute: "userPrincipalName", HashSource: "none"},
	}
}

// HasRole reports that the agent was given that role.
func (a *Agent) HasRole(role string) bool {
	for _, r := range a.Agent.Roles {
		if r == role {
			return true
		}
	}
	return false
}
