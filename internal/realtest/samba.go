package realtest

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
	"unicode/utf16"

	"github.com/go-ldap/ldap/v3"
)

const (
	sambaBaseDN = "DC=corp,DC=example"
	sambaDomain = "corp.example"
)

// SambaDC is a running Active Directory domain controller of the domain corp.example (NetBIOS CORP).
// It wants TLS before a simple bind, as a hardened domain does.
//
// Its people: alice, bob (normal), decoy (normal, for the agent's decoy bind), disabled, expired, pwdexpired,
// mustchange, hours, workstation, smartcard, locked (the threshold of 3 is reached already), lockable (three wrong
// passwords lock it), and service (may replicate all, MS-DRSR).
type SambaDC struct {
	Directory
	Address string // IP; Kerberos, LDAP, LDAPS, MS-DRSR and the global catalogue on their usual ports
	Folder  string // state: etc/smb.conf, private/sam.ldb
}

// Samba gives a domain controller that the tests of the package share: change nobody but people the test made
// itself, or take [NewSamba].
func Samba(t testing.TB) *SambaDC {
	t.Helper()
	Need(t, "samba")
	return house.samba.get(t, startSamba)
}

// NewSamba gives a domain controller of the test's own.
func NewSamba(t testing.TB) *SambaDC {
	t.Helper()
	Need(t, "samba")
	return own(t, startSamba)
}

// sambaPeople is who is provisioned. Data holds what Samba 4.17 answers to the right password.
func sambaPeople() People {
	states := []struct{ name, state, data string }{
		{"alice", "normal", ""},
		{"bob", "normal", ""},
		{"decoy", "normal", ""},
		{"lockable", "normal until three wrong passwords", ""},
		{"service", "normal, may replicate all", ""},
		{"hours", "outside logon hours", "530"},
		{"workstation", "may sign in at another workstation only", "531"},
		{"pwdexpired", "password expired", "532"},
		{"disabled", "disabled", "533"},
		{"expired", "account expired", "701"},
		{"mustchange", "must change the password at next logon", "773"},
		{"locked", "locked out", "775"},
		{"smartcard", "smart card required", "52e"},
	}
	var people People
	for _, s := range states {
		people = append(people, Person{
			Name: s.name, Password: Password, UPN: s.name + "@" + sambaDomain,
			DN: "CN=" + s.name + ",OU=Staff," + sambaBaseDN, State: s.state, Data: s.data,
		})
	}
	return people
}

func startSamba(on *stage) (*SambaDC, error) {
	ip, err := loopback(88, 135, 389, 464, 636, 3268, 3269)
	if err != nil {
		return nil, err
	}
	folder, err := on.folder("samba")
	if err != nil {
		return nil, err
	}
	ca, err := newAuthority()
	if err != nil {
		return nil, err
	}
	if err := settle(on, folder, ip, ca); err != nil {
		return nil, fmt.Errorf("samba: %w", err)
	}
	people := sambaPeople()
	dc := &SambaDC{Address: ip, Folder: folder, Directory: Directory{
		LDAP: "ldap://" + ip + ":389", LDAPS: "ldaps://" + ip + ":636", BaseDN: sambaBaseDN,
		Roots: ca.Pool, CAFile: filepath.Join(folder, "private/tls/ca.pem"),
		Admin:  Person{Name: "Administrator", Password: sambaAdminPassword, UPN: "Administrator@" + sambaDomain, DN: "CN=Administrator,CN=Users," + sambaBaseDN},
		People: people,
	}}
	for _, p := range people {
		if p.Name == "service" {
			dc.Service = p
		}
	}
	path, err := program("samba")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, "--foreground", "--no-process-group", "-s", smbConf(folder), "-M", "single")
	cmd.Dir, cmd.Env = folder, environment("TDB_NO_FSYNC=1")
	p, err := on.start(folder, cmd)
	if err != nil {
		return nil, err
	}
	if err := p.ready(dc.answers); err != nil {
		return nil, err
	}
	return dc, dc.lock("locked")
}

// lock guesses until the account is locked: the state comes from the server's own counting, not from a written attribute.
func (dc *SambaDC) lock(name string) error {
	for range 3 {
		err := dc.bind(name+"@"+sambaDomain, "Wrong-Pw-1!")
		if !ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) {
			return fmt.Errorf("samba: a wrong password for %s was not refused: %w", name, err)
		}
	}
	return nil
}

// answers tells whether the directory can be read over TLS.
func (d *Directory) answers(context.Context) error {
	conn, err := ldap.DialURL(d.LDAPS, ldap.DialWithTLSConfig(&tls.Config{RootCAs: d.Roots, MinVersion: tls.VersionTLS12}))
	if err != nil {
		return err
	}
	defer conn.Close()
	found, err := conn.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 5, false, "(objectClass=*)", []string{"namingContexts"}, nil))
	if err != nil {
		return err
	}
	if len(found.Entries) != 1 || len(found.Entries[0].GetAttributeValues("namingContexts")) == 0 {
		return errors.New("the root DSE names no naming context yet")
	}
	return nil
}

func (d *Directory) bind(name, password string) error {
	conn, err := ldap.DialURL(d.LDAPS, ldap.DialWithTLSConfig(&tls.Config{RootCAs: d.Roots, MinVersion: tls.VersionTLS12}))
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Bind(name, password)
}

func base64Text(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// unicodePwd is a password as LDIF wants it: quoted, UTF-16LE, base64. MS-ADTS 3.1.1.3.1.5.1.
func unicodePwd(password string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(`"` + password + `"`)) {
		b = append(b, byte(unit), byte(unit>>8))
	}
	return base64.StdEncoding.EncodeToString(b)
}
