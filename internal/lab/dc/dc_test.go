package dc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/go-ldap/ldap/v3"
	"go.uber.org/goleak"

	"github.com/fourways-id/fourways/internal/lab/dc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	base     = "DC=corp,DC=example,DC=test"
	people   = "OU=Synced," + base
	password = "Spring-2025!"
	adminPw  = "Admin-Pw-1!"
	syncPw   = "Sync-Pw-1!"
)

// wednesday is the time at which every test begins: a Wednesday, 10:30 UTC.
var wednesday = time.Date(2025, 4, 2, 10, 30, 0, 0, time.UTC)

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// lab is one domain controller and what a test needs beside it.
type lab struct {
	*dc.Server
	clock *clock
	roots *x509.CertPool
	mu    sync.Mutex
	seen  []dc.Event
}

func (l *lab) events() []dc.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]dc.Event(nil), l.seen...)
}

func start(t *testing.T, change ...func(*dc.Options)) *lab {
	t.Helper()
	cert, roots := certificate(t)
	l := &lab{clock: &clock{at: wednesday}, roots: roots}
	o := dc.Options{
		Domain: "corp.example.test", NetBIOS: "CORP", TLS: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12},
		Admin: dc.Account{Name: "Administrator", Password: adminPw}, SyncReader: dc.Account{Name: "svc-sync", Password: syncPw},
		Clock: l.clock, LockoutThreshold: 3,
		Log: func(e dc.Event) { l.mu.Lock(); l.seen = append(l.seen, e); l.mu.Unlock() },
	}
	for _, c := range change {
		c(&o)
	}
	srv, err := dc.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	l.Server = srv
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "dc1"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// user is a person as the demo world would load one.
func user(name string, attrs map[string]string) dc.Entry {
	e := dc.Entry{DN: "CN=" + name + "," + people, Password: password, Attrs: map[string][]string{
		"objectClass": {"user"}, "sAMAccountName": {name}, "userPrincipalName": {name + "@pta.example.test"}, "displayName": {name + " Test"},
	}}
	for k, v := range attrs {
		e.Attrs[k] = []string{v}
	}
	return e
}

func (l *lab) seed(t *testing.T, entries ...dc.Entry) {
	t.Helper()
	ou := dc.Entry{DN: people, Attrs: map[string][]string{"objectClass": {"organizationalUnit"}}}
	if err := l.Seed(append([]dc.Entry{ou}, entries...)); err != nil {
		t.Fatal(err)
	}
}

// dial opens a connection with TLS; plain without.
func (l *lab) dial(t *testing.T) *ldap.Conn {
	t.Helper()
	c := l.plain(t)
	if err := c.StartTLS(&tls.Config{RootCAs: l.roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}); err != nil {
		t.Fatal(err)
	}
	return c
}

func (l *lab) plain(t *testing.T) *ldap.Conn {
	t.Helper()
	c, err := ldap.DialURL("ldap://" + l.Addr())
	if err != nil {
		t.Fatal(err)
	}
	c.SetTimeout(20 * time.Second)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func (l *lab) as(t *testing.T, name, pw string) *ldap.Conn {
	t.Helper()
	c := l.dial(t)
	if err := c.Bind(name, pw); err != nil {
		t.Fatalf("bind as %s: %v", name, err)
	}
	return c
}

func (l *lab) asAdmin(t *testing.T) *ldap.Conn {
	t.Helper()
	return l.as(t, `CORP\Administrator`, adminPw)
}

// code is the LDAP result code in an error of the client; 0 for none.
func code(err error) int {
	var e *ldap.Error
	if errors.As(err, &e) {
		return int(e.ResultCode)
	}
	if err != nil {
		return -1
	}
	return 0
}

func filetime(t time.Time) string {
	return strconv.FormatInt(t.UnixNano()/100+116444736000000000, 10)
}

func quoted(pw string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(`"` + pw + `"`)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

func wantData(t *testing.T, what string, err error, data string) {
	t.Helper()
	if data == "" {
		if err != nil {
			t.Errorf("%s: %v, want success", what, err)
		}
		return
	}
	want := fmt.Sprintf("80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data %s, v1db1", data)
	if code(err) != ldap.LDAPResultInvalidCredentials || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: %v, want result 49 with data %s", what, err, data)
	}
}
