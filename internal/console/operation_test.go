package console

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// thing has a version.
type thing struct {
	Name string `json:"name"`
}

func (t thing) Tag() string { return directory.Tag(t) }

// thingHandler serves one thing that can be read and changed.
func thingHandler(log *book) http.Handler {
	c := &console{Ports: Ports{Access: log}, clock: noon{}}
	now := thing{"one"}
	mux := http.NewServeMux()
	for _, o := range []operation{
		look(c, "GET /things/{thing}", Reader, "Read it", func(*http.Request) (thing, error) { return now, nil }),
		act(c, "PATCH /things/{thing}", Operator, "Change thing", "Change it", func(r *http.Request, ask thing, _ api.Token) (did[thing], error) {
			if v := ifMatch(r); v != "" && v != now.Tag() {
				return did[thing]{}, directory.ErrChanged
			}
			now = ask
			return did[thing]{Answer: now}, nil
		}),
		act(c, "DELETE /things/{thing}", Operator, "Mastered thing", "Try", func(*http.Request, none, api.Token) (did[none], error) {
			return did[none]{}, directory.ErrMastered
		}),
	} {
		mux.Handle(o.pattern(), o)
	}
	return mux
}

func askWith(h http.Handler, method, header, value, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/api/v1/things/it", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+Operator)
	if header != "" {
		r.Header.Set(header, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestOfTwoWhoChangeAThingAtOnceTheSecondIsTold(t *testing.T) {
	log := &book{}
	h := thingHandler(log)
	tag := askWith(h, "GET", "", "", "").Header().Get("ETag")
	if tag == "" {
		t.Fatal("a thing with a version has no ETag")
	}
	first := askWith(h, "PATCH", "If-Match", tag, `{"name":"two"}`)
	if first.Code != http.StatusOK || first.Header().Get("ETag") == tag {
		t.Fatalf("%d %s %s", first.Code, first.Header().Get("ETag"), first.Body)
	}
	second := askWith(h, "PATCH", "If-Match", tag, `{"name":"three"}`)
	if second.Code != http.StatusConflict || !strings.Contains(second.Body.String(), ChangedType) {
		t.Errorf("%d %s", second.Code, second.Body)
	}
	if got := askWith(h, "GET", "", "", "").Body.String(); !strings.Contains(got, "two") {
		t.Errorf("the first change is lost: %s", got)
	}
	if last := log.entries[len(log.entries)-1]; last.Target != "it" || last.Action != "Change thing" || !strings.HasPrefix(last.Result, "failure: ") {
		t.Errorf("the refused change is written down as %+v", last)
	}
	if got := askWith(h, "PATCH", "If-Match", "*", `{"name":"four"}`); got.Code != http.StatusOK {
		t.Errorf("whatever version: %d %s", got.Code, got.Body)
	}
}

func TestWhatIsKnownAlreadyIsNotSentAgain(t *testing.T) {
	h := thingHandler(&book{})
	tag := askWith(h, "GET", "", "", "").Header().Get("ETag")
	for value, want := range map[string]int{tag: 304, `"x", W/` + tag: 304, "*": 304, `"x"`: 200, "": 200} {
		got := askWith(h, "GET", "If-None-Match", value, "")
		if got.Code != want || (got.Body.Len() == 0) != (want == 304) {
			t.Errorf("If-None-Match %s: %d with %d bytes, want %d", value, got.Code, got.Body.Len(), want)
		}
	}
}

func TestBodiesAreReadStrictly(t *testing.T) {
	for body, want := range map[string]int{
		`{"name":"x"}`: 200, `{}`: 200, // the controls
		``: 400, `null`: 400, `[]`: 400, `"x"`: 400, `{"name":1}`: 400, `{"nam":"x"}`: 400, `{"name":"x"} {}`: 400, `{"name":"x"`: 400,
		strings.Repeat(`{"name":`, 7000): 400,
	} {
		if got := askWith(thingHandler(&book{}), "PATCH", "", "", body); got.Code != want {
			t.Errorf("%.40s: %d %s", body, got.Code, got.Body)
		}
	}
	if got := askWith(thingHandler(&book{}), "PATCH", "Content-Type", "text/plain", `{"name":"x"}`); got.Code != http.StatusUnsupportedMediaType {
		t.Errorf("another type: %d", got.Code)
	}
	if got := askWith(thingHandler(&book{}), "DELETE", "", "", ``); got.Code != http.StatusConflict || !strings.Contains(got.Body.String(), MasteredType) {
		t.Errorf("what is mastered elsewhere: %d %s", got.Code, got.Body)
	}
}

func TestABodyThatIsTooLongIsRefusedAndWrittenDown(t *testing.T) {
	log := &book{}
	h := New(Ports{Access: log}, noon{})
	got := ask(h, Admin, "POST", "/api/v1/tokens", `{"name":"`+strings.Repeat("x", longest)+`"}`)
	if got.Code != http.StatusRequestEntityTooLarge || len(log.entries) != 1 || log.entries[0].Action != "Create token" {
		t.Errorf("%d %s, %+v", got.Code, got.Body, log.entries)
	}
}

func TestCursorsAndLimits(t *testing.T) {
	page := pageOf([]string{"a", "b"}, 2, func(s string) string { return s })
	if page.Next == "" || page.Next == "b" {
		t.Fatalf("a full page's cursor is %q", page.Next)
	}
	if last := pageOf([]string{"a"}, 2, func(s string) string { return s }); last.Next != "" {
		t.Errorf("the last page goes on after %q", last.Next)
	}
	for _, try := range []struct {
		query, after string
		most         int
		refused      bool
	}{
		{"", "", 100, false},
		{"limit=5&after=" + page.Next, "b", 5, false},
		{"limit=99999", "", longestPage, false},
		{"after=b", "", 0, true},
		{"after=%00%ff", "", 0, true},
		{"after=YQ", "", 0, true},
		{"limit=0", "", 0, true},
		{"limit=-1", "", 0, true},
		{"limit=ten", "", 0, true},
		{"limit=99999999999999999999", "", 0, true},
	} {
		after, most, err := pageAsked(httptest.NewRequest("GET", "/?"+try.query, nil))
		if (err != nil) != try.refused || after != try.after || !try.refused && most != try.most {
			t.Errorf("%s: %q %d %v", try.query, after, most, err)
		}
	}
}

func FuzzCursor(f *testing.F) {
	f.Add(pageOf([]string{"a"}, 1, func(s string) string { return s }).Next)
	f.Add("x")
	f.Fuzz(func(t *testing.T, given string) {
		r := httptest.NewRequest("GET", "/", nil)
		q := r.URL.Query()
		q.Set("after", given)
		r.URL.RawQuery = q.Encode()
		after, _, err := pageAsked(r)
		if err == nil && given != "" && pageOf([]string{after}, 1, func(s string) string { return s }).Next == "" {
			t.Errorf("%q names %q, which has no cursor", given, after)
		}
	})
}

func TestAnEmptyVersionOverwritesNothing(t *testing.T) {
	h := thingHandler(&book{})
	for _, empty := range []string{`""`, `W/""`, `"`, " "} {
		if w := askWith(h, "PATCH", "If-Match", empty, `{"name":"two"}`); w.Code != http.StatusConflict {
			t.Errorf("If-Match: %s: %d %s", empty, w.Code, w.Body)
		}
	}
	if w := askWith(h, "PATCH", "If-Match", "*", `{"name":"two"}`); w.Code != http.StatusOK {
		t.Errorf("control: any version: %d %s", w.Code, w.Body)
	}
}
