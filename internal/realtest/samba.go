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
//
// OU=Synced is for synchronisation, and OU=NotSynced is not: see [SambaDC.Synced]. Nobody in them is one of People.
type SambaDC struct {
	Directory
	*server
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

// syncedPeople are the people for synchronisation.
func syncedPeople() People {
	var people People
	for _, place := range []struct{ name, unit string }{
		{"dora", "OU=Synced"}, {"emil", "OU=Synced"}, {"frida", "OU=Berlin,OU=Synced"}, {"hugo", "OU=NotSynced"},
	} {
		people = append(people, Person{
			Name: place.name, Password: Password, UPN: place.name + "@" + sambaDomain,
			DN: "CN=" + place.name + "," + place.unit + "," + sambaBaseDN, State: "normal",
		})
	}
	return people
}

// Synced is where a test may synchronise from, without the people in every odd state: dora, emil, the group crew (both),
// the contact Grete Guest, and in OU=Berlin frida and the group company (crew, frida, and hugo of OU=NotSynced).
func (dc *SambaDC) Synced() string { return "OU=Synced," + dc.BaseDN }

// DN is where somebody of OU=Synced or OU=NotSynced was at the start.
func (dc *SambaDC) DN(name string) string {
	for _, p := range syncedPeople() {
		if p.Name == name {
			return p.DN
		}
	}
	return ""
}

// NotSynced is a unit beside it.
func (dc *SambaDC) NotSynced() string { return "OU=NotSynced," + dc.BaseDN }

func startSamba(on *stage) (*SambaDC, error) { return startSambaFrom(on, sambaTemplate) }

// startSambaFrom starts a copy of a domain that template provisioned.
func startSambaFrom(on *stage, template func(*stage) (string, error)) (*SambaDC, error) {
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
	from, err := template(on)
	if err != nil {
		return nil, fmt.Errorf("samba: %w", err)
	}
	if err := settle(from, folder, ip, ca); err != nil {
		return nil, fmt.Errorf("samba: %w", err)
	}
	path, err := program("samba")
	if err != nil {
		return nil, err
	}
	dc := sambaAt(folder, ip, ca)
	dc.server = &server{on: on, folder: folder, answers: dc.Directory.answers, command: func() *exec.Cmd {
		cmd := exec.Command(path, "--foreground", "--no-process-group", "-s", smbConf(folder), "-M", "single")
		cmd.Env = environment("TDB_NO_FSYNC=1")
		return cmd
	}}
	if err := dc.start(); err != nil {
		return nil, err
	}
	return dc, dc.lock("locked")
}

func sambaAt(folder, ip string, ca *Authority) *SambaDC {
	dc := &SambaDC{Address: ip, Folder: folder, Directory: Directory{
		LDAP: "ldap://" + ip + ":389", LDAPS: "ldaps://" + ip + ":636", BaseDN: sambaBaseDN,
		Roots: ca.Pool, CAFile: filepath.Join(folder, "private/tls/ca.pem"),
		Admin:  Person{Name: "Administrator", Password: sambaAdminPassword, UPN: "Administrator@" + sambaDomain, DN: "CN=Administrator,CN=Users," + sambaBaseDN},
		People: sambaPeople(),
	}}
	for _, p := range dc.People {
		if p.Name == "service" {
			dc.Service = p
		}
	}
	return dc
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

// unicodePwd is a password as Active Directory takes it: quoted, UTF-16LE. MS-ADTS 3.1.1.3.1.5.1.
func unicodePwd(password string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(`"` + password + `"`)) {
		b = append(b, byte(unit), byte(unit>>8))
	}
	return string(b)
}
