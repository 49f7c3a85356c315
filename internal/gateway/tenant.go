package gateway

import (
	"github.com/fourways-id/fourways/internal/admin"
	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/passhash"
)

// administration joins the ports by which administrators manage the tenant.
func (g *Gateway) administration() console.TenantPorts {
	b := g.base()
	return console.TenantPorts{
		People: &admin.People{Base: b, Realms: g.tenant, Policy: g.paths.passwords, Hashes: g.tenant},
		Bulk:   &admin.Bulk{Base: b, Realms: g.tenant, Policy: g.paths.passwords, Hashes: admin.NewImportHashes()},
		Leaks:  &admin.Leaks{Base: b, Domains: g.tenant, Work: passhash.NewBackground()},
		Groups: &admin.Groups{Base: b}, Contacts: &admin.Contacts{Base: b},
		Domains:  &admin.Domains{Base: b, Tenant: g.tenant, Ensure: g.onprem.ensure},
		Rollouts: &admin.Rollouts{Base: b, Tenant: g.tenant, Ensure: g.onprem.ensure},
		Licences: &admin.Licences{Base: b}, Apps: &admin.Apps{Base: b},
	}
}

func (g *Gateway) base() admin.Base {
	b := admin.Base{Store: g.core.store, Clock: g.core.clock, Config: g.conf.Load}
	if g.lab != nil {
		b.NewID = g.lab.NewID
	}
	return b
}
