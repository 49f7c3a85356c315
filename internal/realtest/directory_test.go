package realtest

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

func TestSambaAnswersEachAccountStateAsActiveDirectoryDoes(t *testing.T) {
	dc := Samba(t)
	for _, p := range dc.People {
		t.Run(p.Name, func(t *testing.T) {
			err := dc.bind(p.UPN, p.Password)
			switch {
			case p.Data == "" && err != nil:
				t.Errorf("%s (%s) with the right password: %v, want success", p.UPN, p.State, err)
			case p.Data != "" && (err == nil || !strings.Contains(err.Error(), "data "+p.Data+",")):
				t.Errorf("%s (%s) with the right password: %v, want data %s", p.UPN, p.State, err, p.Data)
			}
			want := "data 52e,"
			if p.Name == "locked" {
				want = "data 775,"
			}
			if p.Name == "lockable" {
				return // is locked by the test below, in a server of its own
			}
			if err := dc.bind(p.UPN, "Wrong-Pw-1!"); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s with a wrong password: %v, want %s", p.UPN, err, want)
			}
		})
	}
	if err := dc.bind("nobody@"+sambaDomain, Password); err == nil || !strings.Contains(err.Error(), "data 52e,") {
		t.Errorf("an unknown name: %v, want data 52e", err)
	}
}

func TestSambaWantsTLSAndTakesStartTLS(t *testing.T) {
	dc := Samba(t)
	alice := dc.Who(t, "alice")
	conn, err := ldap.DialURL(dc.LDAP)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Bind(alice.UPN, alice.Password); !ldap.IsErrorWithCode(err, ldap.LDAPResultStrongAuthRequired) {
		t.Errorf("a bind in the clear: %v, want strong authentication required", err)
	}
	if err := conn.StartTLS(&tls.Config{RootCAs: dc.Roots, ServerName: dc.Address, MinVersion: tls.VersionTLS12}); err != nil {
		t.Fatal(err)
	}
	if err := conn.Bind(alice.UPN, alice.Password); err != nil {
		t.Errorf("after StartTLS: %v", err)
	}
}

func TestSambaOfATestsOwnLocksAfterThreeWrongPasswordsAndLeavesTheSharedOneAlone(t *testing.T) {
	shared, dc := Samba(t), NewSamba(t)
	if shared.Address == dc.Address {
		t.Fatalf("both domain controllers are on %s", dc.Address)
	}
	who := dc.Who(t, "lockable")
	if err := dc.bind(who.UPN, who.Password); err != nil {
		t.Fatalf("before: %v", err)
	}
	if err := dc.lock(who.Name); err != nil {
		t.Fatal(err)
	}
	if err := dc.bind(who.UPN, who.Password); err == nil || !strings.Contains(err.Error(), "data 775,") {
		t.Errorf("after three wrong passwords: %v, want data 775", err)
	}
	if err := shared.bind(who.UPN, who.Password); err != nil {
		t.Errorf("the shared server's account: %v, want success", err)
	}
}

// The right to replicate is what the synchronisation account has and others lack: DirSync asks for it too.
func TestSambaServiceAccountMayReadChangesAndOthersMayNot(t *testing.T) {
	dc := Samba(t)
	changes := func(p Person) (int, error) {
		conn, err := ldap.DialURL(dc.LDAPS, ldap.DialWithTLSConfig(&tls.Config{RootCAs: dc.Roots, MinVersion: tls.VersionTLS12}))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := conn.Bind(p.UPN, p.Password); err != nil {
			t.Fatal(err)
		}
		found, err := conn.DirSync(ldap.NewSearchRequest(dc.BaseDN, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 30, false,
			"(userPrincipalName=*)", nil, nil), 0, 1<<20, nil)
		if err != nil {
			return 0, err
		}
		return len(found.Entries), nil
	}
	if n, err := changes(dc.Service); err != nil || n < len(dc.People) {
		t.Errorf("service: %d entries, %v; want at least %d", n, err, len(dc.People))
	}
	if _, err := changes(dc.Who(t, "alice")); !ldap.IsErrorWithCode(err, ldap.LDAPResultInsufficientAccessRights) {
		t.Errorf("alice: %v, want insufficient access rights", err)
	}
}

