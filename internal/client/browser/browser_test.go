package browser_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/client/browser"
)

func serve(t *testing.T, routes map[string]http.HandlerFunc) string {
	t.Helper()
	mux := http.NewServeMux()
	for pattern, h := range routes {
		mux.HandleFunc(pattern, h)
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func page(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(body))
	}
}

func TestAlertIsWhatThePageWarnsOf(t *testing.T) {
	base := serve(t, map[string]http.HandlerFunc{
		"GET /wrong": page(`<h1>Door</h1><p class=x role="alert">The <b>password</b>
			is wrong.</p>`), "GET /calm": page(`<h1>Door</h1>`),
	})
	for path, want := range map[string]string{"/wrong": "The password is wrong.", "/calm": ""} {
		p, err := browser.New(nil).Get(t.Context(), base+path)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Alert(); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestFormIsFilledInAndItsHiddenFieldsGoAlong(t *testing.T) {
	var got map[string][]string
	base := serve(t, map[string]http.HandlerFunc{
		"GET /door/{$}": page(`<title> The  door </title><form method=post action="../in?x=1"><input name=token type=hidden value="a&amp;b"><input name=user><input type=checkbox name=keep value=yes>
			<input type=checkbox name=old checked value=1><input type=submit name=go value=Go><input name=off disabled value=x><textarea name=note>n</textarea></form>`),
		"POST /in": func(w http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm()
			got = r.PostForm
			http.SetCookie(w, &http.Cookie{Name: "s", Value: "1", Path: "/"})
			http.Redirect(w, r, "/home", http.StatusSeeOther)
		},
		"GET /home": func(w http.ResponseWriter, r *http.Request) {
			if _, err := r.Cookie("s"); err != nil {
				w.WriteHeader(http.StatusUnauthorized)
			}
			page(`<p>Hello</p><style>p{}</style><p>  you </p>`)(w, r)
		},
	})
	p, err := browser.New(nil).Get(t.Context(), base+"/door/")
	if err != nil {
		t.Fatal(err)
	}
	if p.Title != "The  door" || len(p.Forms) != 1 || p.Forms[0].Method != "POST" {
		t.Fatalf("page %+v", p)
	}
	p, err = p.Submit(t.Context(), map[string]string{"user": "alice"})
	if err != nil {
		t.Fatal(err)
	}
	if p.URL.Path != "/home" || p.Status != 200 || p.Text() != "Hello you" {
		t.Errorf("landed at %s %d %q", p.URL, p.Status, p.Text())
	}
	want := map[string]string{"token": "a&b", "user": "alice", "old": "1", "note": "n"}
	if len(got) != len(want) {
		t.Errorf("sent %v", got)
	}
	for k, v := range want {
		if len(got[k]) != 1 || got[k][0] != v {
			t.Errorf("%s: %v", k, got[k])
		}
	}
}

func TestSubmitSaysWhenThePageIsAnother(t *testing.T) {
	base := serve(t, map[string]http.HandlerFunc{
		"GET /none": page(`<p>no form</p>`),
		"GET /form": page(`<form action=/q><input name=q></form>`),
		"GET /q":    func(w http.ResponseWriter, r *http.Request) { page(r.URL.Query().Get("q"))(w, r) },
	})
	b := browser.New(nil)
	p, err := b.Get(t.Context(), base+"/none")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Submit(t.Context(), nil); !errors.Is(err, browser.ErrNoForm) {
		t.Errorf("no form: %v", err)
	}
	if p, err = b.Get(t.Context(), base+"/form"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Submit(t.Context(), map[string]string{"password": "canary"}); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("no such field: %v", err)
	}
	if p, err = p.Submit(t.Context(), map[string]string{"q": "found it"}); err != nil || p.Text() != "found it" {
		t.Errorf("GET form: %v %v", p, err)
	}
}

func TestRedirectsAreBoundedAndErrorsHideTheQuery(t *testing.T) {
	base := serve(t, map[string]http.HandlerFunc{
		"GET /loop": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/loop?token=canary", http.StatusFound)
		},
	})
	_, err := browser.New(nil).Get(t.Context(), base+"/loop?token=canary")
	if err == nil || !strings.Contains(err.Error(), "redirects") || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
}

func TestJSONGoesWithTheCookies(t *testing.T) {
	base := serve(t, map[string]http.HandlerFunc{
		"POST /in": func(w http.ResponseWriter, r *http.Request) {
			var in struct{ User string }
			_ = json.NewDecoder(r.Body).Decode(&in)
			http.SetCookie(w, &http.Cookie{Name: "who", Value: in.User, Path: "/"})
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"ok":true}`))
		},
		"GET /who": func(w http.ResponseWriter, r *http.Request) {
			c, err := r.Cookie("who")
			if err != nil {
				_, _ = w.Write([]byte(`nobody`))
				return
			}
			_ = json.NewEncoder(w).Encode(map[string]string{"who": c.Value})
		},
	})
	b := browser.New(nil)
	if _, err := b.GetJSON(t.Context(), base+"/who", &struct{}{}); err == nil {
		t.Error("no JSON was read as JSON")
	}
	var ok struct{ OK bool }
	if status, err := b.PostJSON(t.Context(), base+"/in", map[string]string{"User": "alice"}, &ok); err != nil || status != 401 || !ok.OK {
		t.Errorf("%d %v %v", status, ok, err)
	}
	var who struct{ Who string }
	if status, err := b.GetJSON(t.Context(), base+"/who", &who); err != nil || status != 200 || who.Who != "alice" {
		t.Errorf("%d %v %v", status, who, err)
	}
	if p, err := browser.New(nil).Get(t.Context(), base+"/who"); err != nil || p.Text() != "nobody" {
		t.Errorf("another browser has the cookie: %v %v", p, err)
	}
}
