package harbour

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"encoding/xml"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"
)

// assertionGood is how long an assertion may be brought; the sample of Microsoft's SAML protocol page has five minutes.
const assertionGood = 5 * time.Minute

// passwordContext says that the person typed a password over a protected line (SAML AuthnContext 3.4.4).
const passwordContext = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"

// samlIssuer is the SAML identity provider of one domain: crewjam's, with our sessions, partner and assertions.
type samlIssuer struct {
	server  *Server
	domain  string
	keys    *keys
	idp     *saml.IdentityProvider
	partner *saml.EntityDescriptor // nil: nobody may ask
	signer  *x509.Certificate      // the partner's; nil: requests need not be signed
	earlier earlier
}

func (s *Server) newSAML(is Issuer) (*samlIssuer, error) {
	keys, err := openKeys(s.options.KeyDir, "saml."+is.Domain)
	if err != nil {
		return nil, err
	}
	entity, err := url.Parse(s.SAMLIssuer(is.Domain))
	if err != nil {
		return nil, err
	}
	i := &samlIssuer{server: s, domain: is.Domain, keys: keys}
	i.idp = &saml.IdentityProvider{
		Key: keys.now.key, Certificate: keys.now.certificate, MetadataURL: *entity, SSOURL: *entity.JoinPath("..", "sso"),
		ServiceProviderProvider: i, SessionProvider: i, AssertionMaker: i, SignatureMethod: dsig.RSASHA256SignatureMethod,
		Logger: log.New(warnings{s}, "", 0),
	}
	return i, i.setPartner(is.SAML)
}

// metadata says who this issuer is, with the keys of now.
func (i *samlIssuer) metadata() []byte {
	d := i.idp.Metadata()
	for n := range d.IDPSSODescriptors {
		role := &d.IDPSSODescriptors[n]
		role.NameIDFormats = []saml.NameIDFormat{saml.PersistentNameIDFormat}
		role.KeyDescriptors = nil // the library's are for encryption as well: nothing can be encrypted to us
		for _, k := range i.keys.published() {
			data := saml.X509Data{X509Certificates: []saml.X509Certificate{{Data: base64.StdEncoding.EncodeToString(k.certificate.Raw)}}}
			role.KeyDescriptors = append(role.KeyDescriptors, saml.KeyDescriptor{Use: "signing", KeyInfo: saml.KeyInfo{X509Data: data}})
		}
	}
	text, err := xml.MarshalIndent(d, "", "  ")
	if err != nil {
		i.server.options.ErrorLog.Error("the SAML metadata could not be written", "domain", i.domain, "cause", err)
	}
	return text
}

func (i *samlIssuer) setPartner(sp SP) error {
	if sp.EntityID == "" {
		return nil
	}
	if origin(sp.ACSURL) == "" {
		return fmt.Errorf("the ACS URL %q of %s is not an absolute URL", sp.ACSURL, sp.EntityID)
	}
	yes := true
	i.partner = &saml.EntityDescriptor{EntityID: sp.EntityID, SPSSODescriptors: []saml.SPSSODescriptor{{
		AssertionConsumerServices: []saml.IndexedEndpoint{{Binding: saml.HTTPPostBinding, Location: sp.ACSURL, Index: 1, IsDefault: &yes}},
	}}}
	if len(sp.Certificate) == 0 {
		return nil
	}
	der := sp.Certificate
	if block, _ := pem.Decode(der); block != nil {
		der = block.Bytes
	}
	var err error
	if i.signer, err = x509.ParseCertificate(der); err != nil {
		return fmt.Errorf("certificate of %s: %w", sp.EntityID, err)
	}
	return nil
}

