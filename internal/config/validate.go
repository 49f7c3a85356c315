package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// validator judges values that have the right type, alone and against each other.
type validator struct {
	src  source
	list []Complaint

	exposed bool // a lab that others are to reach over plain http: `up --expose` says so, and warns
}

func (v *validator) bad(key, wrong, do string) {
	v.list = append(v.list, v.src.complaint(key, wrong, do))
}

// written reports that key stands in the file or the environment.
func (v *validator) written(key string) bool { return v.src.origin(key) != OriginDefault }

func (v *validator) config(c *Config) {
	v.exposed = c.Lab != nil && c.Lab.Expose
	v.server(c)
	v.store(c)
	v.limits(c)
	v.password(c)
	v.domains(c)
	v.idps(c)
	v.licences(c)
	v.rollouts(c)
	if c.Lab != nil {
		v.listen("lab.idp_listen", c.Lab.IdPListen)
		v.listen("lab.ldap_listen", c.Lab.LDAPListen)
		within(v, "lab.users", c.Lab.Users, 0, 1_000_000)
	}
}

func (v *validator) store(c *Config) {
	s := &c.Store
	v.oneOf("store.driver", s.Driver, DriverSQLite, DriverPostgres)
	if s.Driver == DriverPostgres {
		v.need("store.url_file", s.URLFile, "name the file that holds the connection URL")
		if v.written("store.path") && s.Path != "" {
			v.bad("store.path", "means nothing to driver postgres", "remove it")
		}
		if c.Lab != nil {
			v.bad("store.driver", "is postgres, and a lab keeps its worlds in SQLite", "remove it")
		}
	} else {
		v.need("store.path", s.Path, "name the database file")
		if s.URLFile != "" && s.Driver == DriverSQLite {
			v.bad("store.url_file", "means nothing to driver sqlite", `remove it, or write driver = "postgres"`)
		}
	}
	v.need("store.root_key_file", s.RootKeyFile, "name the file of the root key; it is made at the first start")
	for _, other := range []string{s.Path, s.URLFile} {
		if other != "" && other == s.RootKeyFile {
			v.bad("store.root_key_file", "is the database's file", "keep the key apart from what it protects")
		}
	}
	within(v, "store.retention", s.Retention, Duration(time.Hour), Duration(100*365*24*time.Hour))
	within(v, "store.max_signins", s.MaxSignIns, 0, 1_000_000_000)
}

func (v *validator) server(c *Config) {
	s := &c.Server
	s.PublicURL = v.origin("server.public_url", s.PublicURL)
	listeners := map[string]string{}
	for _, l := range [][2]string{
		{"server.public_listen", s.PublicListen},
		{"server.console_listen", s.ConsoleListen},
		{"server.telemetry_listen", s.TelemetryListen},
		{"server.agent_listen", s.AgentListen},
	} {
		port := v.listen(l[0], l[1])
		if other, taken := listeners[port]; taken && port != "" && port != "0" {
			v.bad(l[0], "has the port of "+other, "give each listener a port of its own")
		}
		listeners[port] = l[0]
	}
	if (s.TLSCertFile == "") != (s.TLSKeyFile == "") {
		v.bad("server.tls_cert_file", "certificate and key go together", "set both tls_cert_file and tls_key_file, or neither")
	}
	if host, _, err := net.SplitHostPort(s.ConsoleListen); err == nil && !loopback(host) {
		v.bad("server.console_listen", "opens the console beyond this machine, where its tokens would go in clear", "listen on 127.0.0.1 and reach it through ssh -L or a proxy with TLS")
	}
	if s.AgentURL != "" {
		if u, err := url.Parse(s.AgentURL); err != nil || u.Scheme != "tls" || u.Port() == "" || u.User != nil {
			v.bad("server.agent_url", "is not an address of the agent link", "write tls://host:port as agents reach it")
		}
	}
	for i, p := range s.TrustedProxies {
		if _, err := parseNetwork(p); err != nil {
			v.bad("server.trusted_proxies", fmt.Sprintf("entry %d is neither an address nor a network", i+1), `write "10.0.0.7" or "10.0.0.0/8"`)
		}
	}
}

func (v *validator) limits(c *Config) {
	within(v, "signin.session_ttl", c.SignIn.SessionTTL, Duration(time.Minute), Duration(30*24*time.Hour))
	within(v, "signin.session_idle", c.SignIn.SessionIdle, Duration(time.Minute), max(c.SignIn.SessionTTL, Duration(time.Minute)))
	within(v, "signin.per_address_rate", c.SignIn.PerAddressRate, 0, 1e6)
	within(v, "lockout.threshold", c.Lockout.Threshold, 1, 50)
	within(v, "lockout.duration", c.Lockout.Duration, Duration(time.Second), Duration(24*time.Hour))
	within(v, "hashing.argon2_parallelism", c.Hashing.Argon2Parallelism, 1, 64)
	// RFC 9106, section 3.1: at least 8 KiB a lane.
	within(v, "hashing.argon2_memory", c.Hashing.Argon2Memory, 8*max(1, c.Hashing.Argon2Parallelism), 4<<20)
	within(v, "hashing.argon2_time", c.Hashing.Argon2Time, 1, 100)
	within(v, "hashing.workers", c.Hashing.Workers, 0, 1024)
	within(v, "hashing.queue_limit", c.Hashing.QueueLimit, 0, 1_000_000)
	within(v, "pta.request_timeout", c.PTA.RequestTimeout, Duration(100*time.Millisecond), Duration(time.Minute))
	within(v, "sync.directory_interval", c.Sync.DirectoryInterval, Duration(time.Second), Duration(7*24*time.Hour))
	within(v, "sync.hash_interval", c.Sync.HashInterval, Duration(time.Second), Duration(7*24*time.Hour))
	within(v, "sync.max_deletes", c.Sync.MaxDeletes, 0, 1_000_000)
	within(v, "sync.max_delete_ratio", c.Sync.MaxDeleteRatio, 0, 1)
	within(v, "sync.full_interval", c.Sync.FullInterval, Duration(time.Minute), Duration(31*24*time.Hour))
	if c.Sync.WatchInterval != 0 {
		within(v, "sync.watch_interval", c.Sync.WatchInterval, Duration(time.Second), Duration(time.Hour))
	}
	if d := c.Sync.InitialDomain; d != "" && !slices.ContainsFunc(c.Domain, func(o Domain) bool { return o.Name == d }) {
		v.bad("sync.initial_domain", "is no [[domain]] of this file", "name one of them, or remove the line")
	}
	v.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	v.oneOf("log.format", c.Log.Format, "text", "json")
}

