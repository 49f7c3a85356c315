// Package config turns a TOML file and FOURWAYS_SECTION__KEY variables into typed settings.
//
// In come a file's bytes and the environment; out comes a Config, or *Errors with every complaint at once, each with
// file, line, column, key, what is wrong and what to do. Load judges the text alone; Check looks at the files it names.
// The package never opens a listener or a store, never reads the content of a secret, and no key holds a secret itself:
// secrets live in files of their own.
package config

import (
	"net/netip"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// Duration is a time.Duration that is written as Go writes it: "90s", "2m", "24h".
type Duration time.Duration

// String writes the duration as a file does.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText writes the duration as a file does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Config is everything that the gateway is told. Make one with Load or Default; a Config is not changed afterwards.
type Config struct {
	Server   Server    `toml:"server"`
	Store    Store     `toml:"store"`
	Tenant   Tenant    `toml:"tenant"`
	SignIn   SignIn    `toml:"signin"`
	Lockout  Lockout   `toml:"lockout"`
	Password Password  `toml:"password"`
	Hashing  Hashing   `toml:"hashing"`
	PTA      PTA       `toml:"pta"`
	Sync     Sync      `toml:"sync"`
	Log      Log       `toml:"log"`
	Lab      *Lab      `toml:"lab,omitempty"` // nil: no [lab] table
	Domain   []Domain  `toml:"domain,omitempty"`
	IdP      []IdP     `toml:"idp,omitempty"`
	Rollout  []Rollout `toml:"rollout,omitempty"`
	License  []License `toml:"license,omitempty"`
	App      []App     `toml:"app,omitempty"`

	source source // where each key came from, for complaints and Show
}

// Server is where the gateway listens and what it is called.
type Server struct {
	PublicURL       string   `toml:"public_url"`
	PublicListen    string   `toml:"public_listen"`
	ConsoleListen   string   `toml:"console_listen"`
	TelemetryListen string   `toml:"telemetry_listen"`
	AgentListen     string   `toml:"agent_listen"`
	AgentURL        string   `toml:"agent_url"` // "" means tls://<host of public_url>:<port of agent_listen>
	TLSCertFile     string   `toml:"tls_cert_file"`
	TLSKeyFile      string   `toml:"tls_key_file"`
	TrustedProxies  []string `toml:"trusted_proxies"` // addresses or CIDR prefixes; see Proxies
}

// The drivers of a store.
const (
	DriverSQLite   = "sqlite"
	DriverPostgres = "postgres"
)

// Store is where everything lives that must survive.
type Store struct {
	Driver      string   `toml:"driver"`   // sqlite or postgres
	Path        string   `toml:"path"`     // sqlite: the file
	URLFile     string   `toml:"url_file"` // postgres: the file that holds the connection URL, which holds a password
	RootKeyFile string   `toml:"root_key_file"`
	Retention   Duration `toml:"retention"`   // of the sign-in log and its traces
	MaxSignIns  int      `toml:"max_signins"` // rows of the sign-in log; the oldest go first. 0: no bound
}

// Tenant is whose gateway this is.
type Tenant struct {
	Name          string `toml:"name"`
	InitialDomain string `toml:"initial_domain"`
	UsageLocation string `toml:"usage_location"` // of people who get a licence by a group and have none; "": none
	Resolver      string `toml:"resolver"`       // DNS server that proves domains, host:port; "": the machine's own
}

// Domain is one [[domain]] of the file.
type Domain struct {
	Name             string     `toml:"name"`
	Path             authn.Path `toml:"path"`
	IdP              string     `toml:"idp,omitempty"`
	PasswordHashSync *bool      `toml:"password_hash_sync,omitempty"` // nil: on when path is phs
	PasswordExpiry   Duration   `toml:"password_expiry,omitempty"`    // of cloud passwords; 0: none
}

// SignIn bounds sessions and what one address may ask.
type SignIn struct {
	SessionTTL     Duration `toml:"session_ttl"`
	SessionIdle    Duration `toml:"session_idle"`
	PerAddressRate float64  `toml:"per_address_rate"` // sign-in requests a second; 0: no limit
}

// Lockout bounds guessing at one account.
type Lockout struct {
	Threshold int      `toml:"threshold"`
	Duration  Duration `toml:"duration"`
}

// Password is what a new cloud password must not be.
type Password struct {
	BannedWords  []string `toml:"banned_words"`  // beside the built-in list; at most 1000
	BreachedFile string   `toml:"breached_file"` // sorted SHA-1 or NT hashes of passwords that have leaked; "": none
}

// Hashing is what a cloud password costs and how many are worked on at once.
type Hashing struct {
	Argon2Memory      int `toml:"argon2_memory"` // KiB
	Argon2Time        int `toml:"argon2_time"`
	Argon2Parallelism int `toml:"argon2_parallelism"`
	Workers           int `toml:"workers"`     // 0: one a processor
	QueueLimit        int `toml:"queue_limit"` // waiting sign-ins; beyond it they are shed. 0: 32 a worker
}

// PTA is pass-through authentication.
type PTA struct {
	RequestTimeout Duration `toml:"request_timeout"`
}

// Sync is the synchronisation with the on-premises directory.
type Sync struct {
	DirectoryInterval Duration `toml:"directory_interval"`
	HashInterval      Duration `toml:"hash_interval"`
	Paused            bool     `toml:"paused"`
	MaxDeletes        int      `toml:"max_deletes"`
	MaxDeleteRatio    float64  `toml:"max_delete_ratio"`
	FullInterval      Duration `toml:"full_interval"`  // all is read at least that often
	WatchInterval     Duration `toml:"watch_interval"` // how often it is asked who changed a password; 0: never
	InitialDomain     string   `toml:"initial_domain"` // of people whose UPN suffix is no domain here; "": they are left out
	SoftMatch         bool     `toml:"soft_match"`     // new objects may take over accounts of the cloud by name or address
	HardMatch         bool     `toml:"hard_match"`     // or by an immutable ID that was given by hand
	ForceChange       bool     `toml:"force_password_change_on_logon"`
}

// IdP is one [[idp]] of the file.
type IdP struct {
	ID               string      `toml:"id"`
	Protocol         string      `toml:"protocol"` // saml or oidc
	Domains          []string    `toml:"domains"`
	Match            authn.Match `toml:"match"`
	MetadataFile     string      `toml:"metadata_file,omitempty"` // saml
	Metadata         string      `toml:"metadata,omitempty"`      // saml: the XML itself
	Binding          string      `toml:"binding,omitempty"`       // saml: redirect or post, of the request
	Issuer           string      `toml:"issuer,omitempty"`        // oidc
	ClientID         string      `toml:"client_id,omitempty"`     // oidc
	ClientSecretFile string      `toml:"client_secret_file,omitempty"`
	ClockSkew        Duration    `toml:"clock_skew"`
}

// Rollout is one [[rollout]] of the file: the direct members of a group sign in by a managed path where their domain is
// federated.
type Rollout struct {
	Group string     `toml:"group"` // its name or id
	Path  authn.Path `toml:"path"`  // phs or pta
}

// License is one [[license]] of the file: a plan with its seats and services.
type License struct {
	ID       string   `toml:"id"`
	Name     string   `toml:"name"`
	Seats    int      `toml:"seats"`
	Services []string `toml:"services"`
}

// App is one [[app]] of the file: an application behind the door.
type App struct {
	ID                 string   `toml:"id"`
	Name               string   `toml:"name"`
	RequiredService    string   `toml:"required_service"`
	AssignmentRequired bool     `toml:"assignment_required"`
	Roles              []string `toml:"roles"`
}

// Log is how the gateway's own log looks.
type Log struct {
	Level  string `toml:"level"`
	Format string `toml:"format"`
}

// Lab is the simulated world; `serve` refuses it.
type Lab struct {
	Seed       int    `toml:"seed"`
	Users      int    `toml:"users"` // extra ones beside the people of the demo world
	Expose     bool   `toml:"expose"`
	IdPListen  string `toml:"idp_listen"`
	LDAPListen string `toml:"ldap_listen"`
}

// Default is the configuration of an empty file: no domain, so nobody can sign in yet.
func Default() *Config {
	return &Config{
		Server: Server{
			PublicURL: "http://localhost:8400", PublicListen: ":8400", ConsoleListen: "127.0.0.1:8401",
			TelemetryListen: "127.0.0.1:8402", AgentListen: ":8403",
		},
		Store: Store{
			Driver: DriverSQLite, Path: "./data/fourways.db", RootKeyFile: "./data/root.key", Retention: Duration(30 * 24 * time.Hour),
		},
		Tenant:  Tenant{Name: "Example"},
		SignIn:  SignIn{SessionTTL: Duration(24 * time.Hour), SessionIdle: Duration(8 * time.Hour), PerAddressRate: 10},
		Lockout: Lockout{Threshold: 10, Duration: Duration(time.Minute)},
		Hashing: Hashing{Argon2Memory: 19456, Argon2Time: 2, Argon2Parallelism: 1},
		PTA:     PTA{RequestTimeout: Duration(10 * time.Second)},
		Sync: Sync{
			DirectoryInterval: Duration(30 * time.Minute), HashInterval: Duration(2 * time.Minute),
			MaxDeletes: 500, MaxDeleteRatio: 0.2, FullInterval: Duration(7 * 24 * time.Hour), WatchInterval: Duration(10 * time.Second),
			SoftMatch: true, HardMatch: true,
		},
		Log: Log{Level: "info", Format: "text"},
	}
}

// defaultLab is what a [lab] table begins with.
func defaultLab() *Lab {
	return &Lab{Seed: 1, IdPListen: "127.0.0.1:8404", LDAPListen: "127.0.0.1:8405"}
}

func defaultIdP() IdP {
	return IdP{Match: authn.MatchAnchor, Binding: "redirect", ClockSkew: Duration(2 * time.Minute)}
}

// HashSync reports that the domain's password hashes are synchronised: as said, else when its path needs them.
func (d Domain) HashSync() bool {
	if d.PasswordHashSync != nil {
		return *d.PasswordHashSync
	}
	return d.Path == authn.PathPHS
}

// Domains lists the domains as the tenant knows them, names normalised, in the file's order.
func (c *Config) Domains() []directory.Domain {
	all := make([]directory.Domain, len(c.Domain))
	for i, d := range c.Domain {
		all[i] = directory.Domain{Name: d.Name, Path: d.Path, IdP: d.IdP, PHS: d.HashSync(), Expiry: time.Duration(d.PasswordExpiry)}
	}
	return all
}

// IdPs lists the identity providers as the tenant knows them. The issuer of a SAML one stands in its metadata and is
// empty here.
func (c *Config) IdPs() []directory.IdP {
	all := make([]directory.IdP, len(c.IdP))
	for i, p := range c.IdP {
		all[i] = directory.IdP{ID: p.ID, Protocol: p.Protocol, Issuer: p.Issuer, Domains: p.Domains, Match: p.Match}
	}
	return all
}

// Proxies are the networks whose X-Forwarded-For is believed.
func (c *Config) Proxies() []netip.Prefix {
	var all []netip.Prefix
	for _, s := range c.Server.TrustedProxies {
		if p, err := parseNetwork(s); err == nil {
			all = append(all, p)
		}
	}
	return all
}

// parseNetwork reads a CIDR prefix, or one address.
func parseNetwork(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.ParsePrefix(s)
}
