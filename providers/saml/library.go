package saml

import (
	"encoding/base64"
	"net/url"
	"sync"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"
)

// setLibrary guards crewjam's package variables, which all providers share.
var setLibrary sync.Once

// loosenLibrary sets crewjam's tolerances, once, to the widest that any provider may be configured with; they are package
// variables, so they can't be each provider's own. The provider's own, tighter ones are held in F4.time.
func loosenLibrary() {
	setLibrary.Do(func() {
		crewjam.MaxClockSkew = longestSkew
		crewjam.MaxIssueDelay = longestIssueDelay + longestSkew
	})
}

func (p *Provider) serviceProvider() crewjam.ServiceProvider {
	acs, _ := url.Parse(p.config.ACSURL) // validate parsed it before
	role := crewjam.IDPSSODescriptor{}
	for _, cert := range p.idp.Certificates {
		role.KeyDescriptors = append(role.KeyDescriptors, crewjam.KeyDescriptor{Use: "signing", KeyInfo: crewjam.KeyInfo{
			X509Data: crewjam.X509Data{X509Certificates: []crewjam.X509Certificate{{Data: base64.StdEncoding.EncodeToString(cert.Raw)}}},
		}})
	}
	sp := crewjam.ServiceProvider{
		EntityID: p.config.EntityID, AcsURL: *acs, AuthnNameIDFormat: crewjam.PersistentNameIDFormat,
		IDPMetadata:       &crewjam.EntityDescriptor{EntityID: p.idp.Issuer, IDPSSODescriptors: []crewjam.IDPSSODescriptor{role}},
		SignatureVerifier: verifier{p},
	}
	if k := p.config.Key; k != nil {
		sp.Key, sp.Certificate = k.Private, k.Certificate
		if p.config.Requests.Sign {
			sp.SignatureMethod = dsig.RSASHA256SignatureMethod
		}
	}
	return sp
}

// verifier makes the library check signatures as we do: KeyInfo unread, each certificate tried.
type verifier struct{ p *Provider }

// VerifySignature implements crewjam.SignatureVerifier.
func (v verifier) VerifySignature(_ *dsig.ValidationContext, el *etree.Element) error {
	_, err := v.p.verifyDetached(el)
	return err
}

// lastWord lets crewjam/saml judge the whole Response on its own. It is laxer than our checks nearly everywhere; what it
// sees and we don't is refused all the same.
func (p *Provider) lastWord(raw []byte, request string) (*crewjam.Assertion, error) {
	var a *crewjam.Assertion
	err := guarded(func() (err error) {
		sp := p.sp
		a, err = sp.ParseXMLResponse(raw, []string{request}, sp.AcsURL)
		return privateCause(err)
	})
	return a, err
}

// privateCause digs out what the library hides behind one public sentence.
func privateCause(err error) error {
	if hidden, ok := err.(*crewjam.InvalidResponseError); ok { //nolint:errorlint // the library returns it unwrapped
		return hidden.PrivateErr
	}
	return err
}
