// Package mail is Harbour Mail, the lab's demo application: another company's mailbox behind the sign-in.
//
// In comes a request with a visitor, or without; out comes a page that says how the visitor signed in and in which role, a
// page that says kindly why this mailbox stays shut, or the way to the sign-in page. It never sees a password or a session
// token, decides about nobody itself, and sends no mail.
package mail

import (
	"bytes"
	"context"
	_ "embed" // the pages and their style
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// ID is by what the tenant knows the application.
const ID = "mail"

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

	// MayUse asks what the visitor may do in an application.
	MayUse func(ctx context.Context, app string) (directory.Grant, error)
}

var (
	//go:embed pages/inbox.html
	inboxPage string
	//go:embed pages/shut.html
	shutPage string
	//go:embed pages/mail.css
	style []byte
	//go:embed pages/mark.svg
	mark []byte
)

// New makes the application's handler, to be mounted at /app/.
func New(visitors Reader) http.Handler {
	funcs := template.FuncMap{"path": shout, "how": pathExplained, "join": strings.Join}
	h := &house{
		visitors: visitors,
		inbox:    template.Must(template.New("inbox").Funcs(funcs).Parse(inboxPage)),
		shut:     template.Must(template.New("shut").Funcs(funcs).Parse(shutPage)),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /app/{$}", h.open)
	mux.HandleFunc("GET /app/mail.css", asset("text/css; charset=utf-8", style))
	mux.HandleFunc("GET /app/mark.svg", asset("image/svg+xml", mark))
	return mux
}

type house struct {
	visitors    Reader
	inbox, shut *template.Template
}

func asset(mediaType string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		_, _ = w.Write(body)
	}
}

// open is the mailbox, or why it stays shut. Signing in has succeeded by then, and stays so.
func (h *house) open(w http.ResponseWriter, r *http.Request) {
	v, ok := h.visitors.Visitor(r)
	if !ok {
		http.Redirect(w, r, "/?returnTo=/app/", http.StatusSeeOther)
		return
	}
	grant, err := directory.Grant{Reason: authn.Internal}, error(nil)
	if v.MayUse != nil {
		grant, err = v.MayUse(r.Context(), ID)
	}
	switch {
	case err != nil || grant.Reason == authn.Internal: // nobody could tell, so nobody gets in
		write(w, http.StatusServiceUnavailable, h.shut, shutView{Visitor: v, Reason: authn.Internal})
	case grant.Reason != authn.None:
		write(w, http.StatusForbidden, h.shut, shutView{Visitor: v, Reason: grant.Reason, Grant: grant})
	default:
		write(w, http.StatusOK, h.inbox, inboxView{Visitor: v, Grant: grant, Letters: letters(v)})
	}
}

func write(w http.ResponseWriter, status int, page *template.Template, view any) {
	var b bytes.Buffer
	if err := page.Execute(&b, view); err != nil {
		http.Error(w, "Harbour Mail could not make this page.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

type inboxView struct {
	Visitor
	Grant   directory.Grant
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
		{"roles", strings.Join(v.Grant.Roles, " ")},
		{"licence", strings.Join(v.Grant.Plans, " ")},
	}
}

type claim struct{ Name, Value string }
