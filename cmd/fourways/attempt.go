package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/client/browser"
)

// attempt is one sign-in over the public endpoint, as the person at the door sees it, plus what the trace says of it.
type attempt struct {
	User          string             `json:"user"`
	Verdict       authn.Verdict      `json:"verdict"`
	Path          authn.Path         `json:"path"`
	Account       string             `json:"account,omitempty"` // user principal name
	Name          string             `json:"displayName,omitempty"`
	CorrelationID authn.AttemptID    `json:"correlationId"`
	Milliseconds  int64              `json:"milliseconds"`
	Public        *authn.PublicError `json:"error,omitempty"`  // what the person was told
	Reason        string             `json:"reason,omitempty"` // the operator's, from the sign-in log
	Note          string             `json:"note,omitempty"`
}

// Bounds of one sign-in: how long an answer may take, and how many pages an identity provider may show.
const (
	patience = 60 * time.Second
	maxPages = 8
)

// answer is what POST /signin says.
type answer struct {
	Verdict       authn.Verdict   `json:"verdict"`
	Path          authn.Path      `json:"path"`
	CorrelationID authn.AttemptID `json:"correlationId"`
	Account       *account        `json:"account"`
	Challenge     *struct {
		Kind authn.ChallengeKind `json:"kind"`
		URL  string              `json:"url"`
		Form map[string]string   `json:"form"`
	} `json:"challenge"`
	Error *authn.PublicError `json:"error"`
}

type account struct {
	UPN         string `json:"userPrincipalName"`
	DisplayName string `json:"displayName"`
}

// signIn signs a person in at the door as a browser without scripts would, through an identity provider's form if the door
// sends there. A refusal is an attempt, not an error.
func signIn(ctx context.Context, door, upn string, pw authn.Secret) (attempt, error) {
	began := time.Now()
	b := browser.New(&http.Client{Timeout: patience})
	ask := map[string]string{"username": upn, "password": string(pw.Reveal())}
	var ans answer
	status, err := b.PostJSON(ctx, door+"/signin", ask, &ans)
	if err != nil {
		return attempt{}, noDoor(door, err)
	}
	if ans.Verdict == authn.Undecided {
		return attempt{}, refusedInput(status, ans.Error)
	}
	did := attempt{User: upn, Verdict: ans.Verdict, Path: ans.Path, CorrelationID: ans.CorrelationID, Public: ans.Error}
	if ans.Account != nil {
		did.Account, did.Name = ans.Account.UPN, ans.Account.DisplayName
	}
	if ans.Challenge != nil {
		w := walk{b: b, door: door, upn: upn, pw: pw}
		err = w.follow(ctx, &did, ans)
	}
	did.Milliseconds = time.Since(began).Milliseconds()
	return did, err
}

func noDoor(door string, err error) error {
	var away net.Error
	if errors.As(err, &away) {
		return failure{exitUnreachable, "the sign-in endpoint can't be reached", fmt.Sprintf("%s: %v", door, err), "start the gateway (`fourways up` starts the lab), or name its address with --signin-url"}
	}
	return failure{exitFailed, "the sign-in endpoint's answer can't be understood", err.Error(), "check that a fourways gateway listens at " + door}
}

func refusedInput(status int, e *authn.PublicError) error {
	why := http.StatusText(status)
	if e != nil && e.Message != "" {
		why = e.Message
	}
	do := "correct the user name or the password's form"
	if status == http.StatusNotFound || status == http.StatusMethodNotAllowed {
		do = "check the address: --signin-url wants the origin of the public listener, such as http://localhost:8400"
	}
	return failure{exitFailed, fmt.Sprintf("the sign-in endpoint refused the request with status %d", status), why, do}
}

// walk is one way through an identity provider's pages.
type walk struct {
	b    *browser.Browser
	door string
	upn  string
	pw   authn.Secret
}

