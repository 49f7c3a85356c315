package realtest

import (
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// OpenLDAPWithHashes gives a server of the test's own with slapo-smbk5pwd(5): whose password is set by the Password Modify
// operation (RFC 3062) has an NT hash in sambaNTPassword and the time of the change in sambaPwdLastSet. Everybody whose state
// is normal has them; Service alone may read the hash. Its syncprov keeps a session log.
func OpenLDAPWithHashes(t testing.TB) *OpenLDAPServer {
	t.Helper()
	Need(t, "smbk5pwd")
	s := own(t, func(on *stage) (*OpenLDAPServer, error) { return startOpenLDAPWith(on, true) })
	for _, p := range s.People {
		if p.State == "normal" {
			s.ChangePassword(t, p, p.Password)
		}
	}
	return s
}

// ChangePassword is what people do themselves.
func (s *OpenLDAPServer) ChangePassword(t testing.TB, p Person, password string) {
	t.Helper()
	s.doAs(t, p, "change the password of "+p.DN, func(c *ldap.Conn) error {
		_, err := c.PasswordModify(ldap.NewPasswordModifyRequest("", p.Password, password))
		return err
	})
}

// SetPassword is an administrator's reset: the password must be changed at the next logon (pwdMustChange of the policy).
func (s *OpenLDAPServer) SetPassword(t testing.TB, dn, password string) {
	t.Helper()
	s.do(t, "set the password of "+dn, func(c *ldap.Conn) error {
		_, err := c.PasswordModify(ldap.NewPasswordModifyRequest(dn, "", password))
		return err
	})
}

// WithoutSyncprov takes the overlay away that answers syncrepl (RFC 4533).
func (s *OpenLDAPServer) WithoutSyncprov(t testing.TB) {
	t.Helper()
	s.Delete(t, "olcOverlay={1}syncprov,olcDatabase={1}mdb,cn=config")
}
