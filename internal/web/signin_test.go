package web_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/web"
)

func TestJSONSignInAnswersEachVerdict(t *testing.T) {
	for _, tt := range []struct {
		name, body       string
		status           int
		verdict, path    string
		code             float64
		session, pending bool
	}{
		{"right password", `{"username":"alice@phs.example.test","password":"Spring-2025!"}`, 200, "allowed", "phs", 0, true, false},
		{"name in other case and spaces", `{"username":" Alice@PHS.example.test ","password":"Spring-2025!"}`, 200, "allowed", "phs", 0, true, false},
		{"wrong password", `{"username":"alice@phs.example.test","password":"x"}`, 401, "denied", "phs", 50126, false, false},
		{"empty password goes to the flow", `{"username":"alice@phs.example.test","password":""}`, 401, "denied", "phs", 50126, false, false},
		{"NUL in the password goes to the flow", `{"username":"alice@phs.example.test","password":"\u0000"}`, 401, "denied", "phs", 50126, false, false},
		{"10,000 characters go to the flow", `{"username":"alice@phs.example.test","password":"` + strings.Repeat("x", 10_000) + `"}`, 401, "denied", "phs", 50126, false, false},
		{"unknown user", `{"username":"zoe@phs.example.test","password":"Spring-2025!"}`, 401, "denied", "phs", 50126, false, false},
		{"unknown domain", `{"username":"alice@nowhere.test","password":"x"}`, 401, "denied", "none", 50059, false, false},
		{"no domain", `{"username":"alice","password":"x"}`, 401, "denied", "none", 50059, false, false},
		{"nobody could look", `{"username":"a@down.example.test","password":"x"}`, 503, "unavailable", "pta", 80001, false, false},
		{"no password yet", `{"username":"alice@phs.example.test"}`, 200, "challenged", "phs", 0, false, true},
		{"federated", `{"username":"alice@saml.example.test"}`, 200, "challenged", "federated", 0, false, true},
		{"federated with a password", `{"username":"alice@saml.example.test","password":"Spring-2025!"}`, 200, "challenged", "federated", 0, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t, nil)
			w := h.signIn(tt.body)
			a := decode(t, w.Body)
			if w.Code != tt.status || a["verdict"] != tt.verdict || a["path"] != tt.path {
				t.Fatalf("got %d %v, want %d %s by %s", w.Code, a, tt.status, tt.verdict, tt.path)
			}
			if e, _ := a["error"].(map[string]any); tt.code != 0 && e["code"] != tt.code {
				t.Errorf("error is %v, want code %v", e, tt.code)
			}
			if got := a["correlationId"]; got != string(h.world.Finals()[0].Record.ID) {
				t.Errorf("correlationId %v is not the attempt's", got)
			}
			if _, ok := a["traceId"]; ok {
				t.Error("traceId is shown outside the lab")
			}
			if c := cookieNamed(w, "fourways_session"); (c != nil) != tt.session {
				t.Errorf("session cookie: %v", c)
			}
			if c := cookieNamed(w, "fourways_pending"); (c != nil && c.MaxAge >= 0) != tt.pending {
				t.Errorf("pending cookie: %v", c)
			}
			if (w.Header().Get("Retry-After") != "") != (tt.status == 503) {
				t.Errorf("Retry-After is %q with status %d", w.Header().Get("Retry-After"), tt.status)
			}
		})
	}
}

func TestSessionCookieOpensTheSession(t *testing.T) {
	h := newHouse(t, nil)
	in := h.signIn(`{"username":"alice@phs.example.test","password":"Spring-2025!"}`)
	w := h.get("/session", as(in))
	a := decode(t, w.Body)
	account, _ := a["account"].(map[string]any)
	if w.Code != 200 || account["userPrincipalName"] != alice || a["path"] != "phs" || a["began"] == nil || a["expires"] == nil {
		t.Fatalf("got %d %v", w.Code, a)
	}
	if w := h.get("/session"); w.Code != 401 {
		t.Fatalf("without a cookie: %d", w.Code)
	}
	c := cookieNamed(in, "fourways_session")
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Secure {
		t.Errorf("cookie on http: %v", c)
	}
}

// A stranger must not learn from any byte of the answer whether an account exists.
func TestKnownAndUnknownUserGetTheSameBytes(t *testing.T) {
	for _, password := range []string{"wrong", "", `\u0000`, strings.Repeat("y", 10_000)} {
		h := newHouse(t, nil)
		ask := func(user string) (string, []string, []string) {
			w := h.signIn(fmt.Sprintf(`{"username":%q,"password":"%s"}`, user, password))
			finals := h.world.Finals()
			id := string(finals[len(finals)-1].Record.ID)
			if !strings.Contains(w.Body.String(), id) {
				t.Fatalf("no correlation id in %s", w.Body)
			}
			var names, cookies []string
			for n, v := range w.Header() {
				names = append(names, n+"="+strings.ReplaceAll(strings.Join(v, "|"), id, "ID"))
			}
			for _, c := range w.Result().Cookies() {
				cookies = append(cookies, c.String())
			}
			slices.Sort(names)
			return strings.ReplaceAll(w.Body.String(), id, "ID"), names, cookies
		}
		known, knownHeaders, knownCookies := ask(alice)
		unknown, unknownHeaders, unknownCookies := ask("zoe@phs.example.test")
		if known != unknown || !slices.Equal(knownHeaders, unknownHeaders) || !slices.Equal(knownCookies, unknownCookies) {
			t.Errorf("the answers differ:\n%s %v %v\n%s %v %v", known, knownHeaders, knownCookies, unknown, unknownHeaders, unknownCookies)
		}
		reasons := h.world.Finals()
		if reasons[0].Record.Reason == reasons[1].Record.Reason {
			t.Errorf("the log doesn't tell the two apart: %s", reasons[0].Record.Reason)
		}
	}
}