// follow carries out the challenge and says in did how it ended.
func (w walk) follow(ctx context.Context, did *attempt, ans answer) error {
	var page *browser.Page
	var err error
	switch c := ans.Challenge; c.Kind {
	case authn.Redirect:
		page, err = w.b.Get(ctx, c.URL)
	case authn.Post:
		form := url.Values{}
		for k, v := range c.Form {
			form.Set(k, v)
		}
		page, err = w.b.PostForm(ctx, c.URL, form)
	default:
		did.Note = fmt.Sprintf("the gateway asks for more (%s), which only a browser can give: open %s", c.Kind, w.door)
		return nil
	}
	if err != nil {
		return w.lost(did, err)
	}
	page, err = w.pages(ctx, did, page)
	if err != nil || page == nil {
		return err
	}
	return w.end(ctx, did, page)
}

// pages fills in what the identity provider asks for until the browser is back at the door; nil when it never came back.
func (w walk) pages(ctx context.Context, did *attempt, page *browser.Page) (*browser.Page, error) {
	filled := false
	for range maxPages {
		if sameOrigin(page.URL, w.door) {
			return page, nil
		}
		form, wants := login(page)
		if wants && filled || form == nil {
			did.Note = fmt.Sprintf("the identity provider at %s did not sign the person in (its page says: %.200s)", page.URL.Host, cmp.Or(page.Alert(), page.Text()))
			return nil, nil
		}
		fill := map[string]string{}
		if wants {
			if err := guarded(form.Action.Scheme + "://" + form.Action.Host); err != nil {
				return nil, err
			}
			fill["password"], filled = string(w.pw.Reveal()), true
			if form.Values.Has("username") {
				fill["username"] = w.upn
			}
		}
		next, err := page.SubmitForm(ctx, *form, fill)
		if err != nil {
			return nil, w.lost(did, err)
		}
		page = next
	}
	did.Note = fmt.Sprintf("the identity provider at %s showed more than %d pages", page.URL.Host, maxPages)
	return nil, nil
}

// login finds the form that asks for a password, else the first one, which carries the answer back.
func login(page *browser.Page) (form *browser.Form, wantsPassword bool) {
	for i, f := range page.Forms {
		if f.Values.Has("password") {
			return &page.Forms[i], true
		}
	}
	if len(page.Forms) == 0 {
		return nil, false
	}
	return &page.Forms[0], false
}

// lost is an identity provider that could not be reached: the attempt stays open, so it was interrupted.
func (w walk) lost(did *attempt, err error) error {
	var away net.Error
	if !errors.As(err, &away) {
		return fmt.Errorf("walk through the identity provider's pages: %w", err)
	}
	did.Note = fmt.Sprintf("the identity provider could not be reached: %v", err)
	return nil
}

// end reads how the sign-in ended: a session that names somebody, or the page that refused.
func (w walk) end(ctx context.Context, did *attempt, page *browser.Page) error {
	var session struct {
		Account       account         `json:"account"`
		CorrelationID authn.AttemptID `json:"correlationId"`
	}
	status, err := w.b.GetJSON(ctx, w.door+"/session", &session)
	if err != nil {
		return noDoor(w.door, err)
	}
	if status == http.StatusOK {
		did.Verdict, did.Account, did.Name = authn.Allowed, session.Account.UPN, session.Account.DisplayName
		return nil
	}
	did.Verdict = authn.Denied
	if page.Status == http.StatusServiceUnavailable {
		did.Verdict = authn.Unavailable
	}
	did.Public = publicOf(page.Header.Get("Fourways-Error-Code"))
	return nil
}

// publicOf finds what goes with a public code; nil when no reason tells it.
func publicOf(code string) *authn.PublicError {
	for _, r := range authn.Reasons() {
		if p := r.Public(); strconv.Itoa(p.Code) == code && p.Message != "" {
			return &p
		}
	}
	return nil
}

func sameOrigin(u *url.URL, origin string) bool {
	o, err := url.Parse(origin)
	return err == nil && u.Scheme == o.Scheme && u.Host == o.Host
}
