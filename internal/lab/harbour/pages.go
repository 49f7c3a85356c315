package harbour

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

//go:embed assets pages
var files embed.FS

// pages renders what Harbour ID shows. Nothing on a page comes from another origin, and none of it runs or styles inline.
type pages struct {
	templates *template.Template
	assets    fs.FS
}

func loadPages() (*pages, error) {
	t, err := template.ParseFS(files, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	assets, err := fs.Sub(files, "assets")
	if err != nil {
		return nil, fmt.Errorf("assets: %w", err)
	}
	return &pages{templates: t, assets: assets}, nil
}

// loginPage, postPage and messagePage are what the templates are given.
type (
	loginPage struct{ Domain, Action, Token, Username, Alert string }
	postPage  struct {
		Domain, Action string
		Fields         []field
	}
	messagePage struct{ Domain, Text string }
	field       struct{ Name, Value string }
)

func (p *pages) login(w http.ResponseWriter, status int, l *login, username, alert string) {
	// form-action holds for the redirects after a post as well, so the asking service's origin is named.
	p.write(w, status, "login.html", policy(l.target), loginPage{
		Domain: l.domain, Action: "/login/" + l.id, Token: l.token, Username: username, Alert: alert,
	})
}

// post is a form that carries the answer on: by its button, or by the script where scripts run.
func (p *pages) post(w http.ResponseWriter, domain, action string, fields []field) {
	fields = slices.DeleteFunc(fields, func(f field) bool { return f.Value == "" })
	p.write(w, http.StatusOK, "post.html", policy(origin(action))+"; script-src 'self'", postPage{Domain: domain, Action: action, Fields: fields})
}

func (p *pages) message(w http.ResponseWriter, status int, domain, text string) {
	p.write(w, status, "message.html", policy(""), messagePage{Domain: domain, Text: text})
}

func (p *pages) write(w http.ResponseWriter, status int, name, csp string, data any) {
	var page bytes.Buffer
	if err := p.templates.ExecuteTemplate(&page, name, data); err != nil {
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", csp)
	w.WriteHeader(status)
	_, _ = page.WriteTo(w)
}

func policy(target string) string {
	return strings.TrimSpace("default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' " + target)
}

// origin is scheme and host of an address, "" when it has none.
func origin(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// routes is the whole of what is served.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		s.pages.message(w, http.StatusOK, "", "Harbour ID signs people in for other services. There is nothing to do here.")
	})
	mux.Handle("GET /assets/", http.StripPrefix("/assets/", http.FileServerFS(s.pages.assets)))
	mux.HandleFunc("GET /login/{id}", s.showLogin)
	mux.HandleFunc("POST /login/{id}", s.postLogin)
	mux.HandleFunc("/saml/{domain}/{action}", s.serveSAML)
	mux.HandleFunc("/oidc/{domain}/", s.serveOIDC)
	return secured(mux)
}

// secured sets the headers of every answer.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy(""))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "strict-origin") // with no-referrer the asking service would see a post from origin null
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
