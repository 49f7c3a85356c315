package endtoend_test

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/lab/world"
)

// appearance is all of an answer that could tell a stranger something, but for how the attempt is called.
type appearance struct {
	status  int
	headers string
	cookies string
	code    string
	body    string
}

func appears(a answer) appearance {
	var cookies []string
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		c.Expires = c.Expires.Truncate(1<<62 - 1) // whether there is one, not which
		cookies = append(cookies, c.String())
	}
	slices.Sort(cookies)
	return appearance{
		status: a.Status, headers: join(slices.Sorted(maps.Keys(a.Header))), cookies: join(cookies), code: a.Header.Get("Fourways-Error-Code"),
		body: a.anonymous(),
	}
}

func join(all []string) string {
	text := ""
	for _, s := range all {
		text += s + "\n"
	}
	return text
}

func TestNoAnswerTellsWhoExistsOnAnyManagedPath(t *testing.T) {
	h := openHouse(t, nil)
	h.populate()
	for domain, path := range managedDomains() {
		t.Run(string(path), func(t *testing.T) {
			h.door.t = t
			h.allowed(h.signIn("alice@"+domain, world.Password), "alice@"+domain, path)

			wrong := h.signIn("alice@"+domain, "not-her-password")
			h.refused(wrong, http.StatusUnauthorized, authn.BadPassword)
			unknown := h.signIn("nobody-of-that-name@"+domain, world.Password)
			h.refused(unknown, http.StatusUnauthorized, authn.UnknownUser)
			if got, want := appears(unknown), appears(wrong); got != want {
				t.Errorf("the answer about a stranger differs:\n%+v\nfrom that about a wrong password:\n%+v", got, want)
			}
			if got := appears(h.signIn("alice@"+domain, "another-wrong-one")); got != appears(wrong) {
				t.Errorf("two wrong passwords get different answers: %+v", got)
			}
		})
	}
}

// managedDomains are those where the password is typed here.
func managedDomains() map[string]authn.Path {
	return map[string]authn.Path{world.CloudDomain: authn.PathCloud, world.PHSDomain: authn.PathPHS, world.PTADomain: authn.PathPTA}
}

func TestWhatATellingAccountStateIsToldOnlyAfterTheRightPassword(t *testing.T) {
	h := openHouse(t, nil)
	h.populate()
	plain := appears(h.signIn("alice@"+world.PTADomain, "not-her-password"))
	for name, told := range map[string]struct {
		reason   authn.Reason
		password string
	}{
		"bob":   {authn.AccountDisabled, world.Password},
		"dave":  {authn.OnpremPasswordExpired, world.Password},
		"erin":  {authn.AccountExpired, world.Password},
		"frank": {authn.LogonHours, world.Password},
		"grace": {authn.OnpremMustChange, "Welcome-2025!"},
	} {
		t.Run(name, func(t *testing.T) {
			h.door.t = t
			upn := name + "@" + world.PTADomain
			right := h.signIn(upn, told.password)
			h.refused(right, http.StatusUnauthorized, told.reason)
			if right.Error != told.reason.Public() {
				t.Errorf("after the right password %s is told %+v, want %+v", name, right.Error, told.reason.Public())
			}
			if got := appears(h.signIn(upn, "not-the-password")); got != plain {
				t.Errorf("a wrong password tells something about %s: %+v, want %+v", name, got, plain)
			}
		})
	}
}

// moment is a time as a page writes it.
var moment = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`)

func TestNoPageTellsWhoExistsOnAnyManagedPath(t *testing.T) {
	h := openHouse(t, nil)
	h.populate()
	for domain, path := range managedDomains() {
		t.Run(string(path), func(t *testing.T) {
			says := func(upn, password string) string {
				p := newPerson(t, h.url)
				asked := p.types(upn)
				page := p.fill(asked, map[string]string{"password": password})
				if p.session() != "" {
					return "let in"
				}
				id := page.Header.Get("Fourways-Correlation-Id")
				text := strings.NewReplacer(upn, "UPN", id, "ID").Replace(asked.Text() + "\n" + page.Text())
				return fmt.Sprint(asked.Status, page.Status, slices.Sorted(maps.Keys(page.Header)), moment.ReplaceAllString(text, "TIME"))
			}
			if got := says("alice@"+domain, world.Password); got != "let in" {
				t.Fatalf("the right password: %s", got)
			}
			if known, unknown := says("alice@"+domain, "not-her-password"), says("nobody@"+domain, "not-her-password"); known != unknown {
				t.Errorf("the pages differ:\n%s\n%s", known, unknown)
			}
		})
	}
}

func TestTheRealmOfADomainSaysNothingAboutItsPeople(t *testing.T) {
	h := openHouse(t, nil)
	h.populate()
	for _, domain := range []string{world.CloudDomain, world.PHSDomain, world.PTADomain, world.SAMLDomain, world.OIDCDomain} {
		known := h.post("/realm", jsonType, []byte(`{"username":"alice@`+domain+`"}`))
		unknown := h.post("/realm", jsonType, []byte(`{"username":"nobody@`+domain+`"}`))
		if known.Status != http.StatusOK || appears(known) != appears(unknown) || !strings.Contains(string(known.Raw), domain) {
			t.Errorf("%s: %d %s, for a stranger %d %s", domain, known.Status, known.Raw, unknown.Status, unknown.Raw)
		}
	}
}
