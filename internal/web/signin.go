package web

import (
	"context"
	"net/http"

	"github.com/fourways-id/fourways/authn"
)

// attempt is a read POST /signin.
type attempt struct {
	username string
	answer   authn.Answer // Nothing when there was no password field, NewPassword when there was a new one
	returnTo string       // checked
	form     bool         // from a page of ours
}

// signIn is the one sign-in endpoint. What a slow client sends is read before it gets a place, so it takes none from others.
func (d *door) signIn(w http.ResponseWriter, r *http.Request) {
	a, err := d.readAttempt(r)
	if err != nil {
		d.refuseAttempt(w, r, a, err)
		return
	}
	defer a.wipe()
	p, resumed := d.resumes(r, a)
	if a.username == "" && !resumed {
		d.refuseAttempt(w, r, a, errNoUsername)
		return
	}
	if path, busy := d.busy(r, a, p); busy {
		d.shed(w, r, path)
		return
	}
	if !d.signIns.enter() {
		d.shed(w, r, p.Realm.Path)
		return
	}
	defer d.signIns.leave()
	ctx, cancel := context.WithTimeout(r.Context(), decideWithin)
	defer cancel()
	var res authn.Result
	if resumed {
		res = d.Flow.Continue(ctx, p, a.answer, d.place(r))
	} else {
		res = d.Flow.SignIn(ctx, authn.Request{
			Typed: a.username, Answer: a.answer, Want: authn.Want{ReturnTo: a.returnTo}, From: d.place(r),
		})
	}
	if a.form {
		d.answerForm(w, r, a, res)
		return
	}
	if err := d.remember(w, r, res); err != nil {
		writeError(w, errInternal)
		return
	}
	d.answerJSON(w, res)
}

// busy reports that the password can't be checked now, and on which path: by domain, before anybody is looked up.
func (d *door) busy(r *http.Request, a attempt, p authn.Pending) (authn.Path, bool) {
	if !a.secret() {
		return "", false
	}
	name := a.username
	if name == "" {
		name = p.Typed
	}
	return d.limits.Busy(r.Context(), authn.ParseIdentifier(name).Domain())
}

// readAttempt reads the request into an attempt and wipes the buffers it was read from.
func (d *door) readAttempt(r *http.Request) (attempt, error) {
	t := mediaType(r)
	if t != typeJSON && t != typeForm {
		return attempt{}, errMediaType
	}
	body, err := readBody(r, maxBody)
	if err != nil {
		return attempt{}, err
	}
	defer clear(body)
	var f fields
	if t == typeJSON {
		f, err = parseJSON(body, "username", "password", fieldNew, "returnTo")
	} else {
		f, err = parseForm(body, "username", "password", fieldNew, fieldAgain, "returnTo", "formToken")
	}
	defer f.wipe()
	if err != nil {
		return attempt{}, err
	}
	a := attempt{username: string(f["username"]), answer: authn.Nothing{}, returnTo: landingOrNone(string(f["returnTo"])), form: t == typeForm}
	if a.form && !d.jar.formTokenHolds(r, f["formToken"]) {
		return a, errFormToken
	}
	a.answer, err = readAnswer(f, a.form)
	return a, err
}

// resumes finds the pending sign-in that a password from the second page belongs to. Another name in the form is another
// sign-in, and JSON carries all it has to say at once.
func (d *door) resumes(r *http.Request, a attempt) (authn.Pending, bool) {
	if !a.secret() || !a.form {
		return authn.Pending{}, false
	}
	p := d.pending(r)
	same := a.username == "" || authn.ParseIdentifier(a.username).Key() == p.Typed
	if p.ID == "" || !p.Realm.Path.Managed() || !same {
		return authn.Pending{}, false
	}
	return p, true
}

