package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/fourways-id/fourways/internal/console/api"
)

// Answers keeps what changes answered, so that a repeated request is not carried out twice, on whichever gateway it comes
// in. What is kept may be a secret that is shown once.
type Answers interface {
	// Claim reserves a request for its first sender, or tells what is known of it.
	Claim(ctx context.Context, o Once) (Claim, error)
	// Keep remembers what a claimed request came to; an empty answer says that nobody knows.
	Keep(ctx context.Context, o Once, answer []byte) error
}

// Once names a request that is carried out once: the id of its token, the Idempotency-Key, and all that tells it from
// another request.
type Once struct {
	Token, Key string
	Request    []byte
}

// Claim is what is known of a request. An Answer that is empty, where nobody is Busy, says that the work began and that
// nobody knows how it ended.
type Claim struct {
	First, Same, Busy bool
	Answer            []byte
}

// The Problem.Types of a repeated request, beside api.UnderWay: its key was used for another one, nobody knows how the first
// ended.
const (
	KeyReusedType = "urn:fourways:key-reused"
	UnknownType   = "urn:fourways:outcome-unknown"
)

// longestKey bounds an Idempotency-Key, in characters.
const longestKey = 255

// once carries a request out, unless it did so before: then the answer of that time is given again
// (draft-ietf-httpapi-idempotency-key-header-07, section 2). The key is reserved before the work. So after a crash in
// between the request is refused, and whoever sent it looks what became of it, which nothing here can know.
func (c *console) once(r *http.Request, by api.Token, o operation, body []byte, do func(r *http.Request) reply) reply {
	key, err := idempotencyKey(r)
	if err != nil {
		return problem(err)
	}
	if key == "" || c.Books.Answers == nil {
		return do(r)
	}
	id := Once{Token: by.ID, Key: key, Request: fmt.Appendf(nil, "%s %s\n%s\n%s", r.Method, r.URL.RequestURI(), r.Header.Get("If-Match"), body)}
	claim, err := c.Books.Answers.Claim(r.Context(), id)
	if err != nil {
		return problem(err)
	}
	if !claim.First {
		return again(claim)
	}
	if !o.lasting { // whoever sends a key comes back for the answer when the connection breaks
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), runWithin)
		defer cancel()
		r = r.WithContext(ctx)
	}
	answer := do(r)
	var kept []byte
	if answer.Status < http.StatusInternalServerError {
		if kept, err = json.Marshal(answer); err != nil {
			return problem(err)
		}
	}
	// What can't be kept now is answered as "nobody knows" when it is asked for again, which is right.
	_ = c.Books.Answers.Keep(context.WithoutCancel(r.Context()), id, kept)
	return answer
}

// again answers a request that was made before.
func again(claim Claim) reply {
	var kept reply
	switch {
	case !claim.Same:
		return problem(api.Problem{Type: KeyReusedType, Title: "The key was used", Status: http.StatusUnprocessableEntity, Detail: "This Idempotency-Key was sent with another request in the last 24 hours, and nothing was done: each request needs a key of its own."})
	case len(claim.Answer) > 0:
		if err := json.Unmarshal(claim.Answer, &kept); err != nil {
			return problem(fmt.Errorf("read the kept answer: %w", err))
		}
		return kept
	case claim.Busy:
		busy := problem(api.Problem{Type: api.UnderWay, Title: "Under way", Status: http.StatusConflict, Detail: "The same request with this Idempotency-Key is still under way: ask again in a moment."})
		busy.Retry = 1
		return busy
	}
	return problem(api.Problem{Type: UnknownType, Title: "Outcome unknown", Status: http.StatusConflict, Detail: "The same request with this Idempotency-Key began and did not come to an answer, so nobody knows whether it was done: look, then ask with another key if it was not."})
}

// idempotencyKey is the request's key; "" without one. It is a quoted string in the draft; one without quotes is taken too.
func idempotencyKey(r *http.Request) (string, error) {
	given := r.Header.Values("Idempotency-Key")
	if len(given) == 0 {
		return "", nil
	}
	key := given[0]
	if inner, ok := strings.CutPrefix(key, `"`); ok {
		key = strings.TrimSuffix(inner, `"`)
	}
	strange := func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '"' || r == '\\' }
	if len(given) > 1 || key == "" || len(key) > longestKey || strings.ContainsFunc(key, strange) {
		return "", bad("An Idempotency-Key is one string of 1 to %d visible ASCII characters, without quotes or backslashes in it: a UUID will do.", longestKey)
	}
	return key, nil
}

// runWithin is how long a change may take that doesn't end with its listener's patience.
const runWithin = 55 * time.Minute
