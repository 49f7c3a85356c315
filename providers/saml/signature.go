package saml

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"
)

// Algorithms that are taken. Anything else is refused before a library looks it up: SHA-1 is broken, an HMAC could be made
// with the public key, and other canonical forms let parts of a document go unsigned.
var (
	signatureMethods = [...]string{
		dsig.RSASHA256SignatureMethod, dsig.RSASHA384SignatureMethod, dsig.RSASHA512SignatureMethod,
		dsig.ECDSASHA256SignatureMethod, dsig.ECDSASHA384SignatureMethod, dsig.ECDSASHA512SignatureMethod,
	}
	digestMethods = [...]string{
		"http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmldsig-more#sha384", "http://www.w3.org/2001/04/xmlenc#sha512",
	}
	// transforms is the one list that SAML core 5.4.4 leaves when comments are refused.
	transforms = [...]string{string(dsig.EnvelopedSignatureAltorithmId), string(dsig.CanonicalXML10ExclusiveAlgorithmId)}
)

// checkSignature proves the assertion, and reads it anew from the very bytes that were signed.
func (x *exchange) checkSignature() finding {
	f := finding{expected: x.p.fingerprints()}
	need, assertion := x.p.config.Policy.Signed, x.assertion
	own := assertion.SelectElement("Signature") != nil // children left it this one place
	switch {
	case need != SignedAssertion && !x.wrapper.signed:
		f.err = errors.New("the response is not signed, and must be")
		return f
	case need != SignedResponse && !own:
		f.err = errors.New("the assertion is not signed, and must be")
		return f
	}
	if x.wrapper.signed {
		if assertion, f.err = x.proveResponse(&f); f.err != nil {
			return f
		}
	}
	if own {
		assertion, f.err = x.prove(x.assertion, &f)
	}
	if f.err == nil {
		x.said, f.err = readStatement(assertion, x.p.config.Policy.UPNAttribute)
	}
	return f
}

// proveResponse checks the signature of the whole Response and reads the Response anew from what was signed.
func (x *exchange) proveResponse(f *finding) (*etree.Element, error) {
	proved, err := x.prove(x.response, f)
	if err != nil {
		return nil, err
	}
	signed, err := readWrapper(proved)
	if err != nil || signed.content == nil {
		return nil, fmt.Errorf("the signed response reads otherwise than the one that arrived: %w", err)
	}
	signed.signed = true // the signature itself is not among what it signs
	x.wrapper = signed
	return x.p.open(signed.content)
}

// prove checks el's signature and returns el as it was signed.
func (x *exchange) prove(el *etree.Element, f *finding) (*etree.Element, error) {
	sig := el.SelectElement("Signature")
	if sig == nil {
		return nil, fmt.Errorf("%s lost its signature", el.Tag)
	}
	f.got = offered(sig)
	method, err := checkSignatureShape(sig, attr(el, "ID"))
	f.algorithm = method[strings.LastIndexByte(method, '#')+1:]
	if err != nil {
		return nil, err
	}
	ctx, err := etreeutils.NSBuildParentContext(el)
	if err != nil {
		return nil, err
	}
	if ctx, err = ctx.SubContext(el); err != nil {
		return nil, err
	}
	if el, err = etreeutils.NSDetatch(ctx, el); err != nil {
		return nil, err
	}
	return x.p.verifyDetached(el)
}

// verifyDetached tries each certificate that is valid now. KeyInfo is the sender's own word on which key to trust, and is
// not covered by the signature: it is dropped.
func (p *Provider) verifyDetached(el *etree.Element) (*etree.Element, error) {
	now, last := realNow(), errors.New("every certificate of the identity provider has expired or is not yet valid")
	for _, cert := range p.idp.Certificates {
		if now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
			continue
		}
		var proved *etree.Element
		err := guarded(func() (err error) {
			copied := el.Copy()
			sig := copied.SelectElement("Signature")
			if sig == nil {
				return dsig.ErrMissingSignature
			}
			for _, info := range sig.SelectElements("KeyInfo") {
				sig.RemoveChild(info)
			}
			derSignature(sig, cert)
			proved, err = dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{cert}}).Validate(copied)
			return err
		})
		if err == nil && proved != nil {
			return proved, nil
		}
		last = fmt.Errorf("the signature of %s is not by a certificate of the identity provider, or what was signed was changed: %w", el.Tag, err)
	}
	return nil, last
}

