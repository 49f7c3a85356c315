package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/fourways-id/fourways/internal/console/api"
)

// Version is an object and its version: what a change names, so that nobody else's is overwritten.
type Version[T any] struct {
	Object T
	Tag    string
}

// call makes a request and reads its answer.
func call[T any](ctx context.Context, c *Console, method, path string, body any) (T, error) {
	v, err := callVersion[T](ctx, c, method, path, "", body)
	return v.Object, err
}

// callVersion is call that also tells the version of the answer. A tag that is given goes out as If-Match: the change is
// refused with directory's ErrChanged (a Problem of type urn:fourways:changed) where the object has another version by now.
func callVersion[T any](ctx context.Context, c *Console, method, path, tag string, body any) (Version[T], error) {
	var out Version[T]
	req, err := c.request(ctx, method, path, body)
	if err != nil {
		return out, err
	}
	if tag != "" {
		req.Header.Set("If-Match", `"`+tag+`"`)
	}
	answer, err := c.send(req)
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(answer.body, &out.Object); err != nil {
		return out, fmt.Errorf("%s answered with something that is not this console's JSON: is it a fourways console of this version?", c.base)
	}
	out.Tag = strings.Trim(answer.Header.Get("ETag"), `"`)
	return out, nil
}

// answer is a response that was read.
type answer struct {
	*http.Response
	body []byte
}

// send makes a request. One with an Idempotency-Key is made once more when the connection breaks, and asked for until its
// end when the first is still under way: the console carries it out once.
func (c *Console) send(req *http.Request) (answer, error) {
	a, err := c.once(req)
	if err == nil || req.Header.Get("Idempotency-Key") == "" || !broke(req.Context(), err) {
		return a, err
	}
	for {
		again := req.Clone(req.Context())
		if req.GetBody != nil {
			if again.Body, err = req.GetBody(); err != nil {
				return answer{}, err
			}
		}
		a, err = c.once(again)
		var p api.Problem
		if !errors.As(err, &p) || p.Type != api.UnderWay {
			return a, err
		}
		select {
		case <-req.Context().Done():
			return answer{}, req.Context().Err()
		case <-time.After(time.Second): // what the console's Retry-After says
		}
	}
}

// broke reports that a connection ended before the answer was there. One that never came about is something else, and so
// is the end of the caller's patience.
func broke(ctx context.Context, err error) bool {
	var dial *net.OpError
	var wait net.Error
	switch {
	case !errors.Is(err, ErrUnreachable), ctx.Err() != nil, errors.As(err, &dial) && dial.Op == "dial":
		return false
	}
	return !errors.As(err, &wait) || !wait.Timeout()
}

func (c *Console) once(req *http.Request) (answer, error) {
	res, err := c.http.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("%w at %s (%w)", ErrUnreachable, c.base, unwrapURL(err))
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, answerLimit))
	if err != nil {
		return answer{}, fmt.Errorf("%w: its answer broke off (%w)", ErrUnreachable, err)
	}
	if res.StatusCode >= http.StatusBadRequest {
		return answer{}, problem(res, raw)
	}
	return answer{res, raw}, nil
}

func (c *Console) request(ctx context.Context, method, path string, body any) (*http.Request, error) {
	var r io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		r = bytes.NewReader(raw)
	}
	path, err := exact(path)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.base.String(), "/")+"/api/v1/"+path, r)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if method == http.MethodPost {
		req.Header.Set("Idempotency-Key", `"`+rand.Text()+`"`)
	}
	return req, nil
}

// exact keeps a path from being another one to whoever tidies it up on the way: a name may be "..", and none is empty.
func exact(path string) (string, error) {
	path, query, asks := strings.Cut(path, "?")
	parts := strings.Split(path, "/")
	for i, part := range parts {
		switch part {
		case "":
			return "", api.Problem{Title: "Bad Request", Status: http.StatusBadRequest, Detail: "A name is empty: say which one you mean."}
		case ".", "..":
			parts[i] = strings.ReplaceAll(part, ".", "%2E")
		}
	}
	if asks {
		query = "?" + query
	}
	return strings.Join(parts, "/") + query, nil
}
