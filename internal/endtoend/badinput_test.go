package endtoend_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/lab/world"
)

const jsonType, formType = "application/json", "application/x-www-form-urlencoded"

// TestWhatIsNoSignInGetsItsStatusAndASentence sends everything but a sign-in to the public listener.
func TestWhatIsNoSignInGetsItsStatusAndASentence(t *testing.T) {
	h := openHouse(t, nil)
	acs := "/federation/saml/harbour-saml/acs"
	alice := `{"username":"alice@cloud.example.test","password":"x"`
	for name, c := range map[string]struct {
		method, path, mediaType, body string
		status                        int
		says                          string
	}{
		"malformed JSON":         {"POST", "/signin", jsonType, alice, 400, "not one JSON value"},
		"two JSON values":        {"POST", "/signin", jsonType, alice + "}{}", 400, "not one JSON value"},
		"JSON that is a list":    {"POST", "/signin", jsonType, `[]`, 400, "JSON object"},
		"a number as password":   {"POST", "/signin", jsonType, `{"username":"a@b.test","password":1}`, 400, "must be a string"},
		"bytes that aren't text": {"POST", "/signin", jsonType, "{\"username\":\"\xff\"}", 400, "UTF-8"},
		"a key twice":            {"POST", "/signin", jsonType, alice + `,"password":"y"}`, 400, "twice"},
		"a key in other case":    {"POST", "/signin", jsonType, `{"UserName":"alice@cloud.example.test"}`, 400, "no field"},
		"a key nobody knows":     {"POST", "/signin", jsonType, alice + `,"admin":"yes"}`, 400, "no field"},
		"no user name":           {"POST", "/signin", jsonType, `{"password":"x"}`, 400, "user name"},
		"an empty user name":     {"POST", "/signin", jsonType, `{"username":"","password":"x"}`, 400, "user name"},
		"no body":                {"POST", "/signin", jsonType, "", 400, "JSON"},
		"no type":                {"POST", "/signin", "", alice + "}", 415, "application/json"},
		"the wrong type":         {"POST", "/signin", "text/plain", alice + "}", 415, "application/json"},
		"another charset":        {"POST", "/signin", jsonType + "; charset=utf-16", alice + "}", 415, "UTF-8"},
		"a form without token":   {"POST", "/signin", formType, "username=alice%40cloud.example.test", 403, "start again"},
		"more than 64 KiB":       {"POST", "/signin", jsonType, alice + `,"returnTo":"` + strings.Repeat("x", 64<<10) + `"}`, 413, "65536 bytes"},
		"realm without JSON":     {"POST", "/realm", formType, "username=a", 415, "application/json"},
		"realm without name":     {"POST", "/realm", jsonType, "{}", 400, "user name"},
		"128 KiB at the ACS":     {"POST", acs, formType, "SAMLResponse=" + strings.Repeat("A", 128<<10), 413, "131072 bytes"},
		"JSON at the ACS":        {"POST", acs, jsonType, "{}", 415, "form"},
		"GET /signin":            {"GET", "/signin", "", "", 405, ""},
		"DELETE /session":        {"DELETE", "/session", "", "", 405, ""},
		"GET at the ACS":         {"GET", acs, "", "", 405, ""},
		"an address of nobody":   {"GET", "/no/such/page", "", "", 404, ""},
		"an agent without token": {"POST", "/agent/enrol", jsonType, "{}", 400, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h.door.t = t
			a := h.send(c.method, c.path, c.mediaType, []byte(c.body))
			if a.Status != c.status {
				t.Fatalf("want %d, got %d %s", c.status, a.Status, a.Raw)
			}
			if len(strings.TrimSpace(string(a.Raw))) == 0 || !strings.Contains(string(a.Raw), c.says) {
				t.Errorf("it should say %q: %s", c.says, a.Raw)
			}
			if hasSession(a.Header) && c.mediaType != formType {
				t.Errorf("it brought a cookie: %v", a.Header["Set-Cookie"])
			}
			if c.status == http.StatusMethodNotAllowed && a.Header.Get("Allow") == "" {
				t.Error("it doesn't say which method is allowed")
			}
		})
	}
	h.door.t = t
	if a := h.post("/signin", jsonType, []byte(alice+"}")); a.Status != http.StatusUnauthorized {
		t.Errorf("the well-formed one should reach the flow: %d %s", a.Status, a.Raw)
	}
}

