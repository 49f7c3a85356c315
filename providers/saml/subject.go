package saml

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/fourways-id/fourways/authn"
)

const persistent = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"

// checkSubject reads the person out of the signed assertion. With a match by ImmutableID the NameID must be persistent, the
// one format that Microsoft documents; with a match by name, the UPN attribute must be there, once.
func (x *exchange) checkSubject() finding {
	name := x.said.name
	f := finding{expected: string(x.match), got: name.value}
	x.name = name.value
	x.subject = authn.Subject{Issuer: x.p.idp.Issuer, Anchor: anchor(name.value)}
	if len(x.said.upn) == 1 {
		x.subject.UPN = x.said.upn[0]
	}
	switch {
	case !printable(name.value):
		f.err = errors.New("the NameID is empty, or has spaces or control characters")
	case name.spQualifier != "" && name.spQualifier != x.p.config.EntityID:
		f.err = fmt.Errorf("the NameID is %q's name for the person, not ours", clip(name.spQualifier))
	case len(x.said.upn) > 1:
		f.err = fmt.Errorf("the attribute %s has %d values", x.p.config.Policy.UPNAttribute, len(x.said.upn))
	case x.match == authn.MatchUPN && !printable(x.subject.UPN):
		f.got, f.err = x.subject.UPN, fmt.Errorf("the attribute %s is missing, empty, or has spaces", x.p.config.Policy.UPNAttribute)
	case x.match != authn.MatchUPN && name.format != persistent:
		f.expected, f.got = persistent, name.format
		f.err = fmt.Errorf("the NameID's format is %q, not persistent", clip(name.format))
	}
	return f
}

func printable(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
}

// anchor undoes the encoding of characters that are not safe in HTML, "+" as ".2B" (Microsoft: use a SAML 2.0 identity
// provider for single sign-on). Only what base64 is made of is undone: a base64 text has no dot of its own, so no two
// NameIDs that an identity provider could give two people become one.
func anchor(name string) string {
	return strings.NewReplacer(".2B", "+", ".2b", "+", ".2F", "/", ".2f", "/", ".3D", "=", ".3d", "=").Replace(name)
}

func (x *exchange) proof() authn.Proof {
	s := x.said.session
	return authn.Proof{
		Methods: methods(s.context), Context: s.context, At: x.p.policyTime(s.instant),
		IdPSession: s.index, NotAfter: x.p.policyTime(s.until),
	}
}

// once makes the assertion good for one sign-in, on every gateway, for as long as it could be taken.
func (x *exchange) once() authn.Once {
	return authn.Once{Kind: "assertion", ID: x.p.idp.Issuer + " " + x.said.id, Until: x.p.policyTime(x.until())}
}

// methods says in RFC 8176 names what an AuthnContextClassRef claims (SAML authentication context 3.4). Microsoft takes a
// second factor from here alone, never from an attribute. A class that isn't known claims nothing.
func methods(class string) []string {
	const classes = "urn:oasis:names:tc:SAML:2.0:ac:classes:"
	switch class {
	case classes + "Password", classes + "PasswordProtectedTransport":
		return []string{"pwd"}
	case classes + "Smartcard":
		return []string{"sc"}
	case classes + "SmartcardPKI":
		return []string{"sc", "mfa"}
	case classes + "MobileTwoFactorContract", classes + "MobileTwoFactorUnregistered",
		"http://schemas.microsoft.com/claims/multipleauthn", "https://refeds.org/profile/mfa":
		return []string{"mfa"}
	case classes + "TimeSyncToken":
		return []string{"otp"}
	case classes + "Kerberos", "urn:federation:authentication:windows":
		return []string{"wia"}
	}
	return nil
}
