package config

import (
	"fmt"
	"net"
	"strconv"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// rollouts judges the staged roll-outs of the file by Microsoft's limits; what a group contains is not known here.
func (v *validator) rollouts(c *Config) {
	seen, groups := map[string]string{}, map[authn.Path]int{}
	for i, r := range c.Rollout {
		key := fmt.Sprintf("rollout[%d]", i)
		v.need(key+".group", r.Group, "name the group, by its name or id")
		if first, again := seen[r.Group]; again && r.Group != "" {
			v.bad(key+".group", fmt.Sprintf("%.60q is configured twice (%s)", r.Group, first), "remove one of them: a group is moved to one path")
		}
		seen[r.Group] = key
		v.oneOf(key+".path", string(r.Path), string(authn.PathPHS), string(authn.PathPTA))
		if groups[r.Path]++; groups[r.Path] == directory.RolloutGroups+1 {
			v.bad(key+".path", fmt.Sprintf("is that of more than %d groups", directory.RolloutGroups), "move the domain when so many of its people are moved")
		}
	}
	if s := c.Tenant.Resolver; s != "" {
		host, port, err := net.SplitHostPort(s)
		if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || host == "" {
			v.bad("tenant.resolver", "is not the address of a DNS server", `write host:port, as in "192.0.2.53:53"`)
		}
	}
}

// Rollouts lists the roll-outs as the tenant knows them. Group is as the file has it: a name or an id.
func (c *Config) Rollouts() []directory.Rollout {
	all := make([]directory.Rollout, len(c.Rollout))
	for i, r := range c.Rollout {
		all[i] = directory.Rollout{Group: r.Group, Path: r.Path, File: true}
	}
	return all
}