// refuseAttempt answers what never became a sign-in. A form that can be filled in better comes back as a form.
func (d *door) refuseAttempt(w http.ResponseWriter, r *http.Request, a attempt, err error) {
	e := asHTTPError(err)
	if !a.form {
		d.refuseInput(w, r, e)
		return
	}
	page := pageSignIn
	if a.page() == pageChange {
		page = pageChange
	}
	d.pages.write(w, e.status, page, view{
		Alert:     &alert{PublicError: e.public(), At: d.Site.Clock.Now()},
		FormToken: d.jar.formToken(w, r), Username: shortName(a.username), ReturnTo: a.returnTo,
	})
}

// remember puts into cookies what the result wants remembered. Whoever is let in gets a new session, and the session that
// this browser had before is ended: a token never survives a sign-in.
func (d *door) remember(w http.ResponseWriter, r *http.Request, res authn.Result) error {
	switch res.Outcome.Verdict {
	case authn.Allowed:
		d.jar.setSession(w, res.Token)
		d.jar.drop(w, pendingCookie)
		if old := d.jar.get(r, sessionCookie); old != "" {
			if err := d.Sessions.End(r.Context(), old); err != nil {
				d.log.Warn("the session before this sign-in could not be ended", "correlation_id", res.ID, "cause", err)
			}
		}
	case authn.Challenged:
		if res.Pending == nil {
			return nil
		}
		sealed, err := d.Pending.SealPending(*res.Pending)
		if err != nil {
			d.log.Error("a pending sign-in could not be sealed", "correlation_id", res.ID, "cause", err)
			return err
		}
		d.jar.setPending(w, sealed, res.Realm)
	case authn.Unavailable: // nobody could look: the same step may be taken again
	default: // what was waiting is over; the same for everybody
		d.jar.drop(w, pendingCookie)
	}
	return nil
}

// answerForm answers a page of ours: on to the next page, to the identity provider, or the same page with the reason.
func (d *door) answerForm(w http.ResponseWriter, r *http.Request, a attempt, res authn.Result) {
	if res.Outcome.Challenge.Message != "" {
		d.tell(w, r, a, res)
		return
	}
	if res.Outcome.Verdict == authn.Allowed || res.Outcome.Verdict == authn.Challenged {
		d.goOn(w, r, res, a.returnTo)
		return
	}
	username := a.username
	if username == "" {
		username = d.pending(r).Typed
	}
	if err := d.remember(w, r, res); err != nil {
		d.refuseInput(w, r, err)
		return
	}
	d.pages.write(w, statusOf(res.Outcome.Verdict), a.page(), view{
		Alert: d.alert(w, res), FormToken: d.jar.formToken(w, r), Username: shortName(username), ReturnTo: a.returnTo,
		Change: res.Realm.Path == authn.PathCloud,
	})
}

// goOn leads a browser on after an allowed or challenged step.
func (d *door) goOn(w http.ResponseWriter, r *http.Request, res authn.Result, returnTo string) {
	if err := d.remember(w, r, res); err != nil {
		d.refuseInput(w, r, err)
		return
	}
	if res.Outcome.Verdict == authn.Allowed {
		http.Redirect(w, r, landing(returnTo), http.StatusSeeOther)
		return
	}
	c := res.Outcome.Challenge
	switch c.Kind {
	case authn.AskPassword:
		http.Redirect(w, r, "/signin/password", http.StatusSeeOther)
	case authn.Redirect:
		http.Redirect(w, r, c.URL, http.StatusSeeOther)
	case authn.Post:
		d.forward(w, forwardView{Action: c.URL, Fields: hiddenFields(c.Form), Away: true})
	default:
		d.refuseInput(w, r, httpError{http.StatusNotImplemented, 0, "step_not_offered", "One more step is needed to sign in, and these pages don't offer it yet. Please contact your administrator."})
	}
}

func (d *door) alert(w http.ResponseWriter, res authn.Result) *alert {
	return &alert{PublicError: refusal(w, res), CorrelationID: res.ID, At: d.Site.Clock.Now()}
}