// TestOddPasswordsAreWrongPasswords holds that no password, however odd, has an answer of its own.
func TestOddPasswordsAreWrongPasswords(t *testing.T) {
	h := openHouse(t, nil)
	h.populate()
	odd := map[string]string{
		"empty": "", "a NUL": "Spring\x00-2025!", "NUL alone": "\x00", "the right one and a NUL": world.Password + "\x00",
		"10,000 characters": strings.Repeat("x", 10_000), "the right one and a space": world.Password + " ",
	}
	for domain, path := range managedDomains() {
		want := appears(h.signIn("alice@"+domain, "not-her-password"))
		for name, password := range odd {
			t.Run(string(path)+" "+name, func(t *testing.T) {
				h.door.t = t
				for _, who := range []string{"alice", "nobody"} {
					a := h.signIn(who+"@"+domain, password)
					if got := appears(a); got != want {
						t.Errorf("%s gets an answer of its own:\n%+v\nwant that of a wrong password:\n%+v", who, got, want)
					}
				}
			})
		}
		h.door.t = t
		if path != authn.PathCloud { // six wrong ones in a row are under the threshold of 10
			h.allowed(h.signIn("alice@"+domain, world.Password), "alice@"+domain, path)
		}
	}
}

// TestNamesOfNowhereAreDeniedWithoutAWord covers what looks like no account that there could be.
func TestNamesOfNowhereAreDeniedWithoutAWord(t *testing.T) {
	h := openHouse(t, nil)
	for name, user := range map[string]string{
		"a domain that isn't ours": "alice@elsewhere.test", "no domain": "alice", "nothing but a domain": "@cloud.example.test",
		"two at signs": "a@b@cloud.example.test", "not ASCII": "alïce@cloud.example.test", "a NUL": "alice\x00@cloud.example.test",
		"a line break": "alice\r\n@cloud.example.test", "10,000 characters": strings.Repeat("a", 10_000) + "@cloud.example.test",
	} {
		t.Run(name, func(t *testing.T) {
			h.door.t = t
			a := h.signIn(user, "some-password")
			h.refused(a, http.StatusUnauthorized, authn.UnknownUser, authn.DomainUnknown)
			if a.Error.Message == "" || strings.Contains(string(a.Raw), user) {
				t.Errorf("want a sentence that repeats nothing: %s", a.Raw)
			}
			realm, err := json.Marshal(map[string]string{"username": user})
			if err != nil {
				t.Fatal(err)
			}
			if r := h.post("/realm", jsonType, realm); r.Status != http.StatusOK || !strings.Contains(string(r.Raw), "namespaceType") {
				t.Errorf("the realm of it: %d %s", r.Status, r.Raw)
			}
		})
	}
}

func TestACallbackWithoutABeginningOpensNothing(t *testing.T) {
	h := openHouse(t, nil)
	for name, c := range map[string]struct {
		method, path string
		values       url.Values
	}{
		"SAML":           {"POST", "/federation/saml/harbour-saml/acs", url.Values{"SAMLResponse": {"PHg+"}, "fourways_repost": {"1"}}},
		"OpenID Connect": {"GET", "/federation/oidc/harbour-oidc/callback", url.Values{"code": {"x"}, "state": {"y"}}},
		"an unknown IdP": {"GET", "/federation/oidc/nobody/callback", url.Values{"code": {"x"}, "state": {"y"}}},
	} {
		t.Run(name, func(t *testing.T) {
			h.door.t = t
			path, body, mediaType := c.path, "", ""
			if c.method == "GET" {
				path += "?" + c.values.Encode()
			} else {
				body, mediaType = c.values.Encode(), formType
			}
			a := h.send(c.method, path, mediaType, []byte(body))
			if a.Status != http.StatusUnauthorized || hasSession(a.Header) {
				t.Fatalf("want 401 and no session, got %d %v", a.Status, a.Header)
			}
			id := authn.AttemptID(a.Header.Get("Fourways-Correlation-Id"))
			if got := h.reason(id); got != authn.StateMismatch.String() {
				t.Errorf("the log says %s", got)
			}
		})
	}
}
