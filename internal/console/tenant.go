package console

// TenantPorts is the administration of the tenant, one port a noun.
type TenantPorts struct {
	People   People
	Bulk     Bulk
	Leaks    Leaks
	Groups   Groups
	Contacts Contacts
	Licences Licences
	Apps     Apps
	Domains  Domains
	Rollouts Rollouts
}
