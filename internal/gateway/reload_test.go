package gateway

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/dirsync"
)

// house is a gateway with one cloud domain and one that a SAML identity provider speaks for.
type house struct {
	*Gateway
	t    *testing.T
	dir  string
	text string // the configuration file
}

const twoDomains = `
[server]
public_url = "http://localhost:8400"
public_listen = "127.0.0.1:0"
console_listen = "127.0.0.1:0"
telemetry_listen = "127.0.0.1:0"
agent_listen = %q
[store]
path = %q
root_key_file = %q
[lockout]
threshold = 10
[[domain]]
name = "cloud.example"
path = "cloud"
[[domain]]
name = "saml.example"
path = "federated"
idp = "harbour"
[[idp]]
id = "harbour"
protocol = "saml"
domains = ["saml.example"]
metadata_file = %q
`

// newHouse opens a gateway whose agent link, once a domain needs it, is to listen on agents.
func newHouse(t *testing.T, agents, metadata string) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir()}
	h.write("harbour.xml", metadata)
	h.text = fmt.Sprintf(twoDomains, agents, h.path("fourways.db"), h.path("root.key"), h.path("harbour.xml"))
	h.write("fourways.toml", h.text)
	c, err := config.LoadFile(h.path("fourways.toml"))
	if err != nil {
		t.Fatal(err)
	}
	h.Gateway, err = Open(t.Context(), Options{Config: c, File: h.path("fourways.toml"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

func (h *house) path(name string) string { return filepath.Join(h.dir, name) }

func (h *house) write(name, text string) {
	h.t.Helper()
	if err := os.WriteFile(h.path(name), []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// edit replaces old by new in the file as it was first, and reloads.
func (h *house) edit(old, new string) (api.Reload, error) {
	h.t.Helper()
	if !strings.Contains(h.text, old) {
		h.t.Fatalf("the file has no %q", old)
	}
	h.write("fourways.toml", strings.Replace(h.text, old, new, 1))
	return h.Reload(h.t.Context())
}

func (h *house) metadata() string {
	xml, _ := federation{h.paths}.Metadata("harbour")
	return string(xml)
}

// pathOf is how the domain's people sign in now.
func (h *house) pathOf(domain string) authn.Path {
	h.t.Helper()
	r, err := h.tenant.Of(h.t.Context(), authn.ParseIdentifier("x@"+domain), authn.Account{})
	if err != nil {
		h.t.Fatal(err)
	}
	return r.Path
}

// harbourMetadata is that of an identity provider with a key of its own.
func harbourMetadata(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example/">
<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing">
<KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>` + base64.StdEncoding.EncodeToString(der) + `</X509Certificate></X509Data></KeyInfo>
</KeyDescriptor><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example/sso"/></IDPSSODescriptor></EntityDescriptor>`
}

func TestReloadLeavesWhatNeedsARestartAsItIs(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", harbourMetadata(t))
	const acs = `Location="http://localhost:8400/federation/saml/harbour/acs"`
	if !strings.Contains(h.metadata(), acs) {
		t.Fatalf("our metadata: %s", h.metadata())
	}
	for range 2 { // announced until the restart, not once
		report, err := h.edit(`public_url = "http://localhost:8400"`, `public_url = "https://login.example"`)
		if err != nil || !slices.Equal(report.Restart, []string{"server.public_url"}) || len(report.Live) > 0 {
			t.Errorf("got %+v, %v", report, err)
		}
		if !strings.Contains(h.metadata(), acs) {
			t.Errorf("the public listener is where it was, but identity providers are told another address: %s", h.metadata())
		}
	}
	report, err := h.edit("threshold = 10", "threshold = 7")
	if err != nil || !slices.Equal(report.Live, []string{"lockout.threshold"}) || h.conf.Load().Lockout.Threshold != 7 {
		t.Errorf("what needs no restart: %+v, %v, threshold %d", report, err, h.conf.Load().Lockout.Threshold)
	}
}

func TestReloadDoesNotGiveUpAWorkingIdentityProvider(t *testing.T) {
	good := harbourMetadata(t)
	h := newHouse(t, "127.0.0.1:0", good)
	h.write("harbour.xml", "<garbage")
	_, err := h.edit("threshold = 10", "threshold = 7")
	var problem api.Problem
	if !errors.As(err, &problem) || problem.Status != http.StatusUnprocessableEntity || !strings.Contains(problem.Detail, "[[idp]] harbour: its metadata") {
		t.Fatalf("damaged metadata: %v", err)
	}
	if h.metadata() == "" || h.conf.Load().Lockout.Threshold != 10 {
		t.Error("half of the file is in force")
	}
	h.write("harbour.xml", good)
	if _, err := h.edit("threshold = 10", "threshold = 7"); err != nil || h.conf.Load().Lockout.Threshold != 7 {
		t.Errorf("repaired: %v", err)
	}
}

func TestABrokenIdentityProviderHoldsNoReloadUp(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", "<garbage")
	if _, err := h.edit("threshold = 10", "threshold = 7"); err != nil || h.conf.Load().Lockout.Threshold != 7 {
		t.Errorf("it was broken before: %v", err)
	}
	h.write("harbour.xml", harbourMetadata(t))
	if _, err := h.Reload(t.Context()); err != nil || h.metadata() == "" {
		t.Errorf("repaired: %v, metadata %q", err, h.metadata())
	}
}

func TestReloadThatFailsHalfWayChangesNothing(t *testing.T) {
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	h := newHouse(t, taken.Addr().String(), harbourMetadata(t))
	toPTA := func() error {
		_, err := h.edit("path = \"cloud\"", "path = \"pta\"")
		return err
	}
	if err := toPTA(); err == nil || !strings.Contains(err.Error(), "server.agent_listen") {
		t.Fatalf("the agent link's port is taken: %v", err)
	}
	if p := h.pathOf("cloud.example"); p != authn.PathCloud || h.conf.Load().Domain[0].Path != authn.PathCloud {
		t.Errorf("the reload was refused, but people sign in by %s", p)
	}
	_ = taken.Close()
	if err := toPTA(); err != nil || h.pathOf("cloud.example") != authn.PathPTA {
		t.Errorf("the port is free: %v, path %s", err, h.pathOf("cloud.example"))
	}
}

// Whoever reads the file last decides: two reloads at once must not leave the older one in force.
func TestReloadsAtOnceEndWithOneConfiguration(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", harbourMetadata(t))
	var all sync.WaitGroup
	for i := range 16 {
		h.write("next.toml", strings.Replace(h.text, "threshold = 10", fmt.Sprintf("threshold = %d", i+1), 1))
		if err := os.Rename(h.path("next.toml"), h.path("fourways.toml")); err != nil { // nobody reads half a file
			t.Fatal(err)
		}
		all.Go(func() {
			if _, err := h.Reload(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := h.conf.Load().Lockout.Threshold; got != 16 {
		t.Errorf("the file says 16, in force is %d", got)
	}
}

// synced gives the domain a synchronised person with a hash, and counts the domain's hashes.
func (h *house) synced(domain string) (count func() int) {
	h.t.Helper()
	u := directory.User{ID: authn.AccountID("id of " + domain), UPN: "alice@" + domain, Synced: true, Enabled: true, Onprem: directory.Onprem{Anchor: domain}}
	c := directory.Changes{Run: "run-1", Put: directory.Objects{Users: []directory.User{u}}, Hashes: []directory.Credential{
		{Account: u.ID, Scheme: directory.SchemePHS, Record: []byte("v1;PPH1_MD4,aa,1000,bb;"), Source: "run-1"},
	}}
	if err := h.core.store.ApplySync(h.t.Context(), c); err != nil {
		h.t.Fatal(err)
	}
	count = func() int {
		n, err := h.core.store.CountCredentials(h.t.Context(), directory.SchemePHS, domain)
		if err != nil {
			h.t.Fatal(err)
		}
		return n
	}
	if count() != 1 {
		h.t.Fatal("no hash was written: the test shows nothing")
	}
	return count
}

func TestAHashRunThatBeganBeforeTheSwitchLeavesNothing(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", harbourMetadata(t))
	count := h.synced("cloud.example")
	h.synchronised(directory.Run{Kind: string(dirsync.KindDirectory)})
	if count() != 1 {
		t.Error("a directory run that moved nobody writes no hash and drops none")
	}
	h.synchronised(directory.Run{Kind: string(dirsync.KindHash)})
	if n := count(); n != 0 {
		t.Errorf("password_hash_sync is off and the store holds %d hashes", n)
	}
}

func TestADomainThatLeavesTheFileLeavesNoHash(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", harbourMetadata(t))
	h.text += "[[domain]]\nname = \"phs.example\"\npath = \"phs\"\n"
	if _, err := h.edit("threshold = 10", "threshold = 9"); err != nil {
		t.Fatal(err)
	}
	count := h.synced("phs.example")
	if _, err := h.edit("threshold = 10", "threshold = 8"); err != nil || count() != 1 {
		t.Fatalf("a reload that leaves the domain alone: %v, %d hashes", err, count())
	}
	if _, err := h.edit("[[domain]]\nname = \"phs.example\"\npath = \"phs\"\n", ""); err != nil || count() != 0 {
		t.Errorf("the domain is gone: %v, the store holds %d hashes of its people", err, count())
	}
}

// A run of the directory may give somebody a name in a domain whose switch is off; no hash run need follow.
func TestADirectoryRunThatMovesPeopleLeavesNoHashWhereTheSwitchIsOff(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", harbourMetadata(t))
	count := h.synced("cloud.example")
	if h.synchronised(directory.Run{Kind: string(dirsync.KindDirectory), Updated: 1}); count() != 0 {
		t.Errorf("password_hash_sync is off and the store holds %d hashes", count())
	}
}

// The file may lose a domain while no gateway runs, and a gateway may be killed before it has dropped what it should.
func TestAStartDropsTheHashesOfDomainsThatAreServedNoMore(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", harbourMetadata(t))
	const phs = "[[domain]]\nname = \"phs.example\"\npath = \"phs\"\n"
	h.text += phs
	if _, err := h.edit("threshold = 10", "threshold = 9"); err != nil {
		t.Fatal(err)
	}
	for what, domain := range map[string]string{"taken out of the file": "left.example", "switched off": "cloud.example"} {
		h.synced(domain)
		h.synced("phs.example")
		h.Close()
		c, err := config.LoadFile(h.path("fourways.toml"))
		if err != nil {
			t.Fatal(err)
		}
		if h.Gateway, err = Open(t.Context(), Options{Config: c, File: h.path("fourways.toml"), Log: slog.New(slog.DiscardHandler)}); err != nil {
			t.Fatal(err)
		}
		for of, want := range map[string]int{domain: 0, "phs.example": 1} {
			if n, err := h.core.store.CountCredentials(t.Context(), directory.SchemePHS, of); err != nil || n != want {
				t.Errorf("%s: the store holds %d hashes of %s, want %d (%v)", what, n, of, want, err)
			}
		}
	}
	t.Cleanup(h.Close)
}
