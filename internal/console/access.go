package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// The roles, each with the rights of the one before it: Reader looks, Operator steers paths and synchronisation, Admin
// also manages accounts, agents and tokens.
const (
	Reader   = "reader"
	Operator = "operator"
	Admin    = "admin"
)

// Roles lists the roles, least first.
func Roles() []string { return []string{Reader, Operator, Admin} }

// changed is what a change wants written into the audit log, and what it answers.
type changed struct {
	Target, Before, After string
	Answer                any
	Status                int // 0: the operation's own
}

// change serves what changes something: audited whether it succeeds, fails or is refused to this token. A change that could
// not be written into the audit log answers with that failure.
func (c *console) change(w http.ResponseWriter, r *http.Request, o operation, h func(r *http.Request, body []byte, by api.Token) (changed, error)) {
	by, err := c.token(r, o.role)
	if by.ID == "" { // nobody whom an entry could name
		problem(err).write(w, r)
		return
	}
	if err != nil {
		refused := changed{Target: r.URL.Path}
		problem(errors.Join(err, c.audit(r, by, r.Pattern, refused, err))).write(w, r)
		return
	}
	do := func(r *http.Request, body []byte, unread error) reply {
		var d changed
		err := unread
		if err == nil {
			d, err = h(r, body, by)
		}
		if d.Target == "" {
			d.Target = o.named(r)
		}
		if auditErr := c.audit(r, by, o.action, d, err); auditErr != nil && err == nil {
			err = auditErr
		}
		if err != nil {
			return problem(err)
		}
		if d.Status == 0 {
			d.Status = o.status
		}
		return answered(d.Status, d.Answer)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		do(r, nil, err).write(w, r)
		return
	}
	c.once(r, by, o, body, func(r *http.Request) reply { return do(r, body, nil) }).write(w, r)
}

func (c *console) audit(r *http.Request, by api.Token, action string, did changed, err error) error {
	from, _, splitErr := net.SplitHostPort(r.RemoteAddr)
	if splitErr != nil {
		from = r.RemoteAddr
	}
	e := Entry{
		At: c.clock.Now(), Who: by.Name, From: from, Action: action, Target: oneLine(did.Target, 300),
		Before: did.Before, After: did.After, Result: "success",
	}
	if err != nil {
		e.Result = oneLine("failure: "+err.Error(), 1000)
	}
	// What was done is written down even when the caller has gone away meanwhile.
	if auditErr := c.Access.Audit(context.WithoutCancel(r.Context()), e); auditErr != nil {
		return fmt.Errorf("the change was made but could not be written to the audit log: %w", auditErr)
	}
	return nil
}

// oneLine is what the audit log keeps of a text that anybody may have sent: printable, and of at most so many characters.
func oneLine(s string, most int) string {
	all := []rune(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s))
	if len(all) > most {
		return string(all[:most]) + "…"
	}
	return string(all)
}

// token finds whom the request comes from. Beside the error, a token whose role is too small is returned as well.
func (c *console) token(r *http.Request, role string) (api.Token, error) {
	secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || secret == "" {
		return api.Token{}, api.Problem{Title: "Unauthorized", Status: http.StatusUnauthorized, Detail: "This needs a token: send `Authorization: Bearer TOKEN`. `fourways admin token create` makes one."}
	}
	t, err := c.Access.Token(r.Context(), secret)
	if errors.Is(err, directory.ErrNotFound) {
		return api.Token{}, api.Problem{Title: "Unauthorized", Status: http.StatusUnauthorized, Detail: "The token is unknown or revoked: make another with `fourways admin token create`."}
	}
	if errors.Is(err, ErrExpired) {
		return api.Token{}, api.Problem{Title: "Unauthorized", Status: http.StatusUnauthorized, Detail: err.Error() + ": make another with `fourways admin token create`."}
	}
	if err != nil {
		return api.Token{}, err
	}
	if slices.Index(Roles(), t.Role) < slices.Index(Roles(), role) {
		return t, api.Problem{Title: "Forbidden", Status: http.StatusForbidden, Detail: fmt.Sprintf("This needs the role %s; the token %q has %s.", role, t.Name, t.Role)}
	}
	return t, nil
}
