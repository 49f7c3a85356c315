package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/session"
)

// Visitor is who is signed in, as pages and applications may show it.
type Visitor struct {
	ID        authn.AccountID
	UPN       string
	Name      string
	Path      authn.Path
	Attempt   authn.AttemptID // the sign-in that made the session
	Methods   []string        // RFC 8176 names
	Began     time.Time
	Until     time.Time
	FormToken string // for a form of the application that posts to /signout, as formToken

	// MayUse asks what the visitor may do in an application; nil where nobody knows.
	MayUse func(ctx context.Context, app string) (directory.Grant, error)
}

type visitorKey struct{}

// VisitorFrom is how an application mounted at /app/ learns who visits it; false when nobody is signed in.
func VisitorFrom(ctx context.Context) (Visitor, bool) {
	v, ok := ctx.Value(visitorKey{}).(Visitor)
	return v, ok
}

// withVisitor looks the session up once and hands it to the application.
func (d *door) withVisitor(app http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := d.jar.formToken(w, r)
		if v, err := d.visitor(r); err == nil {
			v.FormToken = token
			r = r.WithContext(context.WithValue(r.Context(), visitorKey{}, v))
		}
		app.ServeHTTP(w, r)
	})
}

// visitor finds who is signed in: errNoSession when nobody is, errInternal when nobody could look. A session whose account
// is gone or disabled is ended on the spot.
func (d *door) visitor(r *http.Request) (Visitor, error) {
	token := d.jar.get(r, sessionCookie)
	if token == "" {
		return Visitor{}, errNoSession
	}
	s, err := d.Sessions.Lookup(r.Context(), token)
	if errors.Is(err, session.ErrNone) {
		return Visitor{}, errNoSession
	}
	if err != nil {
		d.log.Error("a session could not be looked up", "cause", err)
		return Visitor{}, errInternal
	}
	u, err := d.People.UserByID(r.Context(), s.Account)
	if errors.Is(err, directory.ErrNotFound) || err == nil && !u.MaySignIn() {
		if err := d.Sessions.End(r.Context(), token); err != nil {
			d.log.Warn("the session of an account that is gone or disabled could not be ended", "account", s.Account, "cause", err)
		}
		return Visitor{}, errNoSession
	}
	if err != nil {
		d.log.Error("the account of a session could not be read", "account", s.Account, "cause", err)
		return Visitor{}, errInternal
	}
	v := Visitor{
		ID: u.ID, UPN: u.UPN, Name: u.DisplayName, Path: s.Path, Attempt: s.Attempt,
		Methods: s.Proof.Methods, Began: s.Began, Until: s.Until,
	}
	if d.Apps != nil {
		v.MayUse = func(ctx context.Context, app string) (directory.Grant, error) { return d.Apps.Grant(ctx, app, v) }
	}
	return v, nil
}

// session says who is signed in: JSON, or the signed-in page to a browser.
func (d *door) session(w http.ResponseWriter, r *http.Request) {
	v, err := d.visitor(r)
	html := wantsHTML(r)
	switch {
	case errors.Is(err, errNoSession) && html:
		http.Redirect(w, r, "/", http.StatusSeeOther)
	case err != nil:
		d.refuseInput(w, r, err)
	case html:
		d.signedInPage(w, r, v)
	default:
		d.sessionJSON(w, r, v)
	}
}

// sessionJSON is the answer to a program, which may ask about one application.
func (d *door) sessionJSON(w http.ResponseWriter, r *http.Request, v Visitor) {
	answer := sessionAnswer{
		Account: accountView{v.ID, v.UPN, v.Name}, Path: v.Path, CorrelationID: v.Attempt,
		Methods: v.Methods, Began: v.Began.UTC(), Expires: v.Until.UTC(),
	}
	if app := r.URL.Query().Get("app"); app != "" {
		grant, err := v.ask(r.Context(), app)
		if err != nil {
			if !errors.Is(err, directory.ErrNotFound) {
				d.log.Error("nobody could tell whether the visitor may use an application", "account", v.ID, "cause", err)
				err = errInternal
			} else {
				err = errNoApp
			}
			d.refuseInput(w, r, err)
			return
		}
		answer.Application = applicationOf(grant)
	}
	writeJSON(w, http.StatusOK, answer)
}

func (v Visitor) ask(ctx context.Context, app string) (directory.Grant, error) {
	if v.MayUse == nil {
		return directory.Grant{}, directory.ErrNotFound
	}
	return v.MayUse(ctx, app)
}

func applicationOf(g directory.Grant) *applicationView {
	a := &applicationView{ID: g.App, Allowed: g.Reason == authn.None, Roles: g.Roles}
	if !a.Allowed {
		public := g.Reason.Public()
		a.Roles, a.Error = []string{}, &public
	}
	return a
}

type sessionAnswer struct {
	Account       accountView      `json:"account"`
	Path          authn.Path       `json:"path"`
	CorrelationID authn.AttemptID  `json:"correlationId"`
	Methods       []string         `json:"methods,omitempty"`
	Began         time.Time        `json:"began"`
	Expires       time.Time        `json:"expires"`
	Application   *applicationView `json:"application,omitempty"` // that was asked about
}

// applicationView is what an application needs to know of who is signed in.
type applicationView struct {
	ID      string             `json:"id"`
	Allowed bool               `json:"allowed"`
	Roles   []string           `json:"roles"`
	Error   *authn.PublicError `json:"error,omitempty"` // why not
}

func (d *door) signedInPage(w http.ResponseWriter, r *http.Request, v Visitor) {
	v.FormToken = d.jar.formToken(w, r)
	d.pages.write(w, http.StatusOK, pageSignedIn, view{FormToken: v.FormToken, Visitor: &v, App: d.Site.App != nil})
}

// signOut ends the session. A form needs its token; JSON can't be posted by another site's form.
func (d *door) signOut(w http.ResponseWriter, r *http.Request) {
	t := mediaType(r)
	if t != typeJSON && t != typeForm {
		d.refuseInput(w, r, errMediaType)
		return
	}
	body, err := readBody(r, maxBody)
	if err != nil {
		d.refuseInput(w, r, err)
		return
	}
	f := fields{}
	if t == typeForm {
		f, err = parseForm(body, "formToken")
	} else if len(body) > 0 {
		f, err = parseJSON(body)
	}
	if err == nil && t == typeForm && !d.jar.formTokenHolds(r, f["formToken"]) {
		err = errFormToken
	}
	if err != nil {
		d.refuseInput(w, r, err)
		return
	}
	d.endSession(w, r, t == typeForm)
}

func (d *door) endSession(w http.ResponseWriter, r *http.Request, form bool) {
	if token := d.jar.get(r, sessionCookie); token != "" {
		if err := d.Sessions.End(r.Context(), token); err != nil { // the person must not believe to be out
			d.log.Error("a session could not be ended", "cause", err)
			d.refuseInput(w, r, errInternal)
			return
		}
	}
	d.jar.drop(w, sessionCookie)
	d.jar.drop(w, pendingCookie)
	if form {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