func (v *validator) domains(c *Config) {
	seen := map[string]string{}
	for i := range c.Domain {
		d, key := &c.Domain[i], fmt.Sprintf("domain[%d]", i)
		d.Name = v.domainName(key+".name", d.Name)
		if first, again := seen[d.Name]; again && d.Name != "" {
			v.bad(key+".name", fmt.Sprintf("%s is configured twice (%s)", d.Name, first), "remove one of them")
		}
		seen[d.Name] = key
		v.oneOf(key+".path", string(d.Path), "cloud", "phs", "pta", "federated")
		if d.Path == authn.PathPHS && !d.HashSync() {
			v.bad(key+".password_hash_sync", "is off, but path phs checks passwords against those hashes", "remove the line, or choose another path")
		}
		v.domainIdP(c, d, key)
	}
	if t := strings.ToLower(c.Tenant.InitialDomain); t != "" {
		c.Tenant.InitialDomain = t
		if _, ok := seen[t]; !ok {
			v.bad("tenant.initial_domain", "is not one of the domains", "add a [[domain]] of that name, or remove the key")
		}
	}
}

func (v *validator) domainIdP(c *Config, d *Domain, key string) {
	if d.IdP == "" {
		if d.Path == authn.PathFederated {
			v.bad(key+".idp", "is missing: a federated domain signs in at an identity provider", "name the id of an [[idp]]")
		}
		return
	}
	ids := make([]string, len(c.IdP))
	for i, p := range c.IdP {
		ids[i] = p.ID
		if p.ID == d.IdP {
			if !slices.ContainsFunc(p.Domains, func(s string) bool { return strings.EqualFold(s, d.Name) }) {
				v.bad(key+".idp", fmt.Sprintf("%s does not list %s, so it may not speak for its people", d.IdP, d.Name), fmt.Sprintf("add %q to domains of idp[%d]", d.Name, i))
			}
			return
		}
	}
	do := "add an [[idp]] of that id"
	if near := closest(d.IdP, ids); near != "" {
		do = fmt.Sprintf("did you mean %q?", near)
	}
	v.bad(key+".idp", fmt.Sprintf("there is no [[idp]] %q", d.IdP), do)
}

func (v *validator) domainName(key, name string) string {
	lower := strings.ToLower(name)
	if authn.ParseIdentifier("x@"+lower).Domain() != lower || lower == "" {
		v.bad(key, "is not a domain name", `write letters, digits, "-" and at least one dot, 48 characters at most, as in "contoso.example"`)
	}
	return lower
}

// origin judges an http(s) address without path; plain http is for this machine only.
func (v *validator) origin(key, s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "":
		v.bad(key, "is not an http or https address", `write it as the browser shows it, as in "https://login.example.com"`)
	case u.User != nil:
		v.bad(key, "carries a user name or password", "remove what stands before the @")
	case (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "":
		v.bad(key, "has a path, query or fragment", "write scheme, host and port only")
	case u.Scheme == "http" && !loopback(u.Hostname()) && !v.exposed:
		v.bad(key, "sends passwords over plain http", "write https://, or localhost for a trial on this machine")
	}
	return strings.TrimSuffix(s, "/")
}

// listen judges a listen address and returns its port.
func (v *validator) listen(key, s string) string {
	_, port, err := net.SplitHostPort(s)
	n, bad := strconv.ParseUint(port, 10, 16)
	if err != nil || bad != nil {
		v.bad(key, "is not an address to listen on", `write host:port, as in "127.0.0.1:8400", or ":8400" for every address`)
		return ""
	}
	return strconv.FormatUint(n, 10)
}

func (v *validator) need(key, value, do string) {
	if value == "" {
		v.bad(key, "is empty", do)
	}
}

func (v *validator) oneOf(key, value string, allowed ...string) {
	if slices.Contains(allowed, value) {
		return
	}
	wrong := fmt.Sprintf("%.40q is not allowed here", value)
	if value == "" {
		wrong = "is missing"
	}
	do := "write " + strings.Join(allowed, ", ")
	if near := closest(value, allowed); near != "" {
		do = fmt.Sprintf("did you mean %q?", near)
	}
	v.bad(key, wrong, do)
}

// within complains of a number or duration outside of least and most.
func within[T interface{ ~int | ~int64 | ~float64 }](v *validator, key string, n, least, most T) {
	if n < least || n > most {
		v.bad(key, fmt.Sprintf("%v is out of bounds", n), fmt.Sprintf("write something from %v to %v", least, most))
	}
}

// loopback reports a host name or address that never leaves this machine.
func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