// checkSignatureShape leaves a signature no freedom: one SignedInfo, one Reference, to the element that it stands in.
func checkSignatureShape(sig *etree.Element, id string) (method string, err error) {
	kids, err := children(sig, one(nsDsig, "SignedInfo"), one(nsDsig, "SignatureValue"), optional(nsDsig, "KeyInfo"))
	if err != nil {
		return "", err
	}
	info := kids["SignedInfo"][0]
	if kids, err = children(info, one(nsDsig, "CanonicalizationMethod"), one(nsDsig, "SignatureMethod"), one(nsDsig, "Reference")); err != nil {
		return "", err
	}
	method = attr(kids["SignatureMethod"][0], "Algorithm")
	ref := kids["Reference"][0]
	switch {
	case attr(kids["CanonicalizationMethod"][0], "Algorithm") != transforms[1]:
		return method, errors.New("the signature's canonical form is not exclusive XML canonicalisation without comments")
	case !slices.Contains(signatureMethods[:], method):
		return method, fmt.Errorf("the signature method %q is not taken", clip(method))
	case attr(ref, "URI") != "#"+id:
		return method, fmt.Errorf("the signature is over %q, not over the element %q that it stands in", clip(attr(ref, "URI")), clip(id))
	}
	return method, checkReference(ref)
}

func checkReference(ref *etree.Element) error {
	kids, err := children(ref, one(nsDsig, "Transforms"), one(nsDsig, "DigestMethod"), one(nsDsig, "DigestValue"))
	if err != nil {
		return err
	}
	if digest := attr(kids["DigestMethod"][0], "Algorithm"); !slices.Contains(digestMethods[:], digest) {
		return fmt.Errorf("the digest method %q is not taken", clip(digest))
	}
	if _, err := text(kids["DigestValue"][0]); err != nil {
		return err
	}
	if kids, err = children(kids["Transforms"][0], slot{nsDsig, "Transform", 2, 2}); err != nil {
		return err
	}
	for i, t := range kids["Transform"] {
		if attr(t, "Algorithm") != transforms[i] {
			return fmt.Errorf("the transform %q is not taken in place %d", clip(attr(t, "Algorithm")), i+1)
		}
	}
	return nil
}

// derSignature turns an ECDSA signature from r|s, as XML signatures have it (XMLDSig 1.1, 6.4.3), to the DER that
// goxmldsig wants. SignatureValue is not part of what is signed.
func derSignature(sig *etree.Element, cert *x509.Certificate) {
	key, ok := cert.PublicKey.(*ecdsa.PublicKey)
	value := sig.SelectElement("SignatureValue")
	if !ok || value == nil {
		return
	}
	raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value.Text()), ""))
	size := (key.Curve.Params().BitSize + 7) / 8
	if err != nil || len(raw) != 2*size {
		return
	}
	der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:size]), new(big.Int).SetBytes(raw[size:])})
	if err == nil {
		value.SetText(base64.StdEncoding.EncodeToString(der))
	}
}

// offered is the fingerprint of the certificate that came along: to the operator it tells a roll-over from an attack.
func offered(sig *etree.Element) string {
	el := sig.FindElement("./KeyInfo/X509Data/X509Certificate")
	if el == nil {
		return ""
	}
	cert, err := decodeCertificate(el.Text())
	if err != nil {
		return "an unreadable certificate"
	}
	return fingerprint(cert)
}

func (p *Provider) fingerprints() string {
	var all []string
	for _, c := range p.idp.Certificates {
		all = append(all, fingerprint(c))
	}
	return strings.Join(all, " ")
}

func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return "SHA-256:" + hex.EncodeToString(sum[:8])
}
