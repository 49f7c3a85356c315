package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/fourways-id/fourways/authn"
)

// Headers of an answer to a sign-in that could not succeed. The code is the public one, whatever the reason.
const (
	headerCode        = "Fourways-Error-Code"
	headerCorrelation = "Fourways-Correlation-Id"
)

// retryAfter is what a client that was turned away is asked to wait, in seconds.
const retryAfter = "2"

// httpError is a request that never became a sign-in: the status, and what the asker is told.
type httpError struct {
	status  int
	code    int // AADSTS code where Microsoft documents a fitting one, else 0
	name    string
	message string
}

func (e httpError) Error() string { return e.message }

func (e httpError) public() authn.PublicError {
	return authn.PublicError{Code: e.code, Name: e.name, Message: e.message}
}

// The errors of this listener. 90013 is Microsoft's InvalidUserInput, 90014 MissingRequiredField, 50058 UserInformationNotProvided, 700016
// UnauthorizedClient_DoesNotMatchRequest: the application was not found in the directory.
var (
	errNotJSON     = httpError{http.StatusUnsupportedMediaType, 90013, "unsupported_media_type", "Send the body as application/json in UTF-8."}
	errMediaType   = httpError{http.StatusUnsupportedMediaType, 90013, "unsupported_media_type", "Send the body as application/json or application/x-www-form-urlencoded in UTF-8."}
	errNoUsername  = httpError{http.StatusBadRequest, 90014, "missing_field", "Enter your user name, such as alice@example.com."}
	errFormToken   = httpError{http.StatusForbidden, 90013, "form_expired", "This form is too old, or cookies are turned off. Please start again."}
	errCrossOrigin = httpError{http.StatusForbidden, 90013, "cross_origin", "This request came from another site. Please start again here."}
	errNoSession   = httpError{http.StatusUnauthorized, 50058, "no_session", "Nobody is signed in here."}
	errNoApp       = httpError{http.StatusNotFound, 700016, "application_unknown", "There is no such application here."}
	errTooMany     = fromReason(http.StatusTooManyRequests, authn.Throttled)
	errOverloaded  = fromReason(http.StatusServiceUnavailable, authn.Overloaded)
	errInternal    = fromReason(http.StatusServiceUnavailable, authn.Internal)
)

func fromReason(status int, r authn.Reason) httpError {
	p := r.Public()
	return httpError{status, p.Code, p.Name, p.Message}
}

func malformed(message string) httpError {
	return httpError{http.StatusBadRequest, 90013, "invalid_request", message}
}

func errTooLarge(most int) httpError {
	return httpError{http.StatusRequestEntityTooLarge, 90013, "too_large", fmt.Sprintf("The body is larger than %d bytes.", most)}
}

func asHTTPError(err error) httpError {
	var e httpError
	if errors.As(err, &e) {
		return e
	}
	return errInternal
}

// signInAnswer is the JSON answer to a sign-in. Its bytes are the same for everybody whom the Reason table gives the same
// public answer.
type signInAnswer struct {
	Verdict       authn.Verdict      `json:"verdict"`
	Path          authn.Path         `json:"path"`
	CorrelationID authn.AttemptID    `json:"correlationId"`
	TraceID       authn.AttemptID    `json:"traceId,omitempty"` // lab only
	Account       *accountView       `json:"account,omitempty"`
	Challenge     *challengeView     `json:"challenge,omitempty"`
	Error         *authn.PublicError `json:"error,omitempty"`
}

type accountView struct {
	ID          authn.AccountID `json:"id"`
	UPN         string          `json:"userPrincipalName"`
	DisplayName string          `json:"displayName"`
}

type challengeView struct {
	Kind authn.ChallengeKind `json:"kind"`
	URL  string              `json:"url,omitempty"`
	Form map[string]string   `json:"form,omitempty"`

	// Why a password must be changed, or why the new one was not taken.
	Code    int    `json:"code,omitempty"`
	Name    string `json:"name,omitempty"`
	Message string `json:"message,omitempty"`
}

// statusOf is the HTTP status of a result. Whatever is not clearly good or clearly refused is unavailable.
func statusOf(v authn.Verdict) int {
	switch v {
	case authn.Allowed, authn.Challenged:
		return http.StatusOK
	case authn.Denied:
		return http.StatusUnauthorized
	default:
		return http.StatusServiceUnavailable
	}
}

// refusal sets the headers that go with a denied or unavailable result and returns its public error.
func refusal(w http.ResponseWriter, res authn.Result) authn.PublicError {
	p := res.Outcome.Reason.Public()
	w.Header().Set(headerCode, strconv.Itoa(p.Code))
	w.Header().Set(headerCorrelation, string(res.ID))
	if statusOf(res.Outcome.Verdict) == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	return p
}

func (d *door) answerJSON(w http.ResponseWriter, res authn.Result) {
	a := signInAnswer{Verdict: res.Outcome.Verdict, Path: res.Realm.Path, CorrelationID: res.ID}
	if a.Path == "" {
		a.Path = authn.PathNone
	}
	if d.Site.Lab != nil {
		a.TraceID = res.ID
	}
	switch res.Outcome.Verdict {
	case authn.Allowed:
		a.Account = &accountView{res.Account.ID, res.Account.UPN, res.Account.DisplayName}
	case authn.Challenged:
		c := res.Outcome.Challenge
		why := challengeError(res.Outcome)
		a.Challenge = &challengeView{c.Kind, c.URL, c.Form, why.Code, why.Name, why.Message}
	default:
		p := refusal(w, res)
		a.Error = &p
	}
	writeJSON(w, statusOf(res.Outcome.Verdict), a)
}

// refuseInput answers a request that never became a sign-in: JSON to a program, a page to a browser.
func (d *door) refuseInput(w http.ResponseWriter, r *http.Request, err error) {
	e := asHTTPError(err)
	if mediaType(r) != typeForm && !wantsHTML(r) {
		writeError(w, e)
		return
	}
	e.headers(w)
	d.pages.write(w, e.status, pageRefused, view{Alert: &alert{PublicError: e.public(), At: d.Site.Clock.Now()}})
}

func (e httpError) headers(w http.ResponseWriter) {
	if e.status == http.StatusTooManyRequests || e.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	if e.status == http.StatusRequestEntityTooLarge {
		w.Header().Set("Connection", "close") // the rest of the body isn't read
	}
}

func writeError(w http.ResponseWriter, e httpError) {
	e.headers(w)
	body := struct {
		Verdict *authn.Verdict    `json:"verdict,omitempty"`
		Path    authn.Path        `json:"path,omitempty"`
		Error   authn.PublicError `json:"error"`
	}{Error: e.public()}
	if e == errTooMany || e == errOverloaded || e == errInternal {
		v := authn.Unavailable
		body.Verdict, body.Path = &v, authn.PathNone
	}
	writeJSON(w, e.status, body)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "the answer could not be written", http.StatusInternalServerError)
		return
	}
	writeJSONBytes(w, status, append(b, '\n'))
}

func writeJSONBytes(w http.ResponseWriter, status int, b []byte) {
	w.Header().Set("Content-Type", typeJSON)
	w.WriteHeader(status)
	_, _ = w.Write(b)
}
