package doctor

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
)

func metadata(t *testing.T, issuer string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="%s">
  <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>%s</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
    <SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example/sso"/>
  </IDPSSODescriptor>
</EntityDescriptor>`, issuer, base64.StdEncoding.EncodeToString(der))
}

func TestAProviderThatChangedItsKeyIsFound(t *testing.T) {
	var shown string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(shown)) }))
	defer s.Close()
	ours := metadata(t, s.URL)
	p := config.IdP{ID: "partner", Protocol: "saml", Metadata: ours}
	for name, c := range map[string]struct{ shown, want string }{
		"the same":                {ours, api.FindingOK},
		"another key":             {metadata(t, s.URL), api.FindingFail},
		"another provider's":      {metadata(t, "https://other.example"), api.FindingOK},
		"no metadata, as AD FS's": {"<html>hello</html>", api.FindingOK},
		"one key more":            {strings.Replace(ours, "<KeyDescriptor", key(metadata(t, s.URL))+"<KeyDescriptor", 1), api.FindingWarn},
	} {
		shown = c.shown
		if got := idpCertificate(t.Context(), s.Client(), p, time.Now()); got.result != c.want {
			t.Errorf("%s: %+v, want %s", name, got, c.want)
		}
	}
	s.Close()
	if got := idpCertificate(t.Context(), http.DefaultClient, p, time.Now()); got.result != api.FindingOK {
		t.Errorf("nobody there to compare with: %+v", got)
	}
}

// key is the key descriptor of a metadata document.
func key(metadata string) string {
	from, to := strings.Index(metadata, "<KeyDescriptor"), strings.Index(metadata, "</KeyDescriptor>")
	return metadata[from : to+len("</KeyDescriptor>")]
}
