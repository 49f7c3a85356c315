package saml

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"

	crewjam "github.com/crewjam/saml"
)

// Metadata is what fourways takes from an identity provider's metadata.
type Metadata struct {
	Issuer       string
	SSO          map[Binding]string  // where AuthnRequests go, by binding
	Certificates []*x509.Certificate // that sign, expired ones too
}

// metadataLimits are for files that an administrator chose: AD FS publishes some 60 KiB.
var metadataLimits = limits{bytes: 1 << 20, elements: 10_000, attributes: 20_000, depth: 32, comments: true}

// ParseMetadata reads the metadata of one identity provider (SAML metadata 2.3.2). Its signature is not checked: whoever
// may configure fourways vouches for the file.
func ParseMetadata(data []byte) (Metadata, error) { return parseMetadata(data, false) }

// ParsePlainMetadata is ParseMetadata where Policy.PlainHTTP holds.
func ParsePlainMetadata(data []byte) (Metadata, error) { return parseMetadata(data, true) }

func parseMetadata(data []byte, plain bool) (Metadata, error) {
	if err := metadataLimits.scan(data); err != nil {
		return Metadata{}, fmt.Errorf("the metadata is not taken: %w", err)
	}
	var entity crewjam.EntityDescriptor
	if err := guarded(func() error { return xml.Unmarshal(data, &entity) }); err != nil {
		return Metadata{}, fmt.Errorf("the metadata is not one EntityDescriptor (choose one out of a federation's file): %w", err)
	}
	if len(entity.IDPSSODescriptors) != 1 {
		return Metadata{}, fmt.Errorf("the metadata has %d IDPSSODescriptor elements: one identity provider is needed", len(entity.IDPSSODescriptors))
	}
	role := entity.IDPSSODescriptors[0]
	m := Metadata{Issuer: entity.EntityID, SSO: map[Binding]string{}}
	for _, service := range role.SingleSignOnServices {
		b, known := map[string]Binding{crewjam.HTTPRedirectBinding: Redirect, crewjam.HTTPPostBinding: Post}[service.Binding]
		if known && m.SSO[b] == "" {
			m.SSO[b] = service.Location
		}
	}
	for _, key := range role.KeyDescriptors {
		if key.Use != "" && key.Use != "signing" {
			continue
		}
		for _, text := range key.KeyInfo.X509Data.X509Certificates {
			cert, err := decodeCertificate(text.Data)
			if err != nil {
				return Metadata{}, fmt.Errorf("a certificate in the metadata: %w", err)
			}
			m.Certificates = append(m.Certificates, cert)
		}
	}
	return m, m.check("", plain)
}

// check holds what a sign-in needs; with a binding, an SSO URL for it too.
func (m Metadata) check(b Binding, plain bool) error {
	var all []error
	if m.Issuer == "" || len(m.Issuer) > longestValue || strings.ContainsAny(m.Issuer, " \t\r\n") {
		all = append(all, fmt.Errorf("the identity provider's issuer %q is empty, longer than %d bytes or has spaces", clip(m.Issuer), longestValue))
	}
	if b != "" && m.SSO[b] == "" {
		all = append(all, fmt.Errorf("no SSO URL is known for binding %s: give sso_url, or use another binding", b))
	}
	for binding, to := range m.SSO {
		all = append(all, checkURL("the SSO URL for "+string(binding), to, plain))
	}
	if len(m.Certificates) == 0 {
		all = append(all, errors.New("no signing certificate of the identity provider is known"))
	}
	for _, cert := range m.Certificates {
		all = append(all, checkKey(cert))
	}
	return errors.Join(all...)
}

func checkKey(cert *x509.Certificate) error {
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < smallestRSA {
			return fmt.Errorf("the certificate of %q has an RSA key of %d bits: at least %d are needed", cert.Subject, key.N.BitLen(), smallestRSA)
		}
		return nil
	case *ecdsa.PublicKey:
		return nil
	default:
		return fmt.Errorf("the certificate of %q has a key of kind %s: RSA or ECDSA is needed", cert.Subject, cert.PublicKeyAlgorithm)
	}
}

func decodeCertificate(text string) (*x509.Certificate, error) {
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// Metadata is our own metadata, for the identity provider's administrator: XML, valid for two days from now.
func (p *Provider) Metadata() []byte {
	m := p.sp.Metadata()
	role := &m.SPSSODescriptors[0]
	role.AssertionConsumerServices = role.AssertionConsumerServices[:1] // POST alone: no artifacts are resolved
	role.KeyDescriptors = nil
	if k := p.config.Key; k != nil {
		info := crewjam.KeyInfo{X509Data: crewjam.X509Data{X509Certificates: []crewjam.X509Certificate{
			{Data: base64.StdEncoding.EncodeToString(k.Certificate.Raw)},
		}}}
		if p.config.Requests.Sign {
			role.KeyDescriptors = append(role.KeyDescriptors, crewjam.KeyDescriptor{Use: "signing", KeyInfo: info})
		}
		if p.config.Policy.AllowEncrypted {
			role.KeyDescriptors = append(role.KeyDescriptors, crewjam.KeyDescriptor{Use: "encryption", KeyInfo: info, EncryptionMethods: []crewjam.EncryptionMethod{
				{Algorithm: aes256CBC}, {Algorithm: aes128CBC}, {Algorithm: rsaOAEP},
			}})
		}
	}
	signed := p.config.Policy.Signed != SignedResponse
	role.WantAssertionsSigned = &signed
	out, err := xml.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil // can't be: the value was made above
	}
	return append([]byte(xml.Header), append(out, '\n')...)
}