func TestBadInputNeverReachesTheFlow(t *testing.T) {
	long := strings.Repeat("x", 64<<10)
	for _, tt := range []struct {
		name, contentType, body string
		status                  int
		says                    string
	}{
		{"malformed", "application/json", `{"username":`, 400, "JSON"},
		{"empty body", "application/json", ``, 400, "JSON"},
		{"not an object", "application/json", `["alice"]`, 400, "object"},
		{"trailing data", "application/json", `{"username":"a@b.test"}{}`, 400, "one JSON value"},
		{"doubled key", "application/json", `{"username":"a@b.test","username":"c@d.test"}`, 400, "twice"},
		{"doubled key, once escaped", "application/json", `{"username":"a@b.test","\u0075sername":"c@d.test"}`, 400, "twice"},
		{"key in another case", "application/json", `{"Username":"a@b.test"}`, 400, "no field"},
		{"unknown key", "application/json", `{"username":"a@b.test","admin":"yes"}`, 400, "no field"},
		{"number for a name", "application/json", `{"username":1}`, 400, "must be a string"},
		{"null password", "application/json", `{"username":"a@b.test","password":null}`, 400, "must be a string"},
		{"object for a password", "application/json", `{"username":"a@b.test","password":{"a":"b"}}`, 400, "must be a string"},
		{"no UTF-8", "application/json", "{\"username\":\"\xff\"}", 400, "UTF-8"},
		{"half a surrogate", "application/json", `{"username":"\ud800"}`, 400, "surrogate"},
		{"missing user name", "application/json", `{"password":"x"}`, 400, "user name"},
		{"empty user name", "application/json", `{"username":"","password":"x"}`, 400, "user name"},
		{"too large", "application/json", `{"username":"` + long + `"}`, 413, "65536"},
		{"text", "text/plain", `{"username":"a@b.test"}`, 415, "application/json"},
		{"another charset", "application/json; charset=utf-16", `{"username":"a@b.test"}`, 415, "UTF-8"},
		{"no type", "", `{"username":"a@b.test"}`, 415, "application/json"},
		{"multipart", "multipart/form-data; boundary=x", `--x--`, 415, "application/json"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t, nil)
			w := h.post("/signin", tt.contentType, tt.body)
			a := decode(t, w.Body)
			e, _ := a["error"].(map[string]any)
			message, _ := e["message"].(string)
			if w.Code != tt.status || !strings.Contains(message, tt.says) {
				t.Errorf("got %d %v, want %d and %q", w.Code, a, tt.status, tt.says)
			}
			if n := h.flow.calls(); n != 0 {
				t.Errorf("the flow was called %d times", n)
			}
		})
	}
}

func TestTooLargeWithoutALengthIsRefusedToo(t *testing.T) {
	h := newHouse(t, nil)
	chunked := func(r *http.Request) { r.ContentLength = -1 }
	if w := h.signIn(`{"username":"`+strings.Repeat("x", 64<<10)+`"}`, chunked); w.Code != 413 {
		t.Errorf("got %d", w.Code)
	}
	lastByteWithTheEnd := func(r *http.Request) {
		r.Body = io.NopCloser(iotest.DataErrReader(strings.NewReader(`{"username":"a@b.test","password":"` + strings.Repeat("x", 64<<10-36) + `"}`)))
		r.ContentLength = -1
	}
	if w := h.signIn("", lastByteWithTheEnd); w.Code != 413 {
		t.Errorf("one byte too many: %d", w.Code)
	}
	broken := func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF)), -1
	}
	if w := h.signIn("", broken); w.Code != 400 {
		t.Errorf("a body that broke off: %d", w.Code)
	}
	if w := h.signIn(`{"username":"alice@phs.example.test","password":"Spring-2025!"}`, chunked); w.Code != 200 {
		t.Errorf("a small body without a length: %d", w.Code)
	}
}

func TestPasswordIsWipedOnEveryWay(t *testing.T) {
	h := newHouse(t, nil)
	h.signIn(`{"username":"alice@phs.example.test","password":"Spring-2025!"}`)
	h.signIn(`{"username":"alice@saml.example.test","password":"Spring-2025!"}`)
	h.signIn(`{"username":"alice@nowhere.test","password":"Spring-2025!"}`)
	if len(h.flow.requests) != 3 {
		t.Fatalf("%d requests", len(h.flow.requests))
	}
	for _, r := range h.flow.requests {
		if p := r.Answer.(authn.Password); !p.Secret.Empty() {
			t.Errorf("the password of %s is still there", r.Typed)
		}
	}
}

