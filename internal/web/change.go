package web

import (
	"bytes"
	"net/http"

	"github.com/fourways-id/fourways/authn"
)

// Fields of a change of password. The page asks for the new one twice, and for the current one again: what was typed on the
// page before is not kept anywhere.
const (
	fieldNew   = "newPassword"
	fieldAgain = "newPasswordAgain"
)

var (
	errNoCurrent = httpError{http.StatusBadRequest, 90014, "missing_field", "Enter your current password too."}
	errNotTwice  = httpError{http.StatusBadRequest, 90013, "passwords_differ", "The two new passwords are not the same. Type the new one twice."}
)

// readAnswer takes the secrets out of f: nothing, a password, or a password and a new one.
func readAnswer(f fields, form bool) (authn.Answer, error) {
	old, typed := f.take("password")
	fresh, changes := f[fieldNew]
	switch {
	case !typed && !changes:
		return authn.Nothing{}, nil
	case !changes:
		return authn.Password{Secret: authn.NewSecret(old)}, nil
	}
	var err error
	if len(old) == 0 {
		err = errNoCurrent
	} else if form && !bytes.Equal(fresh, f[fieldAgain]) {
		err = errNotTwice
	}
	if err != nil {
		clear(old)
		return authn.NewPassword{}, err
	}
	f.take(fieldNew)
	return authn.NewPassword{Old: authn.NewSecret(old), New: authn.NewSecret(fresh)}, nil
}

// wipe clears the secrets once more: the flow did so, but not every attempt gets there.
func (a attempt) wipe() {
	switch answer := a.answer.(type) {
	case authn.Password:
		answer.Secret.Wipe()
	case authn.NewPassword:
		answer.Old.Wipe()
		answer.New.Wipe()
	}
}

// secret reports that the attempt brought a password to be checked.
func (a attempt) secret() bool {
	switch a.answer.(type) {
	case authn.Password, authn.NewPassword:
		return true
	}
	return false
}

// page is the page that the attempt was posted from.
func (a attempt) page() string {
	switch a.answer.(type) {
	case authn.Password:
		return pagePassword
	case authn.NewPassword:
		return pageChange
	}
	return pageSignIn
}

// changePage is for whoever wants another password: whose it is says the cookie of the page before, else the form.
func (d *door) changePage(w http.ResponseWriter, r *http.Request) {
	p := d.pending(r)
	returnTo := p.Want.ReturnTo
	if returnTo == "" {
		returnTo = r.URL.Query().Get("returnTo")
	}
	d.pages.write(w, http.StatusOK, pageChange, view{
		FormToken: d.jar.formToken(w, r), Username: shortName(p.Typed), ReturnTo: landingOrNone(returnTo),
	})
}

// tell shows what a person must know before the next step: on the page where that step is taken, or on one of its own when
// it is taken elsewhere.
func (d *door) tell(w http.ResponseWriter, r *http.Request, a attempt, res authn.Result) {
	if err := d.remember(w, r, res); err != nil {
		d.refuseInput(w, r, err)
		return
	}
	v := view{
		Alert:     &alert{PublicError: challengeError(res.Outcome), CorrelationID: res.ID, At: d.Site.Clock.Now()},
		FormToken: d.jar.formToken(w, r), Username: shortName(a.nameOr(res)), ReturnTo: a.returnTo,
	}
	page := pageRefused
	switch res.Outcome.Challenge.Kind {
	case authn.ChangePassword:
		page = pageChange
	case authn.AskPassword:
		page = pagePassword
	default:
	}
	d.pages.write(w, http.StatusOK, page, v)
}

// nameOr is the name that was typed on this page, else on the page before.
func (a attempt) nameOr(res authn.Result) string {
	if a.username == "" && res.Pending != nil {
		return res.Pending.Typed
	}
	return a.username
}

// challengeError is what the person is told of a challenge; the reason is told to whose password was right.
func challengeError(o authn.Outcome) authn.PublicError {
	p := authn.PublicError{Message: o.Challenge.Message}
	if o.Reason != authn.None {
		public := o.Reason.Public()
		p.Code, p.Name = public.Code, public.Name
	}
	return p
}
