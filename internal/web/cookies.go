package web

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"net/url"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// The cookies' base names. On https each gets the __Host- prefix, so that no neighbouring host can plant one.
const (
	sessionCookie = "fourways_session"
	pendingCookie = "fourways_pending"
	formCookie    = "fourways_form"
)

// pendingFor is how long a browser keeps the cookie of a sign-in that waits; session's own limit is the one that counts.
const pendingFor = 10 * time.Minute

// jar writes and reads the listener's cookies.
type jar struct {
	secure bool
	prefix string
}

func newJar(public *url.URL) jar {
	if public.Scheme == "https" {
		return jar{secure: true, prefix: "__Host-"}
	}
	return jar{}
}

func (j jar) get(r *http.Request, name string) string {
	c, err := r.Cookie(j.prefix + name)
	if err != nil {
		return ""
	}
	return c.Value
}

func (j jar) cookie(name, value string) *http.Cookie {
	return &http.Cookie{
		Name: j.prefix + name, Value: value, Path: "/", HttpOnly: true, Secure: j.secure, SameSite: http.SameSiteLaxMode,
	}
}

func (j jar) drop(w http.ResponseWriter, name string) {
	c := j.cookie(name, "")
	c.MaxAge = -1
	http.SetCookie(w, c)
}

// setSession gives the browser its token until the browser closes; how long it is good for is the session's business.
func (j jar) setSession(w http.ResponseWriter, token string) {
	http.SetCookie(w, j.cookie(sessionCookie, token))
}

// setPending keeps a sealed pending step. An identity provider's answer by form post comes from another site, where Lax
// cookies stay behind; SameSite=None needs Secure. On plain http the callback asks the browser to post once more from here.
func (j jar) setPending(w http.ResponseWriter, sealed string, realm authn.Realm) {
	c := j.cookie(pendingCookie, sealed)
	c.MaxAge = int(pendingFor.Seconds())
	if j.secure && realm.Protocol == "saml" {
		c.SameSite = http.SameSiteNoneMode
	}
	http.SetCookie(w, c)
}

// formToken is the browser's token for forms, made when it has none: what the form says must equal what the cookie says,
// and another site can neither read nor set the cookie.
func (j jar) formToken(w http.ResponseWriter, r *http.Request) string {
	if t := j.get(r, formCookie); len(t) == formTokenLen {
		return t
	}
	t := rand.Text()
	c := j.cookie(formCookie, t)
	http.SetCookie(w, c)
	r.AddCookie(c) // whoever asks again during this request gets the same
	return t
}

// formTokenLen is the length of rand.Text: 26 characters of base32 hold 130 bits.
const formTokenLen = 26

// formTokenHolds reports that a posted form came from a page of ours in this very browser.
func (j jar) formTokenHolds(r *http.Request, posted []byte) bool {
	kept := j.get(r, formCookie)
	return len(kept) == formTokenLen && subtle.ConstantTimeCompare([]byte(kept), posted) == 1
}
