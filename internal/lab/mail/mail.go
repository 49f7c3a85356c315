// Package mail is Harbour Mail, the lab's demo application: another company's mailbox behind the sign-in.
//
// In comes a request with a visitor, or without; out comes a page that says how the visitor signed in, or the way to the
// sign-in page. It never sees a password or a session token, asks nobody for anything, and sends no mail.
package mail

import (
	"bytes"
	_ "embed" // the page and its style
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Reader tells who visits.
type Reader interface {
	// Visitor is false when nobody is signed in.
	Visitor(r *http.Request) (Visitor, bool)
}

// ReaderFunc makes a Reader of a function.
type ReaderFunc func(r *http.Request) (Visitor, bool)

// Visitor calls f.
func (f ReaderFunc) Visitor(r *http.Request) (Visitor, bool) { return f(r) }

// Visitor is what an application learns of who is signed in.
type Visitor struct {
	ID        authn.AccountID
	UPN       string
	Name      string
	Path      authn.Path
	Attempt   authn.AttemptID // the sign-in that made the session
	Methods   []string        // RFC 8176 names
	Began     time.Time
	Until     time.Time
	FormToken string // for the sign-out form
}

var (
	//go:embed pages/inbox.html
	inboxPage string
	//go:embed pages/mail.css
	style []byte
	//go:embed pages/mark.svg
	mark []byte
)

// New makes the application's handler, to be mounted at /app/.
func New(visitors Reader) http.Handler {
	page := template.Must(template.New("inbox").Funcs(template.FuncMap{"path": shout, "how": pathExplained}).Parse(inboxPage))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /app/{$}", func(w http.ResponseWriter, r *http.Request) { inbox(w, r, visitors, page) })
	mux.HandleFunc("GET /app/mail.css", asset("text/css; charset=utf-8", style))
	mux.HandleFunc("GET /app/mark.svg", asset("image/svg+xml", mark))
	return mux
}

func asset(mediaType string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		_, _ = w.Write(body)
	}
}

func inbox(w http.ResponseWriter, r *http.Request, visitors Reader, page *template.Template) {
	v, ok := visitors.Visitor(r)
	if !ok {
		http.Redirect(w, r, "/?returnTo=/app/", http.StatusSeeOther)
		return
	}
	var b bytes.Buffer
	if err := page.Execute(&b, inboxView{Visitor: v, Letters: letters(v)}); err != nil {
		http.Error(w, "Harbour Mail could not make this page.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(b.Bytes())
}

type inboxView struct {
	Visitor
	Letters []letter
}

// Claims is what the application was told, by the names that OpenID Connect gives it.
func (v inboxView) Claims() []claim {
	return []claim{
		{"sub", string(v.ID)},
		{"preferred_username", v.UPN},
		{"name", v.Name},
		{"amr", strings.Join(v.Methods, " ")},
		{"auth_time", v.Began.UTC().Format(time.RFC3339)},
		{"exp", v.Until.UTC().Format(time.RFC3339)},
		{"signin_path", string(v.Path)},
	}
}

type claim struct{ Name, Value string }
