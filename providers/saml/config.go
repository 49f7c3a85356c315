package saml

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"runtime"
	"time"
)

// Binding is how the AuthnRequest travels. The Response always comes by POST.
type Binding string

// The bindings of SAML bindings 3.4 and 3.5.
const (
	Redirect Binding = "redirect"
	Post     Binding = "post"
)

// Signed says which elements of a Response must carry the identity provider's signature.
type Signed string

// What must be signed. Microsoft's rule for federated domains is SignedAssertion. A signature that is there is checked
// in any case.
const (
	SignedAssertion Signed = "assertion"
	SignedResponse  Signed = "response"
	SignedBoth      Signed = "both"
)

// Config describes one identity provider and what we are to it.
type Config struct {
	ID       string // of the identity provider in the configuration
	EntityID string // our own name; Microsoft's is urn:federation:MicrosoftOnline
	ACSURL   string // where the browser brings the Response, as the browser sees it
	IdP      IdP
	Requests Requests
	Key      *Key // ours; nil: requests are not signed and encrypted assertions not taken
	Policy   Policy
}

// IdP is what is known of the identity provider: its metadata, or Issuer, SSOURL and Certificates.
type IdP struct {
	Metadata     []byte // XML of one EntityDescriptor; the other fields, where set, go before it
	Issuer       string
	SSOURL       string              // serves the configured binding
	Certificates []*x509.Certificate // that sign; several during a roll-over
}

// Requests says how we ask.
type Requests struct {
	Binding Binding // "" is Redirect; Microsoft sends by Post
	Sign    bool    // with Key
}

// Key is our own key pair: it signs requests and opens encrypted assertions. RSA, because the library can't decrypt with
// another kind, and writes ECDSA signatures in a form that other products don't read.
type Key struct {
	Private     *rsa.PrivateKey
	Certificate *x509.Certificate
}

// Policy says what is taken.
type Policy struct {
	UPNAttribute   string        // "" is IDPEmail, Microsoft's name for it
	Signed         Signed        // "" is SignedAssertion
	AllowEncrypted bool          // takes an EncryptedAssertion as well; needs Key
	Skew           time.Duration // how far the identity provider's clock may be off; 0 is 2 minutes, at most 5
	MaxIssueDelay  time.Duration // how old a Response may be when it arrives; 0 is 90 seconds, at most 10 minutes
	PlainHTTP      bool          // takes http off loopback too: for a lab in one room, never for production
	AtOnce         int           // Responses checked at once; 0 is four for each processor
}

const (
	defaultUPNAttribute = "IDPEmail"
	defaultSkew         = 2 * time.Minute
	longestSkew         = 5 * time.Minute
	defaultIssueDelay   = 90 * time.Second
	longestIssueDelay   = 10 * time.Minute
	smallestRSA         = 2048 // bits; NIST SP 800-131A
)

func (c Config) withDefaults() Config {
	def(&c.Requests.Binding, Redirect)
	def(&c.Policy.UPNAttribute, defaultUPNAttribute)
	def(&c.Policy.Signed, SignedAssertion)
	def(&c.Policy.Skew, defaultSkew)
	def(&c.Policy.MaxIssueDelay, defaultIssueDelay)
	def(&c.Policy.AtOnce, 4*runtime.GOMAXPROCS(0))
	return c
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// describe joins the metadata with what was set by hand.
func (c Config) describe() (Metadata, error) {
	m := Metadata{SSO: map[Binding]string{}}
	if len(c.IdP.Metadata) > 0 {
		var err error
		if m, err = parseMetadata(c.IdP.Metadata, c.Policy.PlainHTTP); err != nil {
			return Metadata{}, err
		}
	}
	if c.IdP.Issuer != "" {
		m.Issuer = c.IdP.Issuer
	}
	if c.IdP.SSOURL != "" {
		m.SSO[c.Requests.Binding] = c.IdP.SSOURL
	}
	if len(c.IdP.Certificates) > 0 {
		m.Certificates = c.IdP.Certificates
	}
	return m, nil
}

func (c Config) validate(idp Metadata) error {
	var all []error
	complain := func(bad bool, format string, args ...any) {
		if bad {
			all = append(all, fmt.Errorf(format, args...))
		}
	}
	complain(c.ID == "", "it has no id")
	complain(c.EntityID == "", "our entity id is missing: it is the audience that assertions must name")
	complain(len(c.EntityID) > longestValue, "our entity id is longer than %d bytes", longestValue)
	complain(c.Requests.Binding != Redirect && c.Requests.Binding != Post, "binding %q is not known: use redirect or post", c.Requests.Binding)
	p := c.Policy
	complain(p.Signed != SignedAssertion && p.Signed != SignedResponse && p.Signed != SignedBoth, "signed %q is not known: use assertion, response or both", p.Signed)
	complain(p.Skew < 0 || p.Skew > longestSkew, "skew %s is outside 0 to %s", p.Skew, longestSkew)
	complain(p.MaxIssueDelay < 0 || p.MaxIssueDelay > longestIssueDelay, "max issue delay %s is outside 0 to %s", p.MaxIssueDelay, longestIssueDelay)
	complain(p.AtOnce < 0, "the limit of Responses at once, %d, is negative", p.AtOnce)
	complain(c.Key == nil && (c.Requests.Sign || p.AllowEncrypted), "signed requests and encrypted assertions need a key of ours")
	all = append(all, checkURL("our ACS URL", c.ACSURL, c.Policy.PlainHTTP), c.Key.check(), idp.check(c.Requests.Binding, c.Policy.PlainHTTP))
	sso, err := url.Parse(idp.SSO[Redirect])
	complain(c.Requests.Sign && c.Requests.Binding == Redirect && (err != nil || sso.RawQuery != ""),
		"a signed request can't be sent by redirect to an SSO URL with a query of its own (SAML bindings 3.4.4.1): use post")
	return errors.Join(all...)
}

func (k *Key) check() error {
	switch {
	case k == nil:
		return nil
	case k.Private == nil || k.Certificate == nil:
		return errors.New("our key and its certificate must both be given")
	case !k.Private.PublicKey.Equal(k.Certificate.PublicKey):
		return errors.New("our certificate is not that of our key")
	case k.Private.N.BitLen() < smallestRSA:
		return fmt.Errorf("our RSA key has %d bits: at least %d are needed", k.Private.N.BitLen(), smallestRSA)
	}
	return nil
}

// checkURL takes https, and http on loopback only or where plain says so.
func checkURL(what, raw string, plain bool) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || len(raw) > longestValue:
		return fmt.Errorf("%s %q is not an absolute URL without user and fragment", what, clip(raw))
	case u.Scheme == "https", u.Scheme == "http" && (plain || loopback(u.Hostname())):
		return nil
	default:
		return fmt.Errorf("%s %q must begin with https:// (http:// is for loopback only)", what, raw)
	}
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// clip bounds what goes into an error.
func clip(s string) string {
	const longest = 100
	if len(s) <= longest {
		return s
	}
	return s[:longest] + "…"
}