func TestOpenLDAPAnswersEachAccountState(t *testing.T) {
	s := OpenLDAP(t)
	// What a bind with the password policy control tells: result code and the control's own error
	// (draft-behera-ldap-password-policy-10, 6.2).
	want := map[string]struct {
		code   uint16
		policy int8
	}{
		"alice": {0, -1}, "bob": {0, -1}, "decoy": {0, -1}, "grace": {0, -1}, "warn": {0, -1}, "lockable": {0, -1},
		"expired": {49, 0}, "locked": {49, 1}, "ended": {49, 1}, "notyet": {49, 1}, "mustchange": {0, 2},
	}
	for _, p := range s.People {
		code, control := policyBind(t, s, p.DN, p.Password)
		if control == nil {
			control = &ldap.ControlBeheraPasswordPolicy{Error: -1, Expire: -1, Grace: -1}
		}
		if w, known := want[p.Name]; !known || code != w.code || control.Error != w.policy {
			t.Errorf("%s (%s): code %d, policy error %d; want %+v", p.Name, p.State, code, control.Error, w)
		}
		if p.Name == "grace" && control.Grace < 0 || p.Name == "warn" && control.Expire < 0 {
			t.Errorf("%s: no warning in %s", p.Name, control)
		}
		if p.Name == "lockable" {
			continue
		}
		if code, _ := policyBind(t, s, p.DN, "wrong"); code != ldap.LDAPResultInvalidCredentials {
			t.Errorf("%s with a wrong password: code %d, want 49", p.Name, code)
		}
	}
	if err := s.bind(s.Service.DN, s.Service.Password); err != nil {
		t.Errorf("service account: %v", err)
	}
	if err := s.bind("uid=nobody,ou=people,"+s.BaseDN, Password); !ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) {
		t.Errorf("an unknown name: %v, want invalid credentials", err)
	}
}

func TestOpenLDAPOfATestsOwnLocksAfterThreeWrongPasswords(t *testing.T) {
	s := NewOpenLDAP(t)
	who := s.Who(t, "lockable")
	for range 3 {
		if code, _ := policyBind(t, s, who.DN, "wrong"); code != ldap.LDAPResultInvalidCredentials {
			t.Fatalf("a wrong password: code %d, want 49", code)
		}
	}
	if code, control := policyBind(t, s, who.DN, who.Password); code != ldap.LDAPResultInvalidCredentials || control == nil || control.Error != 1 {
		t.Errorf("after three wrong passwords: code %d, %v; want 49 and account locked", code, control)
	}
	if err := s.bind(s.Who(t, "alice").DN, Password); err != nil {
		t.Errorf("alice meanwhile: %v", err)
	}
}

func policyBind(t *testing.T, s *OpenLDAPServer, dn, password string) (uint16, *ldap.ControlBeheraPasswordPolicy) {
	t.Helper()
	conn, err := ldap.DialURL(s.LDAP)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.StartTLS(&tls.Config{RootCAs: s.Roots, ServerName: s.Address, MinVersion: tls.VersionTLS12}); err != nil {
		t.Fatal(err)
	}
	result, err := conn.SimpleBind(&ldap.SimpleBindRequest{Username: dn, Password: password, Controls: []ldap.Control{ldap.NewControlBeheraPasswordPolicy()}})
	var code uint16
	if err != nil {
		refusal, ok := err.(*ldap.Error) //nolint:errorlint // go-ldap returns it unwrapped; anything else is a broken connection
		if !ok {
			t.Fatal(err)
		}
		code = refusal.ResultCode
	}
	if result == nil {
		return code, nil
	}
	control, _ := ldap.FindControl(result.Controls, ldap.ControlTypeBeheraPasswordPolicy).(*ldap.ControlBeheraPasswordPolicy)
	return code, control
}
