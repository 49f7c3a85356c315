package saml

import (
	"encoding/xml"
	"html"
	"html/template"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	crewjam "github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/fourways-id/fourways/authn"
)

// theirIdP is the identity provider of crewjam/saml: a program that we didn't write, which signs alice in.
type theirIdP struct {
	t  *testing.T
	sp []byte // our metadata
}

func (i theirIdP) GetServiceProvider(_ *http.Request, id string) (*crewjam.EntityDescriptor, error) {
	if id != ourName {
		return nil, os.ErrNotExist
	}
	var m crewjam.EntityDescriptor
	return &m, xml.Unmarshal(i.sp, &m)
}

func (i theirIdP) GetSession(_ http.ResponseWriter, _ *http.Request, req *crewjam.IdpAuthnRequest) *crewjam.Session {
	return &crewjam.Session{
		CreateTime: time.Now(), ExpireTime: time.Now().Add(time.Hour), Index: "_s1", NameID: anchorOf,
		NameIDFormat: *req.Request.NameIDPolicy.Format, UserName: "alice", Groups: []string{"Finance"},
		CustomAttributes: []crewjam.Attribute{{Name: "IDPEmail", Values: []crewjam.AttributeValue{{Type: "xs:string", Value: upnOf}}}},
	}
}

// TestAnotherImplementation takes a sign-in through crewjam's own identity provider, which signs both the response and the
// assertion, and encrypts when our metadata has a key for it.
func TestAnotherImplementation(t *testing.T) {
	parseURL := func(s string) url.URL {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return *u
	}
	for name, change := range map[string]func(*Config){
		"redirect":  nil,
		"post":      byPost,
		"encrypted": withEncryption,
		"all signed": func(c *Config) {
			c.Key, c.Requests.Sign, c.Policy.Signed = ourKey(), true, SignedBoth
		},
		"all signed, post": func(c *Config) { c.Key, c.Requests.Sign, c.Policy.Signed = ourKey(), true, SignedBoth; byPost(c) },
	} {
		t.Run(name, func(t *testing.T) {
			theirs := theirIdP{t: t}
			idp := &crewjam.IdentityProvider{
				Key: idpKey().key, Certificate: idpKey().cert, SignatureMethod: dsig.RSASHA256SignatureMethod,
				MetadataURL: parseURL(idpIssuer), SSOURL: parseURL(idpSSO), SessionProvider: &theirs, ServiceProviderProvider: &theirs,
				ResponseFormTemplate: template.Must(template.New("").Parse("{{.SAMLResponse}}\n{{.RelayState}}")),
			}
			metadata, err := xml.Marshal(idp.Metadata())
			if err != nil {
				t.Fatal(err)
			}
			p := testProvider(t, func(c *Config) {
				c.IdP = IdP{Metadata: metadata}
				if change != nil {
					change(c)
				}
			})
			theirs.sp = p.Metadata()
			asked := p.Step(t.Context(), attempt(authn.Nothing{}))
			w := httptest.NewRecorder()
			idp.ServeSSO(w, browse(asked.Challenge))
			response, relay, found := strings.Cut(html.UnescapeString(w.Body.String()), "\n")
			if w.Code != http.StatusOK || !found {
				t.Fatalf("the identity provider answers %d %s", w.Code, w.Body)
			}
			a := attempt(authn.Callback{IdP: "harbour", Binding: "post", Values: map[string][]string{"SAMLResponse": {response}, "RelayState": {relay}}})
			a.Kept = asked.Keep
			allowed(t, p.Step(t.Context(), a))
		})
	}
}

// browse is what a browser does with a challenge.
func browse(c authn.Challenge) *http.Request {
	if c.Kind == authn.Redirect {
		return httptest.NewRequest(http.MethodGet, c.URL, nil)
	}
	form := url.Values{}
	for name, value := range c.Form {
		form.Set(name, value)
	}
	r := httptest.NewRequest(http.MethodPost, c.URL, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}