// serveSAML answers /saml/{domain}/metadata and /saml/{domain}/sso.
func (s *Server) serveSAML(w http.ResponseWriter, r *http.Request) {
	i := s.idps[r.PathValue("domain")]
	switch {
	case i == nil:
		s.pages.message(w, http.StatusNotFound, "", "Harbour ID does not serve this domain.")
	case r.PathValue("action") == "metadata" && r.Method == http.MethodGet:
		w.Header().Set("Content-Type", "application/samlmetadata+xml")
		_, _ = w.Write(i.saml.metadata())
	case r.PathValue("action") == "sso" && (r.Method == http.MethodGet || r.Method == http.MethodPost):
		r.Body = http.MaxBytesReader(w, r.Body, mostBody)
		i.saml.sso(w, r)
	default:
		s.pages.message(w, http.StatusNotFound, i.Domain, "There is nothing here.")
	}
}

func (i *samlIssuer) sso(w http.ResponseWriter, r *http.Request) {
	req, err := saml.NewIdpAuthnRequest(i.idp, r)
	if err == nil {
		err = precheck(req.RequestBuffer)
	}
	if err == nil {
		err = req.Validate()
	}
	if err == nil {
		err = i.checkSignature(r, req.RequestBuffer)
	}
	if err == nil && req.Request.IsPassive != nil && *req.Request.IsPassive {
		err = errors.New("the request is passive, but Harbour ID always asks for the password")
	}
	if err != nil {
		i.server.options.ErrorLog.Warn("a SAML request was refused", "domain", i.domain, "cause", err)
		i.server.pages.message(w, http.StatusBadRequest, i.domain, "The service sent a request that Harbour ID does not accept.")
		return
	}
	i.GetSession(w, r, req)
}

// precheck refuses what crewjam's provider would work on for long, or panic at: inflated masses, and a request without Issuer.
func precheck(request []byte) error {
	if len(request) > mostBody {
		return fmt.Errorf("the request has %d bytes: at most %d are read", len(request), mostBody)
	}
	var shape struct {
		Issuer *struct{} `xml:"urn:oasis:names:tc:SAML:2.0:assertion Issuer"`
	}
	if err := xml.Unmarshal(request, &shape); err != nil { //nolint:gosec // G709: into one empty struct, bounded in length
		return err
	}
	if shape.Issuer == nil {
		return errors.New("the request does not say whose it is")
	}
	return nil
}

// GetServiceProvider knows the one partner.
func (i *samlIssuer) GetServiceProvider(_ *http.Request, id string) (*saml.EntityDescriptor, error) {
	if i.partner == nil || i.partner.EntityID != id {
		return nil, os.ErrNotExist
	}
	return i.partner, nil
}

// GetSession has none: it asks for the password, so ForceAuthn always holds.
func (i *samlIssuer) GetSession(w http.ResponseWriter, r *http.Request, req *saml.IdpAuthnRequest) *saml.Session {
	l := &login{
		domain: i.domain, protocol: "saml", request: req.Request.ID, target: origin(req.ACSEndpoint.Location), hint: samlHint(r, req),
		finish: func(w http.ResponseWriter, r *http.Request, a answer) { i.answer(w, r, req, a) },
	}
	i.server.beginLogin(w, r, l)
	return nil
}

func samlHint(r *http.Request, req *saml.IdpAuthnRequest) string {
	if s := req.Request.Subject; s != nil && s.NameID != nil {
		return s.NameID.Value
	}
	for _, name := range []string{"login_hint", "username"} {
		if hint := r.FormValue(name); hint != "" {
			return hint
		}
	}
	return ""
}

// answer sends the signed response by POST (SAML bindings 3.5).
func (i *samlIssuer) answer(w http.ResponseWriter, r *http.Request, req *saml.IdpAuthnRequest, a answer) {
	req.HTTPRequest = r
	out, err := i.respond(req, a)
	if err != nil {
		i.server.options.ErrorLog.Error("a SAML response could not be made", "domain", i.domain, "cause", err)
		i.server.pages.message(w, http.StatusInternalServerError, i.domain, "The answer could not be made.")
		return
	}
	i.server.issued(i.domain, "saml", req.Request.ID, a, out)
	i.server.pages.post(w, i.domain, req.ACSEndpoint.Location, []field{{"SAMLResponse", out.text}, {"RelayState", req.RelayState}})
}

