package console

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// status is what a call answers to a token; 0 when it got past the roles, to ports that are not there.
func status(o operation, token string) (code int) {
	defer func() {
		if recover() != nil {
			code = 0
		}
	}()
	path := o.path
	for _, name := range o.wildcards() {
		path = strings.ReplaceAll(path, "{"+name+"}", "it")
	}
	r := httptest.NewRequest(o.method, base+path, strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	mux := http.NewServeMux()
	mux.Handle(o.pattern(), o)
	mux.ServeHTTP(w, r)
	return w.Code
}

func TestEveryCallAsksForItsRole(t *testing.T) {
	log := &book{}
	c := &console{Ports: Ports{Access: log}, clock: noon{}}
	for _, o := range c.operations() {
		for _, token := range append([]string{"", "stranger"}, Roles()...) {
			log.entries = nil
			got := status(o, token)
			at := slices.Index(Roles(), token)
			switch {
			case at < 0 && got != http.StatusUnauthorized:
				t.Errorf("%s with the token %q: %d", o.pattern(), token, got)
			case at >= 0 && at < slices.Index(Roles(), o.role) && got != http.StatusForbidden:
				t.Errorf("%s as %s: %d, though it needs %s", o.pattern(), token, got, o.role)
			case at >= slices.Index(Roles(), o.role) && (got == http.StatusUnauthorized || got == http.StatusForbidden):
				t.Errorf("control: %s as %s: %d", o.pattern(), token, got)
			}
			if refused := got == http.StatusForbidden && o.action != ""; refused != (len(log.entries) == 1 && strings.Contains(log.entries[0].Result, "needs the role")) {
				t.Errorf("%s as %q: refused %v, written down %+v", o.pattern(), token, refused, log.entries)
			}
		}
	}
}

func TestTheAuditLogIsNotFilledOrDisguisedByWhatIsAskedFor(t *testing.T) {
	for _, sent := range []string{strings.Repeat("x", 60_000), "a\r\nb\x1b[2J", "\xff\u202e"} {
		got := oneLine(sent, 300)
		if utf8.RuneCountInString(got) > 301 || strings.ContainsAny(got, "\r\n\x1b\u202e") || !utf8.ValidString(got) {
			t.Errorf("%q is kept as %q", sent, got)
		}
	}
	if got := oneLine("Änn Ash", 300); got != "Änn Ash" {
		t.Errorf("control: %q", got)
	}
}
