package console

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// shelf keeps answers in memory.
type shelf map[string]*kept

type kept struct {
	request string
	busy    bool
	answer  []byte
}

func (s shelf) Claim(_ context.Context, o Once) (Claim, error) {
	k := s[o.Token+o.Key]
	if k == nil {
		s[o.Token+o.Key] = &kept{request: string(o.Request), busy: true}
		return Claim{First: true, Same: true}, nil
	}
	return Claim{Same: k.request == string(o.Request), Busy: k.busy, Answer: k.answer}, nil
}

func (s shelf) Keep(_ context.Context, o Once, answer []byte) error {
	s[o.Token+o.Key].answer, s[o.Token+o.Key].busy = answer, false
	return nil
}

// counting hands out tokens and counts them.
type counting struct {
	book
	made  int
	fails error
}

func (c *counting) NewToken(_ context.Context, t api.NewToken) (api.Token, error) {
	c.made++
	return api.Token{Name: t.Name, Role: t.Role, Secret: strings.Repeat("s", c.made)}, c.fails
}

func askOnce(h http.Handler, token, key, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/api/v1/tokens", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestARepeatedChangeIsMadeOnceAndAnsweredTheSame(t *testing.T) {
	maker := &counting{}
	h := New(Ports{Access: maker, Books: BookPorts{Answers: shelf{}}}, noon{})
	const body, other = `{"name":"x","role":"admin"}`, `{"name":"y","role":"admin"}`
	first := askOnce(h, Admin, `"k1"`, body)
	if first.Code != http.StatusCreated {
		t.Fatalf("%d %s", first.Code, first.Body)
	}
	for _, key := range []string{`"k1"`, `k1`} {
		if got := askOnce(h, Admin, key, body); got.Code != first.Code || got.Body.String() != first.Body.String() {
			t.Errorf("again with %s: %d %s, want %d %s", key, got.Code, got.Body, first.Code, first.Body)
		}
	}
	if maker.made != 1 || len(maker.entries) != 1 {
		t.Errorf("it was made %d times, and written down %d times", maker.made, len(maker.entries))
	}
	if got := askOnce(h, Admin, "k1", other); got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.Body.String(), KeyReusedType) {
		t.Errorf("another request with the key: %d %s", got.Code, got.Body)
	}
	if got := askOnce(h, Reader, "k1", body); got.Code != http.StatusForbidden {
		t.Errorf("another token gets the answer: %d %s", got.Code, got.Body)
	}
	if askOnce(h, Admin, "k2", body); maker.made != 2 {
		t.Error("another key was not another change")
	}
	if askOnce(h, Admin, "", body); maker.made != 3 {
		t.Error("without a key it was not made")
	}
	for _, key := range []string{`""`, "two words", strings.Repeat("x", 256), `a"b`, "ä"} {
		if got := askOnce(h, Admin, key, body); got.Code != http.StatusBadRequest || maker.made != 3 {
			t.Errorf("the key %q: %d, made %d", key, got.Code, maker.made)
		}
	}
}

func TestAKeyWhoseWorkNeverEndedIsRefusedAndNotCarriedOutAgain(t *testing.T) {
	maker, answers := &counting{}, shelf{}
	h := New(Ports{Access: maker, Books: BookPorts{Answers: answers}}, noon{})
	const body = `{"name":"x","role":"admin"}`
	maker.fails = directory.ErrConflict // an answer like others
	if got := askOnce(h, Admin, "k", body); got.Code != http.StatusConflict {
		t.Fatal(got.Code)
	}
	maker.fails = nil
	if got := askOnce(h, Admin, "k", body); got.Code != http.StatusConflict || maker.made != 1 {
		t.Errorf("what was refused is answered with %d the second time, made %d", got.Code, maker.made)
	}
	maker.fails = http.ErrAbortHandler // nobody knows what it came to
	if got := askOnce(h, Admin, "f", body); got.Code != http.StatusInternalServerError {
		t.Fatal(got.Code)
	}
	maker.fails, maker.made = nil, 0
	if got := askOnce(h, Admin, "f", body); got.Code != http.StatusConflict || !strings.Contains(got.Body.String(), UnknownType) || maker.made != 0 {
		t.Errorf("after a failure: %d %s", got.Code, got.Body)
	}
	answers["id of "+Admin+"f"].busy = true
	got := askOnce(h, Admin, "f", body)
	if got.Code != http.StatusConflict || !strings.Contains(got.Body.String(), api.UnderWay) || got.Header().Get("Retry-After") == "" {
		t.Errorf("while it is under way: %d %s", got.Code, got.Body)
	}
}

func FuzzIdempotencyKey(f *testing.F) {
	for _, seed := range []string{`"k"`, "k", `"`, `""`, "", "a b", `a\b`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, given string) {
		r := httptest.NewRequest("POST", "/", nil)
		r.Header["Idempotency-Key"] = []string{given}
		key, err := idempotencyKey(r)
		if err == nil && (key == "" || len(key) > longestKey || strings.ContainsAny(key, "\" \\\x00\n")) {
			t.Errorf("%q is taken as %q", given, key)
		}
	})
}
