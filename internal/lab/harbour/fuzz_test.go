package harbour

import (
	"bytes"
	"context"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
)

type nobody struct{}

func (nobody) Bind(context.Context, string, authn.Secret) Verdict {
	return Verdict{Reason: authn.UnknownUser}
}
func (nobody) Person(context.Context, string) (Person, error) { return Person{}, os.ErrNotExist }

func handler(t testing.TB) http.Handler {
	t.Helper()
	s, err := assemble("http://127.0.0.1:1", realOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	return s.routes()
}

func realOptions(t testing.TB) Options {
	t.Helper()
	return Options{
		Directory: nobody{}, People: nobody{}, KeyDir: t.TempDir(), Clock: realClock{}, ErrorLog: slog.New(slog.DiscardHandler),
		Issuers: []Issuer{{Domain: "d.test", SAML: SP{EntityID: "sp", ACSURL: "http://localhost/acs"}, OIDC: Client{ID: "c", RedirectURI: "http://localhost/cb"}}},
	}
}

const bareRequest = `<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="a" Version="2.0" IssueInstant="2999-01-01T00:00:00Z"/>`

// TestRequestWithoutIssuerIsRefused: crewjam's provider panics at it.
func TestRequestWithoutIssuerIsRefused(t *testing.T) {
	if w := postSSO(handler(t), bareRequest); w.Code != http.StatusBadRequest {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	named := strings.Replace(bareRequest, "/>", `><Issuer xmlns="urn:oasis:names:tc:SAML:2.0:assertion">sp</Issuer></samlp:AuthnRequest>`, 1)
	if w := postSSO(handler(t), named); w.Code != http.StatusSeeOther {
		t.Errorf("control: %d %s", w.Code, w.Body)
	}
}

func postSSO(h http.Handler, request string) *httptest.ResponseRecorder {
	form := url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString([]byte(request))}}
	r := httptest.NewRequest(http.MethodPost, "/saml/d.test/sso", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// FuzzSAMLRequest: whatever is posted is refused, or leads to the form.
func FuzzSAMLRequest(f *testing.F) {
	h := handler(f)
	f.Add(bareRequest)
	f.Add(strings.Replace(bareRequest, "/>", `><Issuer xmlns="urn:oasis:names:tc:SAML:2.0:assertion">sp</Issuer></samlp:AuthnRequest>`, 1))
	f.Add(`<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>`)
	f.Fuzz(func(t *testing.T, request string) {
		if w := postSSO(h, request); w.Code != http.StatusBadRequest && w.Code != http.StatusSeeOther && w.Code != http.StatusServiceUnavailable {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	})
}

// FuzzKeyFile: a damaged key file is an error, and a good one gives the key that is in it.
func FuzzKeyFile(f *testing.F) {
	dir := f.TempDir()
	made, err := openIdentity(dir, "x", realClock{}.Now())
	if err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(dir + "/x.pem")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := parseIdentity(data)
		if err == nil && !found.key.PublicKey.Equal(found.certificate.PublicKey) {
			t.Fatal("a key with another's certificate")
		}
		if bytes.Equal(data, good) && (err != nil || !found.key.Equal(made.key)) {
			t.Fatalf("the good file: %v", err)
		}
	})
}
