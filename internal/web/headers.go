package web

import (
	"net/http"
	"net/url"
	"strings"
)

// headers puts on every answer what keeps a browser from doing more than the page means: no inline code, nothing from
// elsewhere, in nobody's frame, in no cache.
func (d *door) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", d.policy())
		h.Set("X-Frame-Options", "DENY")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin") // no-referrer would make browsers send "Origin: null" with our own forms
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if d.jar.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// policy allows forms to go to us, and from us by redirect to the identity providers.
func (d *door) policy(more ...string) string {
	if d.Federation != nil {
		more = append(more, d.Federation.Origins()...)
	}
	return contentPolicy(more...)
}

func contentPolicy(formOrigins ...string) string {
	var b strings.Builder
	b.WriteString("default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'")
	for _, o := range formOrigins {
		u, err := url.Parse(o)
		if err == nil && u.Host != "" && !strings.ContainsAny(u.Host, ";, '\"*") && (u.Scheme == "https" || u.Scheme == "http") {
			b.WriteString(" " + originOf(u))
		}
	}
	return b.String()
}

// originOf is scheme://host:port.
func originOf(u *url.URL) string { return u.Scheme + "://" + u.Host }

// wantsHTML reports that the asker would rather have a page than JSON: it names text/html, and JSON not or later. A
// program that accepts anything gets JSON.
func wantsHTML(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		t, _, _ := strings.Cut(part, ";")
		switch strings.ToLower(strings.TrimSpace(t)) {
		case "text/html", "application/xhtml+xml":
			return true
		case typeJSON:
			return false
		}
	}
	return false
}
