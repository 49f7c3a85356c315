package realtest

import (
	"crypto/rand"
	"crypto/sha1" // {SSHA} is what slapd reads without a further module
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

const ldapBaseDN = "dc=example,dc=test"

// OpenLDAPServer is a running slapd with the password policy overlay (draft-behera-ldap-password-policy-10).
//
// Its people, under ou=people, by uid and mail: alice, bob, decoy (normal), expired, grace (expired, with 100 grace
// binds), warn (expires within a day), mustchange, locked, ended, notyet, lockable (three wrong passwords lock it).
// An anonymous search finds nothing; Service reads everything but passwords.
type OpenLDAPServer struct {
	Directory
	*server
	Address string // IP; LDAP on 3389, LDAPS on 3636
}

// OpenLDAP gives a server that the tests of the package share: change nobody but people the test made itself, or
// take [NewOpenLDAP].
func OpenLDAP(t testing.TB) *OpenLDAPServer {
	t.Helper()
	Need(t, "openldap")
	return house.ldap.get(t, startOpenLDAP)
}

// NewOpenLDAP gives a server of the test's own.
func NewOpenLDAP(t testing.TB) *OpenLDAPServer {
	t.Helper()
	Need(t, "openldap")
	return own(t, startOpenLDAP)
}

// ldapPeople is who is loaded, with the operational attributes that make each one's state. slapadd takes them as
// they are, so nobody has to wait until a password is old.
func ldapPeople(now time.Time) (People, map[string]string) {
	policy := func(name string) string { return "pwdPolicySubentry: cn=" + name + ",ou=policies," + ldapBaseDN + "\n" }
	const changed = "pwdChangedTime: "
	today := changed + now.Add(-time.Hour).UTC().Format("20060102150405Z") + "\n"
	long := changed + "20200101000000Z\n"
	states := []struct{ name, state, marks string }{
		{"alice", "normal", today},
		{"bob", "normal", today},
		{"decoy", "normal", today},
		{"expired", "password expired", policy("short") + long},
		{"grace", "password expired, grace binds left", policy("grace") + long},
		{"warn", "password expires within a day", policy("warn") + today},
		{"mustchange", "must change the password", today + "pwdReset: TRUE\n"},
		{"locked", "locked by the administrator", policy("lockout") + today + "pwdAccountLockedTime: 000001010000Z\n"},
		{"ended", "account expired", policy("lockout") + today + "pwdEndTime: 20200101000000Z\n"},
		{"notyet", "account not valid yet", policy("lockout") + today + "pwdStartTime: 20900101000000Z\n"},
		{"lockable", "normal until three wrong passwords", policy("lockout") + today},
	}
	var people People
	marks := map[string]string{}
	for _, s := range states {
		people = append(people, Person{
			Name: s.name, Password: Password, UPN: s.name + "@example.test",
			DN: "uid=" + s.name + ",ou=people," + ldapBaseDN, State: s.state,
		})
		marks[s.name] = s.marks
	}
	return people, marks
}

type ldapPolicy struct{ Name, Rules string }

func ldapPolicies() []ldapPolicy {
	return []ldapPolicy{
		{"default", "pwdMustChange: TRUE\npwdAllowUserChange: TRUE"},
		{"lockout", "pwdLockout: TRUE\npwdMaxFailure: 3\npwdLockoutDuration: 0"},
		{"short", "pwdMaxAge: 86400"},
		{"grace", "pwdMaxAge: 86400\npwdGraceAuthNLimit: 100"},
		{"warn", "pwdMaxAge: 86400\npwdExpireWarning: 86400"},
	}
}

func startOpenLDAP(on *stage) (*OpenLDAPServer, error) {
	return startOpenLDAPWith(on, false)
}

func startOpenLDAPWith(on *stage, hashes bool) (*OpenLDAPServer, error) {
	ip, err := loopback(3389, 3636)
	if err != nil {
		return nil, err
	}
	folder, err := on.folder("slapd")
	if err != nil {
		return nil, err
	}
	ca, err := newAuthority()
	if err != nil {
		return nil, err
	}
	if err := ca.issue(folder, ip, "ldap.example.test", "localhost"); err != nil {
		return nil, err
	}
	people, marks := ldapPeople(time.Now())
	s := &OpenLDAPServer{Address: ip, Directory: Directory{
		LDAP: "ldap://" + ip + ":3389", LDAPS: "ldaps://" + ip + ":3636", BaseDN: ldapBaseDN,
		Roots: ca.Pool, CAFile: filepath.Join(folder, "ca.pem"),
		Admin:   Person{Name: "admin", Password: "Admin-Pw-1!", DN: "cn=admin," + ldapBaseDN},
		Service: Person{Name: "search", Password: Password, DN: "cn=search," + ldapBaseDN},
		People:  people,
	}}
	if err := s.load(folder, marks, hashes); err != nil {
		return nil, fmt.Errorf("openldap: %w", err)
	}
	path, err := program("slapd")
	if err != nil {
		return nil, err
	}
	s.server = &server{on: on, folder: folder, answers: s.Directory.answers, command: func() *exec.Cmd {
		// -d keeps it in the foreground; 0 says nothing more.
		cmd := exec.Command(path, "-d", "0", "-F", filepath.Join(folder, "slapd.d"), "-h", s.LDAP+"/ "+s.LDAPS+"/")
		cmd.Env = environment()
		return cmd
	}}
	return s, s.start()
}

// load writes configuration and people before the server starts.
func (s *OpenLDAPServer) load(folder string, marks map[string]string, hashes bool) error {
	hash, err := ssha(Password)
	if err != nil {
		return err
	}
	world := map[string]any{
		"Folder": folder, "BaseDN": s.BaseDN, "Admin": s.Admin, "Service": s.Service, "Hash": hash,
		"Units": []string{"people", "groups", "policies"}, "Policies": ldapPolicies(), "People": s.People, "Marks": marks, "Hashes": hashes,
	}
	configuration := filepath.Join(folder, "slapd.d")
	if err := errors.Join(os.Mkdir(configuration, 0o700), os.Mkdir(filepath.Join(folder, "db"), 0o700)); err != nil {
		return err
	}
	for number, name := range []string{"config", "people"} {
		ldif, err := render("openldap/"+name+".ldif", world)
		if err != nil {
			return err
		}
		path := filepath.Join(folder, name+".ldif")
		// An empty line ends an LDIF record, so a state without marks must not leave one behind.
		if err := os.WriteFile(path, []byte(regexp.MustCompile(`\n{3,}`).ReplaceAllString(ldif, "\n\n")), 0o600); err != nil {
			return err
		}
		if _, err := tool(folder, "", "slapadd", "-n", fmt.Sprint(number), "-F", configuration, "-l", path); err != nil {
			return fmt.Errorf("%s.ldif: %w", name, err)
		}
	}
	return nil
}

// ssha is a salted SHA-1 in OpenLDAP's form.
func ssha(password string) (string, error) {
	salt := make([]byte, 8)
	if _, err := rand.Read(salt); err != nil {
		return "", err
	}
	sum := sha1.Sum(append([]byte(password), salt...)) //nolint:gosec // see the import
	return strings.Join([]string{"{SSHA}", base64.StdEncoding.EncodeToString(append(sum[:], salt...))}, ""), nil
}
