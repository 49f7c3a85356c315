package browser

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/fourways-id/fourways/authn"
)

// walk is one way through an identity provider's pages.
type walk struct {
	SignInOptions
	b *Browser
}

// follow carries out the challenge and says in did how it ended.
func (w walk) follow(ctx context.Context, did *Attempt, ans answer) error {
	var page *Page
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
		did.Note = fmt.Sprintf("the gateway asks for more (%s), which only a browser can give: open %s", c.Kind, w.Door)
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
func (w walk) pages(ctx context.Context, did *Attempt, page *Page) (*Page, error) {
	filled := false
	for range maxPages {
		if sameOrigin(page.URL, w.Door) {
			return page, nil
		}
		form, wants := login(page)
		if wants && filled || form == nil {
			did.Shown = cmp.Or(page.Alert(), page.Text())
			did.Shown = fmt.Sprintf("%.*s", maxShown, did.Shown)
			did.Note = fmt.Sprintf("the identity provider at %s did not sign the person in (its page says: %s)", page.URL.Host, did.Shown)
			return nil, nil
		}
		fill := map[string]string{}
		if wants {
			if InClear(form.Action) {
				return nil, fmt.Errorf("%s://%s is %w", form.Action.Scheme, form.Action.Host, ErrInClear)
			}
			fill["password"], filled = string(w.Password.Reveal()), true
			if form.Values.Has("username") {
				fill["username"] = w.UPN
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
func login(page *Page) (form *Form, wantsPassword bool) {
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
func (w walk) lost(did *Attempt, err error) error {
	var away net.Error
	if !errors.As(err, &away) {
		return fmt.Errorf("walk through the identity provider's pages: %w", err)
	}
	did.Note = fmt.Sprintf("the identity provider could not be reached: %v", err)
	return nil
}

// end reads how the sign-in ended: a session that names somebody, or the page that refused.
func (w walk) end(ctx context.Context, did *Attempt, page *Page) error {
	var session struct {
		Account       account         `json:"account"`
		CorrelationID authn.AttemptID `json:"correlationId"`
	}
	status, err := w.b.GetJSON(ctx, w.Door+"/session", &session)
	if err != nil {
		return noDoor(err)
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

func sameOrigin(u *url.URL, origin string) bool {
	o, err := url.Parse(origin)
	return err == nil && u.Scheme == o.Scheme && u.Host == o.Host
}
