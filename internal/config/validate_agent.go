package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

func (v *validator) agent(a *Agent) {
	if !ValidName(a.Agent.Name) {
		v.bad("agent.name", "is not a name", "write 1 to 40 lower-case letters, digits and dashes, as in \"agent-1\"")
	}
	a.Agent.GatewayURL = v.origin("agent.gateway_url", a.Agent.GatewayURL)
	v.need("agent.data_dir", a.Agent.DataDir, "name a folder for the agent's keys")
	if len(a.Agent.Roles) == 0 {
		v.bad("agent.roles", "is empty: the agent would do nothing", `write ["pta"], ["sync"] or both`)
	}
	for _, r := range a.Agent.Roles {
		v.oneOf("agent.roles", r, "pta", "sync")
	}
	v.onprem(a)
	v.decoy(a)
	v.agentSync(a)
}

func (v *validator) onprem(a *Agent) {
	d := &a.Directory
	v.oneOf("directory.kind", d.Kind, "ad", "ldap")
	v.oneOf("directory.tls", d.TLS, "starttls", "ldaps", "plain")
	if len(d.URLs) == 0 {
		v.bad("directory.urls", "is empty", `list the directory's servers, as in ["ldaps://dc1.corp.example"]`)
	}
	for _, s := range d.URLs {
		v.directoryURL(d, s)
	}
	v.need("directory.base_dn", d.BaseDN, `write where people are searched, as in "DC=corp,DC=example"`)
	if (d.BindDN == "") != (d.BindPasswordFile == "") {
		v.bad("directory.bind_dn", "service account and password go together", "set both bind_dn and bind_password_file, or neither")
	}
	if d.BindDN == "" && (d.Kind == "ldap" || slices.Contains(a.Agent.Roles, "sync")) {
		v.bad("directory.bind_dn", "is missing: a search needs a service account", "set bind_dn and bind_password_file")
	}
	v.userFilter(d.UserFilter)
	within(v, "directory.timeout", d.Timeout, Duration(100*time.Millisecond), Duration(time.Minute))
}

func (v *validator) userFilter(f string) {
	switch {
	case f == "":
	case !strings.HasPrefix(f, "(") || !strings.HasSuffix(f, ")"):
		v.bad("directory.user_filter", "is not an LDAP filter", "put it in parentheses (RFC 4515)")
	case !strings.Contains(f, "%s") && !strings.Contains(f, "%u"):
		v.bad("directory.user_filter", "has no place for the user name, so it would find the same person for everybody", `write %s for the whole name or %u for the part before the @, as in "(uid=%u)"`)
	}
}

func (v *validator) directoryURL(d *OnpremDirectory, s string) {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "ldap" && u.Scheme != "ldaps") || u.Hostname() == "" || u.User != nil {
		v.bad("directory.urls", "holds something that is not an LDAP address", `write "ldaps://host" or "ldap://host:389"`)
		return
	}
	if want := map[string]string{"ldaps": "ldaps", "starttls": "ldap", "plain": "ldap"}[d.TLS]; want != "" && want != u.Scheme {
		v.bad("directory.urls", fmt.Sprintf("%s does not go with tls = %q", u.Host, d.TLS), fmt.Sprintf("write %s://, or change tls", want))
	}
	if d.TLS == "plain" && !loopback(u.Hostname()) {
		v.bad("directory.tls", "plain would send passwords in clear over the network", `write "ldaps" or "starttls"`)
	}
}

func (v *validator) decoy(a *Agent) {
	if (a.Decoy.UPN == "") != (a.Decoy.PasswordFile == "") {
		v.bad("decoy.upn", "decoy account and password go together", "set both upn and password_file")
		return
	}
	if a.Decoy.UPN == "" && a.HasRole("pta") {
		v.bad("decoy.upn", "is missing: unknown names would be told apart by the time their answer takes", "make an account without rights and set upn and password_file")
	}
}
