package harbour

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// checkSignature checks a request of a partner whose certificate is known; crewjam's provider leaves it out.
func (i *samlIssuer) checkSignature(r *http.Request, request []byte) error {
	switch {
	case i.signer == nil:
		return nil
	case r.Method == http.MethodGet:
		return i.checkQuery(r)
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(request); err != nil {
		return err
	}
	trusted := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{i.signer}})
	trusted.IdAttribute = "ID"
	_, err := trusted.Validate(doc.Root())
	return err
}

// checkQuery holds SAML bindings 3.4.4.1: signed are the parameters as they were sent, in this order.
func (i *samlIssuer) checkQuery(r *http.Request) error {
	raw := map[string]string{}
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if _, twice := raw[name]; twice {
			return fmt.Errorf("the parameter %q is there twice", name)
		}
		raw[name] = value
	}
	if algorithm := r.URL.Query().Get("SigAlg"); algorithm != dsig.RSASHA256SignatureMethod {
		return fmt.Errorf("the request is signed by %q, not RSA-SHA256", algorithm)
	}
	signed := "SAMLRequest=" + raw["SAMLRequest"]
	if relay, there := raw["RelayState"]; there {
		signed += "&RelayState=" + relay
	}
	signed += "&SigAlg=" + raw["SigAlg"]
	signature, err := base64.StdEncoding.DecodeString(r.URL.Query().Get("Signature"))
	if err != nil {
		return err
	}
	key, ok := i.signer.PublicKey.(*rsa.PublicKey)
	if !ok {
		return errors.New("the partner's key is not RSA")
	}
	digest := sha256.Sum256([]byte(signed))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature)
}
