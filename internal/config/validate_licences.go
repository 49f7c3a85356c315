package config

import (
	"cmp"
	"fmt"

	"github.com/fourways-id/fourways/internal/directory"
)

// licences judges plans and applications by the directory's own rules.
func (v *validator) licences(c *Config) {
	if at := c.Tenant.UsageLocation; at != "" {
		spelled, err := directory.UsageLocation(at)
		if err != nil {
			v.bad("tenant.usage_location", "is no usage location", `write the two letters of a country, as in "NL"`)
		}
		c.Tenant.UsageLocation = spelled
	}
	plans := map[string]string{}
	for i, p := range c.Plans() {
		v.declared(plans, fmt.Sprintf("license[%d]", i), p.ID, p.Check())
	}
	apps := map[string]string{}
	for i, a := range c.Apps() {
		v.declared(apps, fmt.Sprintf("app[%d]", i), a.ID, a.Check())
	}
}

// declared complains of what the directory does not take, and of an id that stands in the file twice.
func (v *validator) declared(seen map[string]string, key, id string, wrong error) {
	if wrong != nil {
		v.bad(key+".id", "is refused: "+wrong.Error(), "correct the table")
	}
	if first, again := seen[id]; again && id != "" {
		v.bad(key+".id", fmt.Sprintf("%s is configured twice (%s)", id, first), "remove one of them")
	}
	seen[id] = key
}

// Plans lists the plans as the tenant knows them.
func (c *Config) Plans() []directory.Plan {
	all := make([]directory.Plan, len(c.License))
	for i, l := range c.License {
		all[i] = directory.Plan{ID: l.ID, Name: cmp.Or(l.Name, l.ID), Seats: l.Seats, Services: l.Services, File: true}
	}
	return all
}

// Apps lists the applications as the tenant knows them.
func (c *Config) Apps() []directory.App {
	all := make([]directory.App, len(c.App))
	for i, a := range c.App {
		all[i] = directory.App{ID: a.ID, Name: cmp.Or(a.Name, a.ID), Service: a.RequiredService, Assigned: a.AssignmentRequired, Roles: append([]string{}, a.Roles...), File: true}
	}
	return all
}
