package saml

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

const (
	idpIssuer  = "https://idp.example.test/saml.example.test"
	idpSSO     = "https://idp.example.test/sso"
	ourName    = "urn:fourways:gateway"
	ourACS     = "https://door.example.test/federation/saml/harbour/acs"
	anchorOf   = "MyIRAFVEd2aImaq7zN3u/w==" // base64 of an objectGUID
	otherOf    = "q83vASNFZ4mrze8BI0VniQ=="
	upnOf      = "alice@saml.example.test"
	wireFormat = "2006-01-02T15:04:05.000Z"
)

// keyPair is one identity provider's key.
type keyPair struct {
	key  crypto.Signer
	cert *x509.Certificate
}

func newKey(curve elliptic.Curve, until time.Time) keyPair {
	var key crypto.Signer
	var err error
	if curve == nil {
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		key, err = ecdsa.GenerateKey(curve, rand.Reader)
	}
	if err != nil {
		panic(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "signing"}, NotBefore: until.Add(-48 * time.Hour), NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return keyPair{key, cert}
}

func tomorrow() time.Time { return time.Now().Add(24 * time.Hour) }

// Keys are costly to make; the tests only read them.
var (
	idpKey     = sync.OnceValue(func() keyPair { return newKey(nil, tomorrow()) })
	nextKey    = sync.OnceValue(func() keyPair { return newKey(nil, tomorrow()) })
	foreignKey = sync.OnceValue(func() keyPair { return newKey(nil, tomorrow()) })
	oldKey     = sync.OnceValue(func() keyPair { return newKey(nil, time.Now().Add(-time.Hour)) })
	curveKey   = sync.OnceValue(func() keyPair { return newKey(elliptic.P256(), tomorrow()) })
	ourKey     = sync.OnceValue(func() *Key {
		k := newKey(nil, tomorrow())
		return &Key{Private: k.key.(*rsa.PrivateKey), Certificate: k.cert}
	})
)

// message is a Response of a well-behaved identity provider.
func message(request string, now time.Time) *etree.Element {
	at := func(d time.Duration) string { return now.Add(d).UTC().Format(wireFormat) }
	doc := etree.NewDocument()
	err := doc.ReadFromString(strings.NewReplacer(
		"{issuer}", idpIssuer, "{acs}", ourACS, "{request}", request, "{audience}", ourName, "{anchor}", anchorOf, "{upn}", upnOf,
		"{now}", at(0), "{soon}", at(5*time.Minute), "{hour}", at(time.Hour), "{just}", at(-time.Second),
		"{id}", strings.ToLower(rand.Text()),
	).Replace(`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r{id}" Version="2.0" IssueInstant="{now}" Destination="{acs}" InResponseTo="{request}">
  <saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">{issuer}</saml:Issuer>
  <samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>
  <saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a{id}" Version="2.0" IssueInstant="{now}">
    <saml:Issuer>{issuer}</saml:Issuer>
    <saml:Subject>
      <saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">{anchor}</saml:NameID>
      <saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
        <saml:SubjectConfirmationData InResponseTo="{request}" NotOnOrAfter="{soon}" Recipient="{acs}"/>
      </saml:SubjectConfirmation>
    </saml:Subject>
    <saml:Conditions NotBefore="{just}" NotOnOrAfter="{hour}">
      <saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction>
    </saml:Conditions>
    <saml:AuthnStatement AuthnInstant="{just}" SessionIndex="_s{id}" SessionNotOnOrAfter="{hour}">
      <saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef></saml:AuthnContext>
    </saml:AuthnStatement>
    <saml:AttributeStatement>
      <saml:Attribute Name="IDPEmail"><saml:AttributeValue>{upn}</saml:AttributeValue></saml:Attribute>
      <saml:Attribute Name="groups"><saml:AttributeValue>Finance</saml:AttributeValue><saml:AttributeValue>Pilot</saml:AttributeValue></saml:Attribute>
    </saml:AttributeStatement>
  </saml:Assertion>
</samlp:Response>`))
	if err != nil {
		panic(err)
	}
	return doc.Root()
}

// signing says how to sign. The zero value is what is taken; every field is one way to go wrong, or another right way.
type signing struct {
	method, digest string
	hash           crypto.Hash
	canonical      string
	transforms     []string
	uri            *string
	digestValue    []byte
	moreReferences string // XML after the Reference
	noKeyInfo      bool
	prefixList     string
	hmac           []byte
	derECDSA       bool
}

const enveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"

func (s signing) withDefaults(by keyPair) signing {
	def(&s.hash, crypto.SHA256)
	def(&s.digest, "http://www.w3.org/2001/04/xmlenc#sha256")
	def(&s.canonical, "http://www.w3.org/2001/10/xml-exc-c14n#")
	if s.method == "" {
		s.method = dsig.RSASHA256SignatureMethod
		if _, ok := by.key.(*ecdsa.PrivateKey); ok {
			s.method = dsig.ECDSASHA256SignatureMethod
		}
	}
	if s.transforms == nil {
		s.transforms = []string{enveloped, "http://www.w3.org/2001/10/xml-exc-c14n#"}
	}
	return s
}

// sign puts an enveloped signature into el, after its Issuer.
func (s signing) sign(el *etree.Element, by keyPair) {
	s = s.withDefaults(by)
	uri := "#" + el.SelectAttrValue("ID", "")
	if s.uri != nil {
		uri = *s.uri
	}
	var transforms strings.Builder
	for _, t := range s.transforms {
		inner := ""
		if s.prefixList != "" && t != enveloped {
			inner = `<ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="` + s.prefixList + `"/>`
		}
		fmt.Fprintf(&transforms, `<ds:Transform Algorithm="%s">%s</ds:Transform>`, t, inner)
	}
	if s.digestValue == nil {
		s.digestValue = sum(s.hash, canonicalise(el, s.prefixList))
	}
	info := fragment(fmt.Sprintf(`<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:CanonicalizationMethod Algorithm="%s"/><ds:SignatureMethod Algorithm="%s"/>`+
		`<ds:Reference URI="%s"><ds:Transforms>%s</ds:Transforms><ds:DigestMethod Algorithm="%s"/><ds:DigestValue>%s</ds:DigestValue></ds:Reference>%s</ds:SignedInfo>`,
		s.canonical, s.method, uri, transforms.String(), s.digest, base64.StdEncoding.EncodeToString(s.digestValue), s.moreReferences))
	sig := fragment(`<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>`)
	value := s.value(canonicalise(info, ""), by)
	sig.AddChild(info)
	sig.CreateElement("ds:SignatureValue").SetText(base64.StdEncoding.EncodeToString(value))
	if !s.noKeyInfo {
		sig.CreateElement("ds:KeyInfo").CreateElement("ds:X509Data").CreateElement("ds:X509Certificate").SetText(base64.StdEncoding.EncodeToString(by.cert.Raw))
	}
	el.InsertChildAt(el.SelectElement("Issuer").Index()+1, sig)
}

func (s signing) value(info []byte, by keyPair) []byte {
	if s.hmac != nil {
		mac := hmac.New(s.hash.New, s.hmac)
		mac.Write(info)
		return mac.Sum(nil)
	}
	value, err := by.key.Sign(rand.Reader, sum(s.hash, info), s.hash)
	if err != nil {
		panic(err)
	}
	key, ok := by.key.(*ecdsa.PrivateKey)
	if !ok || s.derECDSA {
		return value
	}
	var rs struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(value, &rs); err != nil {
		panic(err)
	}
	size := (key.Curve.Params().BitSize + 7) / 8
	return append(rs.R.FillBytes(make([]byte, size)), rs.S.FillBytes(make([]byte, size))...)
}

func canonicalise(el *etree.Element, prefixList string) []byte {
	out, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(prefixList).Canonicalize(el.Copy())
	if err != nil {
		panic(err)
	}
	return out
}

func sum(h crypto.Hash, data []byte) []byte {
	w := h.New()
	w.Write(data)
	return w.Sum(nil)
}

func fragment(xml string) *etree.Element {
	doc := etree.NewDocument()
	if err := doc.ReadFromString(xml); err != nil {
		panic(err)
	}
	return doc.Root().Copy()
}

func write(el *etree.Element) []byte {
	doc := etree.NewDocument()
	doc.SetRoot(el)
	out, err := doc.WriteToBytes()
	if err != nil {
		panic(err)
	}
	return out
}

// find is the element at path, by tags without prefixes; the test fails without it, so that no edit is made to nothing.
func find(t testing.TB, root *etree.Element, path string) *etree.Element {
	t.Helper()
	el := root
	for tag := range strings.SplitSeq(path, "/") {
		if el = el.SelectElement(tag); el == nil {
			t.Fatalf("the message has no %s", path)
		}
	}
	return el
}