// keeper is a body that keeps the very buffers it is read into.
type keeper struct {
	io.Reader
	buffers [][]byte
}

func (k *keeper) Read(p []byte) (int, error) {
	n, err := k.Reader.Read(p)
	k.buffers = append(k.buffers, p[:n])
	return n, err
}

func (k *keeper) Close() error { return nil }

func TestBufferThatHeldThePasswordIsWiped(t *testing.T) {
	h := newHouse(t, nil)
	for _, body := range []string{
		`{"username":"alice@phs.example.test","password":"Spring-2025!"}`,
		`{"username":"alice@phs.example.test","password":"Spring-2025!","x":"refused"}`,
		`{"password":"Spring-2025!"}`,
	} {
		k := &keeper{Reader: strings.NewReader(body)}
		r := httptest.NewRequest(http.MethodPost, "/signin", k)
		r.Header.Set("Content-Type", "application/json")
		h.do(r)
		read := 0
		for _, b := range k.buffers {
			read += len(b)
			if len(bytes.Trim(b, "\x00")) > 0 {
				t.Errorf("still there: %q", b)
			}
		}
		if read != len(body) {
			t.Errorf("%d of %d bytes were read", read, len(body))
		}
	}
}

func TestEachSignInEndsTheSessionBefore(t *testing.T) {
	h := newHouse(t, nil)
	body := `{"username":"alice@phs.example.test","password":"Spring-2025!"}`
	first := h.signIn(body)
	second := h.signIn(body, as(first))
	if cookieNamed(first, "fourways_session").Value == cookieNamed(second, "fourways_session").Value {
		t.Error("the token survived a sign-in")
	}
	if w := h.get("/session", as(first)); w.Code != 401 {
		t.Errorf("the session before is still good: %d", w.Code)
	}
	if w := h.get("/session", as(second)); w.Code != 200 {
		t.Errorf("the new session: %d", w.Code)
	}
}

func TestDisablingAnAccountEndsItsSessionAtOnce(t *testing.T) {
	h := newHouse(t, nil)
	in := h.signIn(`{"username":"alice@phs.example.test","password":"Spring-2025!"}`)
	u := h.people["a-phs"]
	u.Enabled = false
	h.people["a-phs"] = u
	if w := h.get("/session", as(in)); w.Code != 401 {
		t.Fatalf("disabled, and still signed in: %d", w.Code)
	}
	u.Enabled = true
	h.people["a-phs"] = u
	if w := h.get("/session", as(in)); w.Code != 401 {
		t.Fatalf("the old session came back: %d", w.Code)
	}
}

func TestStoreDownIsNotSignedOut(t *testing.T) {
	h := newHouse(t, nil)
	in := h.signIn(`{"username":"alice@phs.example.test","password":"Spring-2025!"}`)
	h.down = true
	if w := h.get("/session", as(in)); w.Code != 503 {
		t.Errorf("/session: %d", w.Code)
	}
	if w := h.post("/signout", "application/json", "{}", as(in)); w.Code != 503 {
		t.Errorf("/signout claims to have worked: %d", w.Code)
	}
	h.down = false
	if w := h.get("/session", as(in)); w.Code != 200 {
		t.Errorf("afterwards: %d", w.Code)
	}
}

func TestLabShowsTheTraceID(t *testing.T) {
	h := newHouse(t, func(_ *house, o *web.Options) { o.Site.Lab = &web.Lab{} })
	a := decode(t, h.signIn(`{"username":"alice@phs.example.test","password":"x"}`).Body)
	if a["traceId"] == nil || a["traceId"] != a["correlationId"] {
		t.Errorf("got %v", a)
	}
}

func TestRealmAnswersByDomainAlone(t *testing.T) {
	h := newHouse(t, nil)
	ask := func(body string) *httptest.ResponseRecorder { return h.post("/realm", "application/json", body) }
	known, unknown := ask(`{"username":"alice@phs.example.test"}`), ask(`{"username":"zoe@phs.example.test"}`)
	if known.Code != 200 || known.Body.String() != unknown.Body.String() {
		t.Errorf("%d %s / %s", known.Code, known.Body, unknown.Body)
	}
	for body, want := range map[string]string{
		`{"username":"alice@phs.example.test"}`:  "Managed",
		`{"username":"alice@saml.example.test"}`: "Federated",
		`{"username":"alice@nowhere.test"}`:      "Unknown",
		`{"username":"alice"}`:                   "Unknown",
	} {
		if a := decode(t, ask(body).Body); a["namespaceType"] != want {
			t.Errorf("%s: %v", body, a)
		}
	}
	if w := ask(`{"username":""}`); w.Code != 400 {
		t.Errorf("empty: %d", w.Code)
	}
	if w := h.post("/realm", "application/x-www-form-urlencoded", "username=a"); w.Code != 415 {
		t.Errorf("form: %d", w.Code)
	}
}
