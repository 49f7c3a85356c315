package web

import (
	"bytes"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// The pages, one file each in pages/.
const (
	pageSignIn   = "signin.html"
	pagePassword = "password.html"
	pageChange   = "change.html"
	pageSignedIn = "signedin.html"
	pageRefused  = "refused.html"
	pageForward  = "forward.html"
)

// view is what a page may show. Everything in it comes out escaped.
type view struct {
	FormToken string
	Username  string
	ReturnTo  string // "" or checked by LocalPath
	Alert     *alert
	Visitor   *Visitor
	App       bool
	Change    bool // this password can be changed here
	Forward   forwardView
	Lab       *Lab   // filled in by write
	Tenant    string // filled in by write
}

// alert is why there is no session yet, for a person to read.
type alert struct {
	authn.PublicError
	CorrelationID authn.AttemptID // "" when the request never became a sign-in
	At            time.Time
}

// forwardView is a page that posts a form by itself, or by its button where no script runs.
type forwardView struct {
	Action string
	Fields []hidden
	Away   bool // to the identity provider, else to ourselves
}

type hidden struct{ Name, Value string }

// hiddenFields orders a challenge's form by name, so that a page is the same each time.
func hiddenFields(form map[string]string) []hidden {
	var out []hidden
	for _, name := range slices.Sorted(maps.Keys(form)) {
		out = append(out, hidden{name, form[name]})
	}
	return out
}

// postedFields carries what was posted on unchanged, repeated parameters too: the provider is to see them and refuse.
func postedFields(values map[string][]string) []hidden {
	var out []hidden
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, v := range values[name] {
			out = append(out, hidden{name, v})
		}
	}
	return out
}

// pages are the parsed templates of one site.
type pages struct {
	assets *assets
	lab    *Lab
	tenant string
	byName map[string]*template.Template
}

func loadPages(s Site) (*pages, error) {
	a, err := loadAssets()
	if err != nil {
		return nil, err
	}
	p := &pages{assets: a, lab: s.Lab, tenant: s.Tenant, byName: map[string]*template.Template{}}
	funcs := template.FuncMap{
		"asset":  func(name string) string { return a.byName[name] },
		"path":   shout,
		"time":   func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"rfc":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"join":   strings.Join,
		"return": returnQuery,
	}
	for _, name := range []string{pageSignIn, pagePassword, pageChange, pageSignedIn, pageRefused, pageForward} {
		t, err := template.New("layout.html").Funcs(funcs).ParseFS(embedded, "pages/layout.html", "pages/"+name)
		if err != nil {
			return nil, fmt.Errorf("web: page %s: %w", name, err)
		}
		p.byName[name] = t
	}
	return p, nil
}

// returnQuery carries a wish to land somewhere along in a link: "" or "&returnTo=...".
func returnQuery(returnTo string) template.URL {
	if returnTo == "" {
		return ""
	}
	return template.URL("&returnTo=" + url.QueryEscape(returnTo)) //nolint:gosec // escaped, and LocalPath has seen it
}

func (p *pages) write(w http.ResponseWriter, status int, name string, v view) {
	v.Lab, v.Tenant = p.lab, p.tenant
	var b bytes.Buffer // a page that breaks half way must not go out with status 200
	if err := p.byName[name].Execute(&b, v); err != nil {
		http.Error(w, "This page could not be made. Please try again.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// forward sends a page that posts a form on.
func (d *door) forward(w http.ResponseWriter, f forwardView) {
	if f.Away {
		w.Header().Set("Content-Security-Policy", d.policy(f.Action))
	}
	d.pages.write(w, http.StatusOK, pageForward, view{Forward: f})
}

// shout is a path in words, as a page's heading shows it.
func shout(p authn.Path) string { return strings.ToUpper(p.InWords()) }
