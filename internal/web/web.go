package web

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// decideWithin bounds one step of a sign-in: whatever a provider waits for, the browser gets an answer.
const decideWithin = 30 * time.Second

// New makes the public listener's handler.
func New(o Options) (http.Handler, error) {
	if o.Flow == nil || o.Sessions == nil || o.Pending == nil || o.People == nil || o.Realms == nil || o.Site.PublicURL == nil || o.Site.Clock == nil {
		return nil, errors.New("web: Flow, Sessions, Pending, People, Realms, Site.PublicURL and Site.Clock must be set")
	}
	if s := o.Site.PublicURL.Scheme; s != "http" && s != "https" || o.Site.PublicURL.Host == "" {
		return nil, errors.New("web: Site.PublicURL must be an absolute http or https URL, such as https://login.example.com")
	}
	limits := o.Site.Limits.withDefaults()
	d := &door{
		Options: o, jar: newJar(o.Site.PublicURL), limits: limits, log: o.Site.Log,
		addresses: newAddressLimit(limits.PerSecond, limits.Burst, maxAddresses),
		signIns:   make(gate, limits.InFlight), callbacks: make(gate, limits.Callbacks),
	}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if d.pages, err = loadPages(o.Site); err != nil {
		return nil, err
	}
	csrf, err := d.crossOrigin()
	if err != nil {
		return nil, err
	}
	return d.headers(csrf.Handler(d.routes())), nil
}

// NewServer is an http.Server for h with the timeouts that a listener for strangers needs: a slow client costs a
// connection for seconds, never a sign-in's place. Addr, TLSConfig and ErrorLog are the caller's.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      decideWithin + 15*time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    32 << 10,
	}
}

// door is the public listener.
type door struct {
	Options
	jar       jar
	limits    Limits
	addresses *addressLimit
	signIns   gate
	callbacks gate
	pages     *pages
	log       *slog.Logger
}

// routes is the listener's whole surface. Single logout is not offered, so there is no .../slo and no metadata names one.
func (d *door) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", d.front)
	mux.HandleFunc("POST /signin", d.limited(d.signIn))
	mux.HandleFunc("GET /signin/password", d.passwordPage)
	mux.HandleFunc("GET /signin/change", d.changePage)
	mux.HandleFunc("POST /realm", d.limited(d.realm))
	mux.HandleFunc("GET /session", d.session)
	mux.HandleFunc("POST /signout", d.limited(d.signOut))
	mux.HandleFunc("GET /federation/saml/{idp}/metadata", d.metadata)
	mux.HandleFunc(acsPattern, d.limited(d.callback))
	mux.HandleFunc("GET /federation/oidc/{idp}/callback", d.limited(d.callback))
	mux.HandleFunc(formPostPattern, d.limited(d.callback))
	mux.HandleFunc("POST /agent/enrol", d.limited(d.enrol))
	mux.HandleFunc("GET /static/{file}", d.pages.assets.serve)
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	if d.Site.Lab != nil && d.Site.Lab.Traces != nil {
		mux.HandleFunc("GET /trace/{id}", d.limited(d.trace))
	}
	if d.Site.App != nil {
		mux.Handle("/app/", d.withVisitor(d.Site.App))
	}
	return mux
}

// The two addresses that another site's page may post to: that is what they are for.
const (
	acsPattern      = "POST /federation/saml/{idp}/acs"
	formPostPattern = "POST /federation/oidc/{idp}/callback"
)

// crossOrigin refuses what another site's page makes a browser post. The callbacks are the only bypass; a callback is
// bound to its browser by the pending cookie.
func (d *door) crossOrigin() (*http.CrossOriginProtection, error) {
	csrf := http.NewCrossOriginProtection()
	if err := csrf.AddTrustedOrigin(originOf(d.Site.PublicURL)); err != nil { // a proxy may change Host
		return nil, err
	}
	csrf.AddInsecureBypassPattern(acsPattern)
	csrf.AddInsecureBypassPattern(formPostPattern)
	csrf.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { d.refuseInput(w, r, errCrossOrigin) }))
	return csrf, nil
}

// front is the sign-in page, or who is signed in.
func (d *door) front(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if !q.Has("switch") && !q.Has("username") { // asks for another sign-in beside the session
		v, err := d.visitor(r)
		switch {
		case err == nil && q.Has("returnTo"):
			http.Redirect(w, r, landing(q.Get("returnTo")), http.StatusSeeOther) //nolint:gosec // G710: LocalPath lets local paths through only
			return
		case err == nil:
			d.signedInPage(w, r, v)
			return
		case !errors.Is(err, errNoSession):
			d.refusePage(w, err)
			return
		}
	}
	d.pages.write(w, http.StatusOK, pageSignIn, view{
		FormToken: d.jar.formToken(w, r), Username: shortName(q.Get("username")), ReturnTo: landingOrNone(q.Get("returnTo")),
	})
}

// passwordPage is the second page: it needs the cookie of the first.
func (d *door) passwordPage(w http.ResponseWriter, r *http.Request) {
	p := d.pending(r)
	if !p.Realm.Path.Managed() {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	d.pages.write(w, http.StatusOK, pagePassword, view{
		FormToken: d.jar.formToken(w, r), Username: p.Typed, ReturnTo: landingOrNone(p.Want.ReturnTo),
		Change: p.Realm.Path == authn.PathCloud,
	})
}

// pending opens the cookie of a sign-in that waits; the zero Pending when there is none or it is over.
func (d *door) pending(r *http.Request) authn.Pending {
	cookie := d.jar.get(r, pendingCookie)
	if cookie == "" {
		return authn.Pending{}
	}
	p, err := d.Pending.OpenPending(cookie)
	if err != nil {
		return authn.Pending{}
	}
	return p
}

// landing is where a browser goes after a sign-in.
func landing(returnTo string) string {
	if returnTo == "" {
		return "/session"
	}
	return LocalPath(returnTo)
}

// landingOrNone keeps a wish to land somewhere only when it may be honoured.
func landingOrNone(returnTo string) string {
	if returnTo == "" {
		return ""
	}
	return LocalPath(returnTo)
}

// shortName is a typed user name as a page gives it back; one that nobody can have is left out.
func shortName(typed string) string {
	const longest = 256 // of Identifier.Key
	if len(typed) > longest {
		return ""
	}
	return typed
}
