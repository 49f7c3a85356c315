package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/golden"
	"github.com/fourways-id/fourways/internal/web"
)

// changing is what differs from run to run: random tokens and ids, and the names of files by their content.
var changing = map[string]*regexp.Regexp{
	"TOKEN": regexp.MustCompile(`\b[A-Z2-7]{26}\b`),
	"ID":    regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b`),
	".HASH": regexp.MustCompile(`\.[0-9a-f]{12}\b`),
}

func withLab(_ *house, o *web.Options) {
	o.Site.Lab = &web.Lab{ConsoleURL: "http://localhost:8401", Users: []web.LabUser{
		{UPN: alice, Password: good, Path: authn.PathPHS},
		{UPN: `o'hara+"<b>@saml.example.test`, Password: `<b>"x"`, Path: authn.PathFederated},
	}}
}

// allPages opens every page of the listener.
func allPages(t *testing.T) map[string]*httptest.ResponseRecorder {
	t.Helper()
	h := newHouse(t, withTraces(traces{}))
	front := h.get("/?returnTo=/app/")
	form := func(fields string, w *httptest.ResponseRecorder) *httptest.ResponseRecorder {
		return h.post("/signin", formType, fields+"&formToken="+cookieNamed(front, "fourways_form").Value, as(front), as(w))
	}
	first := form("returnTo=%2Fapp%2F&username="+url.QueryEscape(alice), httptest.NewRecorder())
	second := form("username="+url.QueryEscape(grace), httptest.NewRecorder())
	in := form("password="+url.QueryEscape(good), first)
	production := newHouse(t, nil)
	return map[string]*httptest.ResponseRecorder{
		"signin":            front,
		"signin-production": production.get("/?username=" + url.QueryEscape(`"><script>alert(1)</script>`)),
		"signin-unknown":    form("username=alice%40nowhere.test", httptest.NewRecorder()),
		"password":          h.get("/signin/password", as(front), as(first)),
		"password-wrong":    form("password=wrong", form("username="+url.QueryEscape(alice), httptest.NewRecorder())),
		"password-cloud":    h.get("/signin/password", as(front), as(second)),
		"change":            h.get("/signin/change", as(front), as(second)),
		"change-nameless":   h.get("/signin/change?returnTo=/app/", as(front)),
		"change-must":       form("password="+url.QueryEscape(good), second),
		"change-short":      form("password="+url.QueryEscape(good)+"&newPassword=short&newPasswordAgain=short", second),
		"change-differs":    form("password=x&newPassword=Another-one-1&newPasswordAgain=Another-one-2&username="+url.QueryEscape(grace), second),
		"change-elsewhere":  form("password=x&newPassword=Another-one-1&newPasswordAgain=Another-one-1&username=poster%40saml.example.test", second),
		"signedin":          h.get("/session", as(front), as(in), accepting(pageWanted)),
		"refused":           h.post("/federation/saml/saml/acs", formType, "SAMLResponse=x&fourways_repost=1"),
		"repost":            h.post("/federation/saml/saml/acs", formType, "SAMLResponse=x%22y&SAMLResponse=z"),
		"away":              form("username=poster%40saml.example.test", httptest.NewRecorder()),
		"cross-site":        h.post("/signin", formType, "username=a", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }),
	}
}

func TestPagesAreGolden(t *testing.T) {
	for name, w := range allPages(t) {
		t.Run(name, func(t *testing.T) {
			if got := w.Header().Get("Content-Type"); got != "text/html; charset=utf-8" {
				t.Fatalf("status %d, content type %q: %s", w.Code, got, w.Body)
			}
			page := w.Body.String()
			for word, pattern := range changing {
				page = pattern.ReplaceAllString(page, word)
			}
			golden.Check(t, "testdata/"+name+".html", page)
		})
	}
}

