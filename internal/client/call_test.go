package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// gate is a console in front of which connections break.
type gate struct {
	breaks int32 // how many requests get no answer
	busy   int32 // how many then hear that the first is under way
	keys   chan string
	asked  atomic.Int32
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	g.keys <- r.Header.Get("Idempotency-Key")
	switch n := g.asked.Add(1); {
	case n <= g.breaks:
		panic(http.ErrAbortHandler)
	case n <= g.breaks+g.busy:
		w.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(w, `{"type":"`+api.UnderWay+`","title":"Under way","status":409}`)
	default:
		_, _ = io.WriteString(w, `{"name":"x"}`)
	}
}

func open(t *testing.T, g *gate) *Console {
	t.Helper()
	g.keys = make(chan string, 10)
	s := httptest.NewServer(g)
	t.Cleanup(s.Close)
	c, err := New(s.URL, "token")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAPostWhoseConnectionBreaksIsMadeOnceMoreWithItsKey(t *testing.T) {
	g := &gate{breaks: 1, busy: 1}
	c := open(t, g)
	if _, err := c.NewToken(t.Context(), api.NewToken{Name: "x"}); err != nil {
		t.Fatal(err)
	}
	first := <-g.keys
	if first == "" || <-g.keys != first || <-g.keys != first || g.asked.Load() != 3 {
		t.Errorf("asked %d times, not with one key", g.asked.Load())
	}
	if _, err := c.NewToken(t.Context(), api.NewToken{Name: "x"}); err != nil || <-g.keys == first {
		t.Errorf("another request has the same key (%v)", err)
	}
}

func TestAConnectionThatBreaksTwiceIsTold(t *testing.T) {
	g := &gate{breaks: 2}
	_, err := open(t, g).NewToken(t.Context(), api.NewToken{Name: "x"})
	if !errors.Is(err, ErrUnreachable) || g.asked.Load() != 2 {
		t.Errorf("asked %d times: %v", g.asked.Load(), err)
	}
}

func TestWhatHasNoKeyIsNotRepeated(t *testing.T) {
	g := &gate{breaks: 1}
	if _, err := open(t, g).RevokeToken(t.Context(), "x"); !errors.Is(err, ErrUnreachable) || g.asked.Load() != 1 {
		t.Errorf("asked %d times: %v", g.asked.Load(), err)
	}
}

func TestAVersionGoesOutAndComesBack(t *testing.T) {
	var sent string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent = r.Header.Get("If-Match")
		w.Header().Set("ETag", `"v2"`)
		_, _ = io.WriteString(w, `{"name":"x"}`)
	}))
	defer s.Close()
	c, err := New(s.URL, "token")
	if err != nil {
		t.Fatal(err)
	}
	v, err := callVersion[api.Token](context.Background(), c, http.MethodPatch, "things/x", "v1", struct{}{})
	if err != nil || v.Tag != "v2" || v.Object.Name != "x" || sent != `"v1"` {
		t.Errorf("%+v, sent %s (%v)", v, sent, err)
	}
}

// A name is one part of a path, whatever it looks like: ".." would be another call, of which the server tells the way.
func TestANameIsOnePartOfAPath(t *testing.T) {
	var called []string
	mux := http.NewServeMux()
	for _, pattern := range []string{"DELETE /api/v1/plans/{plan}", "DELETE /api/v1/plans/{plan}/users/{user}", "GET /api/v1/groups/{group}"} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			called = append(called, r.Pattern+" "+r.PathValue("user")+r.PathValue("group"))
			_, _ = io.WriteString(w, "{}")
		})
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	c, err := New(s.URL, "token")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"..", ".", "...", "a/b", "a%2fb", "a b", "?x", "#x", "ä"} {
		called = nil
		if _, err := c.Revoke(t.Context(), "E3", name); err != nil || len(called) != 1 || called[0] != "DELETE /api/v1/plans/{plan}/users/{user} "+name {
			t.Errorf("%q: called %q: %v", name, called, err)
		}
	}
	called = nil
	if _, err := c.Members(t.Context(), "", directory.MemberQuery{}); err == nil || len(called) > 0 {
		t.Errorf("no name: called %q, %v", called, err)
	}
}