// respond makes the response, or takes one that was sent before.
func (i *samlIssuer) respond(req *saml.IdpAuthnRequest, a answer) (sent, error) {
	if before, ok := i.earlier.of(a); ok {
		return before, nil
	}
	key, err := i.keys.pick(a.Tampering)
	if err != nil {
		return sent{}, err
	}
	signing := *i.idp
	signing.Key, signing.Certificate = key.key, key.certificate
	req.IDP, req.Now = &signing, saml.TimeNow().Add(-a.behind(assertionGood))
	if err := i.MakeAssertion(req, &saml.Session{
		NameID: a.names.Anchor, UserName: a.names.UPN, UserCommonName: a.names.DisplayName, CreateTime: req.Now, Index: rand.Text(),
	}); err != nil {
		return sent{}, err
	}
	if a.Audience != "" {
		req.Assertion.Conditions.AudienceRestrictions = []saml.AudienceRestriction{{Audience: saml.Audience{Value: a.Audience}}}
	}
	form, err := req.PostBinding()
	if err != nil {
		return sent{}, err
	}
	out := sent{id: req.Assertion.ID, names: a.names.UPN, text: form.SAMLResponse}
	i.server.remember(&i.earlier, a, out)
	return out, nil
}

// MakeAssertion says what Microsoft asks of a SAML identity provider: the ImmutableID as persistent NameID and the UPN as
// IDPEmail ("Use a SAML 2.0 Identity Provider for single sign-on").
func (i *samlIssuer) MakeAssertion(req *saml.IdpAuthnRequest, session *saml.Session) error {
	until := req.Now.Add(assertionGood)
	req.Assertion = &saml.Assertion{
		ID: "id-" + rand.Text(), IssueInstant: req.Now, Version: "2.0",
		Issuer: saml.Issuer{Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:entity", Value: i.idp.MetadataURL.String()},
		Subject: &saml.Subject{
			NameID: &saml.NameID{Format: string(saml.PersistentNameIDFormat), Value: session.NameID},
			SubjectConfirmations: []saml.SubjectConfirmation{{
				Method: "urn:oasis:names:tc:SAML:2.0:cm:bearer",
				SubjectConfirmationData: &saml.SubjectConfirmationData{
					InResponseTo: req.Request.ID, NotOnOrAfter: until, Recipient: req.ACSEndpoint.Location,
				},
			}},
		},
		Conditions: &saml.Conditions{
			NotBefore: req.Now, NotOnOrAfter: until,
			AudienceRestrictions: []saml.AudienceRestriction{{Audience: saml.Audience{Value: req.ServiceProviderMetadata.EntityID}}},
		},
		AuthnStatements: []saml.AuthnStatement{{
			AuthnInstant: session.CreateTime, SessionIndex: session.Index,
			AuthnContext: saml.AuthnContext{AuthnContextClassRef: &saml.AuthnContextClassRef{Value: passwordContext}},
		}},
		AttributeStatements: []saml.AttributeStatement{{Attributes: []saml.Attribute{
			attribute("IDPEmail", session.UserName),
			attribute("http://schemas.microsoft.com/identity/claims/displayname", session.UserCommonName),
		}}},
	}
	return nil
}

func attribute(name, value string) saml.Attribute {
	return saml.Attribute{
		Name: name, NameFormat: "urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified",
		Values: []saml.AttributeValue{{Type: "xs:string", Value: value}},
	}
}

// warnings lets the library's log lines out as warnings.
type warnings struct{ *Server }

func (l warnings) Write(line []byte) (int, error) {
	l.options.ErrorLog.Warn("saml: " + string(line))
	return len(line), nil
}
