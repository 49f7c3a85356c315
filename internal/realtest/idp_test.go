package realtest

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

const spMetadata = `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://sp.example.test/saml">
<md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example.test/acs" index="1"/>
</md:SPSSODescriptor></md:EntityDescriptor>`

func TestSimpleSAMLphpPublishesMetadataThatNamesItsSignOnPage(t *testing.T) {
	idp := SimpleSAMLphp(t, SPMetadata(spMetadata))
	var got struct {
		EntityID string `xml:"entityID,attr"`
		IDP      struct {
			Keys []string `xml:"KeyDescriptor>KeyInfo>X509Data>X509Certificate"`
			SSO  []struct {
				Location string `xml:"Location,attr"`
			} `xml:"SingleSignOnService"`
		} `xml:"IDPSSODescriptor"`
	}
	if err := xml.Unmarshal(idp.Metadata, &got); err != nil {
		t.Fatal(err)
	}
	if got.EntityID != idp.EntityID || len(got.IDP.Keys) == 0 || len(got.IDP.SSO) == 0 || !strings.HasPrefix(got.IDP.SSO[0].Location, idp.URL+"/") {
		t.Errorf("metadata: %+v; want entity %s, a key and a sign-on page below %s", got, idp.EntityID, idp.URL)
	}
}

// Unsolicited sign-on needs no request, so the server can be tried without a SAML library.
func TestSimpleSAMLphpSignsInTheRightPasswordAndNoOther(t *testing.T) {
	idp := SimpleSAMLphp(t, SPMetadata(spMetadata))
	start := idp.URL + "/saml2/idp/SSOService.php?spentityid=" + url.QueryEscape("https://sp.example.test/saml")
	alice := idp.Who(t, "alice")
	wrong := newSurfer(t)
	wrong.get(start)
	if page := wrong.submit(alice.Name, "wrong"); strings.Contains(page, "SAMLResponse") {
		t.Error("a wrong password got a SAML response")
	}
	right := newSurfer(t)
	right.get(start)
	if page := right.submit(alice.Name, alice.Password); !strings.Contains(page, `name="SAMLResponse"`) || !strings.Contains(page, "https://sp.example.test/acs") {
		t.Errorf("the right password got no SAML response for the service provider:\n%s", page)
	}
}

func TestOIDCProviderPublishesADiscoveryDocument(t *testing.T) {
	idp := OIDCProvider(t, "http://127.0.0.1:1/callback")
	body, err := fetch(t.Context(), idp.Issuer+"/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Issuer  string   `json:"issuer"`
		Token   string   `json:"token_endpoint"`
		Methods []string `json:"code_challenge_methods_supported"`
	}
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if got.Issuer != idp.Issuer || !strings.HasPrefix(got.Token, idp.Issuer+"/") || len(got.Methods) != 1 || got.Methods[0] != "S256" {
		t.Errorf("discovery: %+v", got)
	}
}

func TestOIDCProviderSignsInTheRightPasswordAndNoOther(t *testing.T) {
	const callback = "http://127.0.0.1:1/callback"
	idp := OIDCProvider(t, callback)
	// The challenge is the example of RFC 7636, appendix B.
	start := idp.Issuer + "/auth?" + url.Values{
		"client_id": {idp.ClientID}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"}, "state": {"s"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}.Encode()
	bob := idp.Who(t, "bob")
	wrong := newSurfer(t)
	wrong.get(start)
	if page := wrong.submit(bob.Name, "wrong"); !strings.Contains(page, "wrong") || wrong.left != "" {
		t.Errorf("a wrong password went to %q, page:\n%s", wrong.left, page)
	}
	right := newSurfer(t)
	right.get(start)
	right.submit(bob.Name, bob.Password)
	if at, err := url.Parse(right.left); err != nil || at.Query().Get("code") == "" || at.Query().Get("state") != "s" {
		t.Errorf("the right password went to %q, want the callback with a code", right.left)
	}
}

// surfer is a browser without JavaScript: cookies, redirects, and the one form on the page. It doesn't follow a
// redirect to where nobody listens, but remembers it.
type surfer struct {
	t      *testing.T
	client *http.Client
	at     *url.URL
	page   string
	left   string
}

func newSurfer(t *testing.T) *surfer {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &surfer{t: t}
	s.client = &http.Client{Jar: jar, CheckRedirect: func(req *http.Request, _ []*http.Request) error {
		if req.URL.Path == "/callback" {
			s.left = req.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}}
	return s
}

func (s *surfer) get(address string) { s.do(http.MethodGet, address, nil) }

func (s *surfer) submit(name, password string) string {
	s.t.Helper()
	form := url.Values{"username": {name}, "password": {password}}
	for _, hidden := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(s.page, -1) {
		form.Set(hidden[1], strings.ReplaceAll(hidden[2], "&amp;", "&"))
	}
	to := regexp.MustCompile(`<form[^>]* action="([^"]*)"`).FindStringSubmatch(s.page)
	if to == nil {
		s.t.Fatalf("no form at %s:\n%s", s.at, s.page)
	}
	target, err := s.at.Parse(to[1])
	if err != nil {
		s.t.Fatal(err)
	}
	s.do(http.MethodPost, target.String(), form)
	return s.page
}

func (s *surfer) do(method, address string, form url.Values) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	s.at, s.page = resp.Request.URL, string(body)
}