// What every page keeps to: one h1, labelled fields, nothing inline, nothing from elsewhere.
func TestPagesKeepTheRules(t *testing.T) {
	for name, w := range allPages(t) {
		doc, err := html.Parse(strings.NewReader(w.Body.String()))
		if err != nil {
			t.Fatal(err)
		}
		headings, labels := 0, map[string]bool{}
		for n := range doc.Descendants() {
			if n.DataAtom == atom.H1 {
				headings++
			}
			if n.DataAtom == atom.Label {
				labels[attr(n, "for")] = true
			}
		}
		if headings != 1 {
			t.Errorf("%s has %d h1", name, headings)
		}
		for n := range doc.Descendants() {
			if n.DataAtom == atom.Style || n.DataAtom == atom.Script && (attr(n, "src") == "" || n.FirstChild != nil) {
				t.Errorf("%s has inline code", name)
			}
			if n.DataAtom == atom.Input && attr(n, "type") != "hidden" && attr(n, "aria-hidden") == "" && !labels[attr(n, "id")] {
				t.Errorf("%s: the field %s has no label", name, attr(n, "name"))
			}
			for _, a := range n.Attr {
				if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
					t.Errorf("%s: inline %s", name, a.Key)
				}
				if (a.Key == "src" || a.Key == "href" && n.DataAtom != atom.A) && !strings.HasPrefix(a.Val, "/") {
					t.Errorf("%s asks for %s", name, a.Val)
				}
			}
		}
	}
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func TestEveryAnswerCarriesTheHeaders(t *testing.T) {
	h := newHouse(t, nil)
	for name, w := range map[string]*httptest.ResponseRecorder{
		"page": h.get("/"), "JSON": h.signIn(`{}`), "not found": h.get("/nowhere"), "application": h.get("/app/"), "livez": h.get("/livez"),
	} {
		csp := w.Header().Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self' https://idp.example.test"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%s: %q lacks %s", name, csp, part)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "evil.test") {
			t.Errorf("%s: %q", name, csp)
		}
		for header, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "no-store", "X-Frame-Options": "DENY"} {
			if got := w.Header().Get(header); got != want {
				t.Errorf("%s: %s is %q", name, header, got)
			}
		}
	}
}

func TestAssetsAreKeptByTheirContent(t *testing.T) {
	h := newHouse(t, nil)
	names := regexp.MustCompile(`/static/[a-z.0-9]+`).FindAllString(h.get("/").Body.String(), -1)
	if len(names) < 3 {
		t.Fatalf("the page names %v", names)
	}
	for _, name := range names {
		w := h.get(name)
		if w.Code != 200 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Body.Len() == 0 {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
	}
	if w := h.get("/static/style.css"); w.Code != 404 {
		t.Errorf("a name without its content: %d", w.Code)
	}
}

func TestSessionIsAPageOrJSONAsAsked(t *testing.T) {
	h := newHouse(t, nil)
	in := h.signIn(`{"username":"alice@phs.example.test","password":"Spring-2025!"}`)
	for accept, want := range map[string]string{
		"":                                "application/json",
		"*/*":                             "application/json",
		"application/json":                "application/json",
		"application/json, text/html;q=1": "application/json",
		pageWanted:                        "text/html; charset=utf-8",
	} {
		if got := h.get("/session", as(in), accepting(accept)).Header().Get("Content-Type"); got != want {
			t.Errorf("Accept %q: %s", accept, got)
		}
	}
}

func TestTheBannerNamesWhatIsBrokenOnPurpose(t *testing.T) {
	var broken []string
	h := newHouse(t, func(h *house, o *web.Options) {
		withLab(h, o)
		o.Site.Lab.Broken = func() []string { return broken }
	})
	const line = "broken on purpose:"
	if page := h.get("/").Body.String(); strings.Contains(page, line) {
		t.Errorf("nothing is broken: %s", page)
	}
	broken = []string{"dc-down", "<b>idp</b>"}
	for name, page := range map[string]*httptest.ResponseRecorder{
		"front": h.get("/"), "refused": h.post("/federation/saml/saml/acs", formType, "SAMLResponse=x&fourways_repost=1"),
	} {
		if !strings.Contains(page.Body.String(), line+"</strong> dc-down, &lt;b&gt;idp&lt;/b&gt;</aside>") {
			t.Errorf("%s: the banner is wrong: %s", name, page.Body)
		}
	}
}
