package realtest

import (
	"crypto/x509"
	"embed"
	"fmt"
	"strings"
	"testing"
	"text/template"
)

// Password is what everybody in every server signs in with, unless the Person says otherwise.
const Password = "Lab-User-Pw-1!"

// Person is an account in one of the servers. What a server doesn't have stays empty.
type Person struct {
	Name     string // sAMAccountName, uid, or the name typed at an identity provider
	Password string // the right one
	UPN      string // userPrincipalName, mail, or the UPN claim
	DN       string // directories only
	Anchor   string // identity providers only: persistent NameID (ImmutableID), or sub
	State    string // in words: what is the matter with the account
	Data     string // Active Directory's sub-code for the RIGHT password ("" means the bind succeeds); MS-ERREF 2.2
}

// People is everybody in a server.
type People []Person

// Who gives the person of that name; a name that the server doesn't know ends the test.
func (p People) Who(t testing.TB, name string) Person {
	t.Helper()
	for _, person := range p {
		if person.Name == name {
			return person
		}
	}
	t.Fatalf("nobody is called %q in this server", name)
	return Person{}
}

// Directory is how to reach an LDAP server, and whom to be there.
type Directory struct {
	LDAP, LDAPS string // URLs; LDAP takes StartTLS
	BaseDN      string
	Roots       *x509.CertPool
	CAFile      string // Roots as a PEM file, for programs
	Admin       Person // may write
	Service     Person // may search; at Samba also replicate
	People
}

//go:embed files
var files embed.FS

// render fills one of the embedded templates.
func render(name string, data any) (string, error) {
	t, err := template.New("").Option("missingkey=error").Funcs(template.FuncMap{
		"base64": base64Text, "unicodePwd": func(password string) string { return base64Text(unicodePwd(password)) },
	}).ParseFS(files, "files/"+name)
	if err != nil {
		return "", fmt.Errorf("template %s: %w", name, err)
	}
	var b strings.Builder
	if err := t.ExecuteTemplate(&b, name[strings.LastIndexByte(name, '/')+1:], data); err != nil {
		return "", fmt.Errorf("template %s: %w", name, err)
	}
	return b.String(), nil
}
