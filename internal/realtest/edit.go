package realtest

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// do connects as the administrator, over LDAPS, and does one thing.
func (d *Directory) do(t testing.TB, what string, act func(*ldap.Conn) error) {
	t.Helper()
	d.doAs(t, d.Admin, what, act)
}

func (d *Directory) doAs(t testing.TB, p Person, what string, act func(*ldap.Conn) error) {
	t.Helper()
	conn, err := ldap.DialURL(d.LDAPS, ldap.DialWithTLSConfig(&tls.Config{RootCAs: d.Roots, MinVersion: tls.VersionTLS12}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Bind(p.DN, p.Password); err != nil {
		t.Fatal(err)
	}
	if err := act(conn); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// Add makes an entry.
func (d *Directory) Add(t testing.TB, dn string, attributes map[string][]string) {
	t.Helper()
	add := ldap.NewAddRequest(dn, nil)
	for name, values := range attributes {
		add.Attribute(name, values)
	}
	d.do(t, "add "+dn, func(c *ldap.Conn) error { return c.Add(add) })
}

// Modify gives an attribute these values in place of those it has; none removes it.
func (d *Directory) Modify(t testing.TB, dn, attribute string, values ...string) {
	t.Helper()
	change := ldap.NewModifyRequest(dn, nil)
	change.Replace(attribute, values)
	d.do(t, "modify "+dn, func(c *ldap.Conn) error { return c.Modify(change) })
}

// AddMember puts somebody into a group.
func (d *Directory) AddMember(t testing.TB, group, member string) {
	t.Helper()
	change := ldap.NewModifyRequest(group, nil)
	change.Add("member", []string{member})
	d.do(t, "add a member to "+group, func(c *ldap.Conn) error { return c.Modify(change) })
}

// RemoveMember takes somebody out of a group.
func (d *Directory) RemoveMember(t testing.TB, group, member string) {
	t.Helper()
	change := ldap.NewModifyRequest(group, nil)
	change.Delete("member", []string{member})
	d.do(t, "take a member out of "+group, func(c *ldap.Conn) error { return c.Modify(change) })
}

// Move puts an entry below another parent and gives its new DN.
func (d *Directory) Move(t testing.TB, dn, parent string) string {
	t.Helper()
	name := firstRDN(dn)
	d.do(t, "move "+dn, func(c *ldap.Conn) error { return c.ModifyDN(ldap.NewModifyDNRequest(dn, name, true, parent)) })
	return name + "," + parent
}

// Rename gives an entry another relative name, such as "CN=Anna", and gives its new DN.
func (d *Directory) Rename(t testing.TB, dn, rdn string) string {
	t.Helper()
	d.do(t, "rename "+dn, func(c *ldap.Conn) error { return c.ModifyDN(ldap.NewModifyDNRequest(dn, rdn, true, "")) })
	return rdn + strings.TrimPrefix(dn, firstRDN(dn))
}

// Delete removes an entry.
func (d *Directory) Delete(t testing.TB, dn string) {
	t.Helper()
	d.do(t, "delete "+dn, func(c *ldap.Conn) error { return c.Del(ldap.NewDelRequest(dn, nil)) })
}

// Values are those of one attribute of one entry, as the administrator sees them.
func (d *Directory) Values(t testing.TB, dn, attribute string) (values []string) {
	t.Helper()
	d.do(t, "read "+dn, func(c *ldap.Conn) error {
		found, err := c.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", []string{attribute}, nil))
		if err == nil && len(found.Entries) == 1 {
			values = found.Entries[0].GetEqualFoldAttributeValues(attribute)
		}
		return err
	})
	return values
}

// firstRDN is what a DN begins with. The DNs of tests have no escaped comma in it.
func firstRDN(dn string) string {
	name, _, _ := strings.Cut(dn, ",")
	return name
}
