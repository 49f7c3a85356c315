package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/fourways-id/fourways/authn"
)

// repostField marks a callback that our own page posted once more.
const repostField = "fourways_repost"

// maxParameters bounds a callback's parameters; SAML has two or three, OIDC five.
const maxParameters = 16

// metadata is our side of a SAML agreement, as the identity provider's administrator loads it.
func (d *door) metadata(w http.ResponseWriter, r *http.Request) {
	if d.Federation != nil {
		if xml, ok := d.Federation.Metadata(r.PathValue("idp")); ok {
			w.Header().Set("Content-Type", "application/samlmetadata+xml")
			_, _ = w.Write(xml)
			return
		}
	}
	writeError(w, httpError{http.StatusNotFound, 0, "not_found", "There is no SAML identity provider of this name here."})
}

// callback takes what a browser carries back from an identity provider.
func (d *door) callback(w http.ResponseWriter, r *http.Request) {
	cb, err := readCallback(r)
	if err != nil {
		d.refusePage(w, err)
		return
	}
	if !d.callbacks.enter() {
		d.shed(w, r, authn.PathFederated)
		return
	}
	defer d.callbacks.leave()
	pending := d.pending(r)
	_, again := cb.Values[repostField]
	delete(cb.Values, repostField)
	if pending.ID == "" && cb.Binding == "post" && !again {
		// Another site's page posted here, so the browser kept its Lax cookie back. Posted once more from our own page it
		// comes along. This opens nothing: without the cookie the answer is refused, and the cookie names what it must answer.
		d.forward(w, forwardView{Action: r.URL.Path, Fields: append(postedFields(cb.Values), hidden{repostField, "1"})})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), decideWithin)
	defer cancel()
	res := d.Flow.Continue(ctx, pending, cb, d.place(r))
	if v := res.Outcome.Verdict; v == authn.Allowed || v == authn.Challenged {
		d.goOn(w, r, res, pending.Want.ReturnTo)
		return
	}
	if err := d.remember(w, r, res); err != nil {
		d.refusePage(w, err)
		return
	}
	d.pages.write(w, statusOf(res.Outcome.Verdict), pageRefused, view{Alert: d.alert(w, res), ReturnTo: landingOrNone(pending.Want.ReturnTo)})
}

// refusePage answers a callback that could not be read: a person's browser brought it, whatever it says it accepts.
func (d *door) refusePage(w http.ResponseWriter, err error) {
	e := asHTTPError(err)
	e.headers(w)
	d.pages.write(w, e.status, pageRefused, view{Alert: &alert{PublicError: e.public(), At: d.Site.Clock.Now()}})
}

// readCallback reads the parameters as they are: a provider refuses repeated ones itself.
func readCallback(r *http.Request) (authn.Callback, error) {
	cb := authn.Callback{IdP: r.PathValue("idp"), Binding: "redirect"}
	raw := r.URL.RawQuery
	if r.Method == http.MethodPost {
		if mediaType(r) != typeForm {
			return cb, httpError{http.StatusUnsupportedMediaType, 90013, "unsupported_media_type", "An identity provider posts a form to this address."}
		}
		body, err := readBody(r, maxCallbackBody)
		if err != nil {
			return cb, err
		}
		cb.Binding, raw = "post", string(body)
	}
	if strings.Count(raw, "&") >= maxParameters {
		return cb, malformed("The identity provider's answer has too many parameters.")
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return cb, malformed("The identity provider's answer is not URL-encoded.")
	}
	cb.Values = values
	return cb, nil
}
