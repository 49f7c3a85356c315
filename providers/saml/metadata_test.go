package saml

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"math/big"
	"strings"
	"testing"
	"time"

	crewjam "github.com/crewjam/saml"

	"github.com/fourways-id/fourways/authn/authntest"
)

func keyDescriptor(use string, cert *x509.Certificate) string {
	return `<md:KeyDescriptor` + use + `><ds:KeyInfo xmlns:ds="` + nsDsig + `"><ds:X509Data><ds:X509Certificate>
  ` + base64.StdEncoding.EncodeToString(cert.Raw) + `
</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`
}

func idpMetadata() string {
	return `<?xml version="1.0"?><!-- kept by hand -->
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="` + idpIssuer + `"><md:IDPSSODescriptor protocolSupportEnumeration="` + nsProtocol + `">` +
		keyDescriptor(` use="signing"`, idpKey().cert) + keyDescriptor("", nextKey().cert) + keyDescriptor(` use="encryption"`, foreignKey().cert) +
		`<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="https://idp.example.test/soap"/>` +
		`<md:SingleSignOnService Binding="` + crewjam.HTTPRedirectBinding + `" Location="` + idpSSO + `"/>` +
		`<md:SingleSignOnService Binding="` + crewjam.HTTPPostBinding + `" Location="` + idpSSO + `/post"/>` +
		`</md:IDPSSODescriptor></md:EntityDescriptor>`
}

func TestParseMetadata(t *testing.T) {
	m, err := ParseMetadata([]byte(idpMetadata()))
	if err != nil {
		t.Fatal(err)
	}
	if m.Issuer != idpIssuer || m.SSO[Redirect] != idpSSO || m.SSO[Post] != idpSSO+"/post" || len(m.SSO) != 2 {
		t.Errorf("%q %v", m.Issuer, m.SSO)
	}
	if len(m.Certificates) != 2 || !m.Certificates[0].Equal(idpKey().cert) || !m.Certificates[1].Equal(nextKey().cert) {
		t.Errorf("%d certificates: an encryption key signs nothing", len(m.Certificates))
	}
}

func TestMetadataThatIsNotTaken(t *testing.T) {
	good := idpMetadata()
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	selfSigned := func(pub, key any) *x509.Certificate {
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, pub, key)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	current := base64.StdEncoding.EncodeToString(idpKey().cert.Raw)
	with := func(c *x509.Certificate) string { return base64.StdEncoding.EncodeToString(c.Raw) }
	for name, c := range map[string]struct{ old, with, says string }{
		"DOCTYPE":             {`<?xml version="1.0"?>`, `<!DOCTYPE x>`, "DOCTYPE"},
		"not XML":             {good, "hello", "text outside"},
		"another document":    {"md:EntityDescriptor", "md:EntitiesDescriptor", "one EntityDescriptor"},
		"a service provider":  {"md:IDPSSODescriptor", "md:SPSSODescriptor", "0 IDPSSODescriptor"},
		"no issuer":           {` entityID="` + idpIssuer + `"`, "", "issuer"},
		"plain http":          {`Location="` + idpSSO + `"`, `Location="http://idp.example.test/sso"`, "https://"},
		"a script":            {`Location="` + idpSSO + `"`, `Location="javascript:alert(1)"`, "scheme"},
		"a broken key":        {current, "AAAA", "certificate"},
		"a weak key":          {current, with(selfSigned(&weak.PublicKey, weak)), "1024 bits"},
		"a key of other kind": {current, with(selfSigned(edwards.Public(), edwards)), "RSA or ECDSA"},
		"no keys":             {good[strings.Index(good, "<md:KeyDescriptor"):strings.Index(good, "<md:SingleSignOnService")], "", "no signing certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(good, c.old) {
				t.Fatal("the row changes nothing")
			}
			_, err := ParseMetadata([]byte(strings.ReplaceAll(good, c.old, c.with)))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want it to say %q", err, c.says)
			}
		})
	}
}

func TestProviderFromMetadata(t *testing.T) {
	p := testProvider(t, func(c *Config) { c.IdP = IdP{Metadata: []byte(idpMetadata())} })
	if p.Issuer() != idpIssuer {
		t.Errorf("issuer %q", p.Issuer())
	}
	allowed(t, forgery{}.play(t, p))
	allowed(t, forgery{by: nextKey()}.play(t, p))
}

func TestOurMetadata(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
		uses   string
	}{
		{"no key", nil, ""},
		{"signs", func(c *Config) { c.Key, c.Requests.Sign = ourKey(), true }, "signing"},
		{"decrypts", withEncryption, "encryption"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var m crewjam.EntityDescriptor
			if err := xml.Unmarshal(testProvider(t, c.change).Metadata(), &m); err != nil {
				t.Fatal(err)
			}
			role := m.SPSSODescriptors[0]
			if m.EntityID != ourName || len(role.AssertionConsumerServices) != 1 || role.AssertionConsumerServices[0].Location != ourACS ||
				role.AssertionConsumerServices[0].Binding != crewjam.HTTPPostBinding || !*role.WantAssertionsSigned {
				t.Errorf("%q %+v", m.EntityID, role.AssertionConsumerServices)
			}
			uses := ""
			for _, k := range role.KeyDescriptors {
				uses += k.Use
			}
			if uses != c.uses {
				t.Errorf("keys for %q, want %q", uses, c.uses)
			}
		})
	}
}

func TestConfigIsCheckedAllAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		says   []string
	}{
		"several faults": {func(c *Config) { c.ID, c.EntityID, c.ACSURL = "", "", "x" }, []string{"no id", "entity id", "ACS URL"}},
		"binding":        {func(c *Config) { c.Requests.Binding = "soap" }, []string{"binding"}},
		"no SSO URL":     {func(c *Config) { c.IdP.SSOURL = "" }, []string{"no SSO URL"}},
		"plain http":     {func(c *Config) { c.ACSURL = "http://door.example.test/acs" }, []string{"https://"}},
		"skew":           {func(c *Config) { c.Policy.Skew = time.Hour }, []string{"skew"}},
		"issue delay":    {func(c *Config) { c.Policy.MaxIssueDelay = time.Hour }, []string{"issue delay"}},
		"what is signed": {func(c *Config) { c.Policy.Signed = "none" }, []string{"signed"}},
		"no key":         {func(c *Config) { c.Policy.AllowEncrypted = true }, []string{"need a key"}},
		"half a key":     {func(c *Config) { c.Key = &Key{Private: ourKey().Private} }, []string{"both be given"}},
		"another's certificate": {func(c *Config) {
			c.Key = &Key{Private: ourKey().Private, Certificate: foreignKey().cert}
		}, []string{"not that of our key"}},
		"signed redirect to a query": {func(c *Config) { c.Key, c.Requests.Sign, c.IdP.SSOURL = ourKey(), true, idpSSO+"?x=y" }, []string{"use post"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig()
			c.change(&cfg)
			_, err := New(cfg, authntest.NewClock(policyNow))
			for _, says := range c.says {
				if err == nil || !strings.Contains(err.Error(), says) {
					t.Errorf("%v, want it to say %q", err, says)
				}
			}
		})
	}
	loopback := testConfig()
	loopback.ACSURL, loopback.IdP.SSOURL = "http://127.0.0.1:8400/acs", "http://localhost:8404/sso"
	if _, err := New(loopback, authntest.NewClock(policyNow)); err != nil {
		t.Errorf("loopback: %v", err)
	}
}
