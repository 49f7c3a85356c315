package web_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/client/browser"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/keyring"
	"github.com/fourways-id/fourways/internal/lab/mail"
	"github.com/fourways-id/fourways/internal/session"
	"github.com/fourways-id/fourways/internal/web"
)

// house is a public listener over the real flow, real sessions and a faked world.
type house struct {
	t       *testing.T
	world   *authntest.World
	flow    *spy
	people  map[authn.AccountID]directory.User
	handler http.Handler
	server  *httptest.Server

	mu    sync.Mutex
	ended map[string]bool
	down  bool // the store can't be asked for sessions
	idp   string
}

const (
	good  = "Spring-2025!"
	alice = "alice@phs.example.test"
	grace = "grace@cloud.example.test" // must change her password
	carol = "carol@cloud.example.test"
)

// newHouse builds one; change may alter the options before the listener is made.
func newHouse(t *testing.T, change func(*house, *web.Options)) *house {
	t.Helper()
	clock := authntest.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	h := &house{t: t, ended: map[string]bool{}, idp: "https://idp.example.test"}
	h.world = &authntest.World{
		Clock: clock,
		People: map[string]authn.Account{
			grace:                      {ID: "g-cloud", UPN: grace, DisplayName: "Grace Gale", MustChange: true},
			carol:                      {ID: "c-cloud", UPN: carol, DisplayName: "Carol Crane"},
			"alice@cloud.example.test": {ID: "a-cloud", UPN: "alice@cloud.example.test", DisplayName: "Alice Arden"},
			alice:                      {ID: "a-phs", UPN: alice, DisplayName: "Alice Arden", Synced: true},
			"alice@saml.example.test":  {ID: "a-saml", UPN: "alice@saml.example.test", DisplayName: "Alice Arden", Anchor: "QUJD", Synced: true},
			"alice@oidc.example.test":  {ID: "a-oidc", UPN: "alice@oidc.example.test", DisplayName: "Alice Arden", Anchor: "QUJD", Synced: true},
		},
		RealmOf: map[string]authn.Realm{
			"cloud.example.test": {Domain: "cloud.example.test", Path: authn.PathCloud, Rule: "domain cloud.example.test"},
			"phs.example.test":   {Domain: "phs.example.test", Path: authn.PathPHS, Rule: "domain phs.example.test"},
			"down.example.test":  {Domain: "down.example.test", Path: authn.PathPTA, Rule: "domain down.example.test"},
			"saml.example.test":  {Domain: "saml.example.test", Path: authn.PathFederated, IdP: "saml", Protocol: "saml", Issuer: "iss", Match: authn.MatchAnchor},
			"oidc.example.test":  {Domain: "oidc.example.test", Path: authn.PathFederated, IdP: "oidc", Protocol: "oidc", Issuer: "iss", Match: authn.MatchAnchor},
		},
	}
	h.world.Provider = provider{h}
	h.people = map[authn.AccountID]directory.User{}
	for _, a := range h.world.People {
		h.people[a.ID] = directory.User{ID: a.ID, UPN: a.UPN, DisplayName: a.DisplayName, Enabled: true}
	}
	ring, err := keyring.Create(filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	sessions := session.New(session.Options{Ring: ring, Store: h, Clock: clock})
	flow := h.world.Flow()
	flow.Sessions = sessions
	h.flow = &spy{Flow: flow}
	public := &url.URL{Scheme: "http", Host: "localhost"}
	o := web.Options{
		Flow: h.flow, Sessions: sessions, Pending: sessions, People: h, Realms: h, Federation: h, Apps: apps{},
		Site: web.Site{Tenant: "Example tenant", PublicURL: public, Clock: clock, App: mail.New(mail.ReaderFunc(func(r *http.Request) (mail.Visitor, bool) {
			v, ok := web.VisitorFrom(r.Context())
			return mail.Visitor(v), ok
		}))},
	}
	if change != nil {
		change(h, &o)
	}
	if h.handler, err = web.New(o); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) start() string {
	if h.server == nil {
		h.server = httptest.NewServer(h.handler)
		h.t.Cleanup(h.server.Close)
	}
	return h.server.URL
}

// post sends a body to the handler without a network.
func (h *house) post(path, contentType, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	return h.do(r, change...)
}

func (h *house) get(path string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	return h.do(httptest.NewRequest(http.MethodGet, path, nil), change...)
}

func (h *house) do(r *http.Request, change ...func(*http.Request)) *httptest.ResponseRecorder {
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w
}

func (h *house) signIn(body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	return h.post("/signin", "application/json", body, change...)
}

// as carries the cookies of an earlier answer.
func as(w *httptest.ResponseRecorder) func(*http.Request) {
	return func(r *http.Request) {
		for _, c := range w.Result().Cookies() {
			if c.MaxAge >= 0 {
				r.AddCookie(c)
			}
		}
	}
}

func accepting(mime string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Accept", mime) }
}

const pageWanted = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

func decode(t *testing.T, b io.Reader) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.NewDecoder(b).Decode(&m); err != nil {
		t.Fatalf("the answer is no JSON: %v", err)
	}
	return m
}

func cookieNamed(w *httptest.ResponseRecorder, name string) *http.Cookie {
	for _, c := range w.Result().Cookies() {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// open opens a page and fails the test when there is none.
func (h *house) open(b *browser.Browser, path string) *browser.Page {
	h.t.Helper()
	p, err := b.Get(h.t.Context(), h.start()+path)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func (h *house) submit(p *browser.Page, fill map[string]string) *browser.Page {
	h.t.Helper()
	next, err := p.Submit(h.t.Context(), fill)
	if err != nil {
		h.t.Fatalf("%v\n%s", err, p.Text())
	}
	return next
}

func TestNewNeedsItsParts(t *testing.T) {
	if _, err := web.New(web.Options{}); err == nil {
		t.Fatal("a listener without a flow was made")
	}
}
