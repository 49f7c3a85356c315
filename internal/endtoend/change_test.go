package endtoend_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/client/browser"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/lab/world"
)

const (
	temporary = "Handed-Over-4711"
	chosen    = "Kestrel+Quince*81"
)

// hire makes an account whose password is good only for changing it.
func (h *house) hire(name string) (upn string) {
	h.t.Helper()
	ctx, o := h.t.Context(), h.gateway.Operator()
	upn = name + "@" + world.CloudDomain
	u, err := h.console.CreateUser(ctx, api.NewUser{UPN: upn, DisplayName: "Dana " + name, Password: temporary})
	if err != nil {
		h.t.Fatal(err)
	}
	stored, err := o.Store.UserByID(ctx, u.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	stored.MustChange = true
	if _, _, err := o.Store.ChangeUser(ctx, stored.ID, func(now *directory.User) error { *now = stored; return nil }); err != nil {
		h.t.Fatal(err)
	}
	return upn
}

// asked is what somebody is told who must change the password, or whose new one was not taken.
type asked struct {
	Kind, Name, Message string
	Code                int
}

// change posts both passwords as a program does.
func (h *house) change(user, old, fresh string) (answer, asked) {
	h.t.Helper()
	ask := map[string]string{"username": user, "password": old}
	if fresh != "" {
		ask["newPassword"] = fresh
	}
	body, err := json.Marshal(ask)
	if err != nil {
		h.t.Fatal(err)
	}
	a := h.post("/signin", "application/json", body)
	var c struct{ Challenge asked }
	if err := json.Unmarshal(a.Raw, &c); err != nil {
		h.t.Fatal(err)
	}
	return a, c.Challenge
}

func (h *house) wants(a answer, c asked, name, part string) {
	h.t.Helper()
	if a.Status != http.StatusOK || a.Verdict != authn.Challenged || c.Kind != "change_password" || c.Name != name || !strings.Contains(c.Message, part) {
		h.t.Errorf("want a challenge %s that says %q, got %d %s", name, part, a.Status, a.Raw)
	}
	if slices.ContainsFunc((&http.Response{Header: a.Header}).Cookies(), func(k *http.Cookie) bool { return strings.HasSuffix(k.Name, "fourways_session") && k.Value != "" }) {
		h.t.Error("there is a session before the change")
	}
}

func TestATemporaryPasswordIsChangedAtTheDoor(t *testing.T) {
	h := openHouse(t, nil)
	dana := h.hire("rosalind")
	a, c := h.change(dana, temporary, "")
	h.wants(a, c, "cloud_must_change", "must be changed")
	for range 3 { // four times four are more than the threshold: none of it is a guess
		for fresh, why := range map[string]string{
			"Short-1": "too short", "P@ssw0rd1": "too easy", "Rosalind-8152": "contains your name", temporary: "same as the one before",
		} {
			a, c := h.change(dana, temporary, fresh)
			h.wants(a, c, "cloud_must_change", why)
		}
	}
	h.refused(h.signIn(dana, chosen), http.StatusUnauthorized, authn.BadPassword)

	p := newPerson(t, h.url)
	page := p.fill(p.types(dana), map[string]string{"password": temporary})
	if !strings.Contains(page.Alert(), "must be changed") || p.session() != "" {
		t.Fatalf("at the door: %s", page.Text())
	}
	page = p.fill(page, map[string]string{"password": temporary, "newPassword": chosen, "newPasswordAgain": chosen})
	if p.session() != dana {
		t.Fatalf("after the change: %s", page.Text())
	}
	h.allowed(h.signIn(dana, chosen), dana, authn.PathCloud)
	h.refused(h.signIn(dana, temporary), http.StatusUnauthorized, authn.BadPassword)
	h.tracesTheChange(dana)
}

// tracesTheChange looks at the trace of the attempt that asked first and changed then.
func (h *house) tracesTheChange(who string) {
	h.t.Helper()
	rows, err := h.console.SignIns(h.t.Context(), 200)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, row := range rows {
		tr, err := h.console.Trace(h.t.Context(), authn.AttemptID(row.ID))
		if err != nil {
			h.t.Fatal(err)
		}
		var all []string
		for _, r := range tr.Records {
			for _, s := range r.Steps {
				all = append(all, fmt.Sprintf("%s:%s", s.ID, s.Result))
			}
		}
		const want = "K1:ok K2:ok K3:ok C10:ok C7:refused C3:ok K1:ok K2:ok K3:ok K3:ok C10:ok C7:ok"
		if strings.Contains(strings.Join(all, " "), want) {
			return
		}
	}
	h.t.Errorf("no trace of %s shows both steps of the change", who)
}

func TestAChangedPasswordEndsTheOtherSessions(t *testing.T) {
	h := openHouse(t, nil)
	upn := "otto@" + world.CloudDomain
	if _, err := h.console.CreateUser(t.Context(), api.NewUser{UPN: upn, Password: temporary}); err != nil {
		t.Fatal(err)
	}
	thief, owner := newPerson(t, h.url), newPerson(t, h.url)
	thief.fill(thief.types(upn), map[string]string{"password": temporary})
	if thief.session() != upn {
		t.Fatal("control: there is no other session")
	}
	page, err := owner.Get(t.Context(), h.url+"/signin/change")
	if err != nil {
		t.Fatal(err)
	}
	page = owner.fill(page, map[string]string{"username": upn, "password": temporary, "newPassword": chosen, "newPasswordAgain": chosen})
	if owner.session() != upn || thief.session() != "" {
		t.Errorf("owner %q, thief %q: %s", owner.session(), thief.session(), page.Text())
	}
}

func TestAnExpiredPasswordIsRenewedAtTheDoor(t *testing.T) {
	h := openHouse(t, func(c *config.Config) {
		for i := range c.Domain {
			if c.Domain[i].Name == world.CloudDomain {
				c.Domain[i].PasswordExpiry = config.Duration(24 * time.Hour)
			}
		}
	})
	o := h.gateway.Operator()
	u, err := h.console.CreateUser(t.Context(), api.NewUser{UPN: "vera@" + world.CloudDomain, Password: temporary})
	if err != nil {
		t.Fatal(err)
	}
	h.allowed(h.signIn(u.UPN, temporary), u.UPN, authn.PathCloud)
	record, err := o.HashPassword(authn.NewSecret([]byte(temporary)))
	if err != nil {
		t.Fatal(err)
	}
	yesterday := time.Now().Add(-25 * time.Hour)
	if err := o.Store.SetCredentials(t.Context(), []directory.Credential{{Account: u.ID, Scheme: directory.SchemeCloud, Record: record, Source: "cloud", Changed: yesterday}}); err != nil {
		t.Fatal(err)
	}
	a, c := h.change(u.UPN, temporary, "")
	h.wants(a, c, "cloud_password_expired", "has expired")
	h.refused(h.signIn(u.UPN, "wrong"), http.StatusUnauthorized, authn.BadPassword)
	a, _ = h.change(u.UPN, temporary, chosen)
	h.allowed(a, u.UPN, authn.PathCloud)
	h.allowed(h.signIn(u.UPN, chosen), u.UPN, authn.PathCloud)
}

func TestOfManyChangesAtOnceOneIsMade(t *testing.T) {
	h := openHouse(t, nil)
	dana := h.hire("rosalind")
	var mu sync.Mutex
	var won []string
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			fresh := fmt.Sprintf("%s%d", chosen, i)
			did, err := browser.SignIn(t.Context(), browser.SignInOptions{
				Door: h.url, UPN: dana, Password: authn.NewSecret([]byte(temporary)), New: authn.NewSecret([]byte(fresh)),
			})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			} else if did.Verdict == authn.Allowed {
				won = append(won, fresh)
			}
		})
	}
	all.Wait()
	if len(won) != 1 {
		t.Fatalf("%d changes were made", len(won))
	}
	h.allowed(h.signIn(dana, won[0]), dana, authn.PathCloud)
}

func TestANewPasswordIsFoundNowhere(t *testing.T) {
	const refused, taken = "Zq9-rosalind-canary-Zq9", "Zq9-canary-taken-Zq9-Zq9"
	h := openHouse(t, nil)
	dana, said := h.hire("rosalind"), map[string][]byte{}
	a, c := h.change(dana, temporary, refused)
	h.wants(a, c, "cloud_must_change", "your name")
	p := newPerson(t, h.url)
	page := p.fill(p.types(dana), map[string]string{"password": temporary})
	page = p.fill(page, map[string]string{"password": temporary, "newPassword": refused, "newPasswordAgain": refused})
	said["the page of a refused one"] = slices.Clone(page.Body)
	b, _ := h.change(dana, temporary, taken)
	h.allowed(b, dana, authn.PathCloud)
	for _, a := range []answer{a, b} {
		said["an answer"] = fmt.Appendf(said["an answer"], "%v %s\n", a.Header, a.Raw)
		tr, err := h.console.Trace(t.Context(), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		said["a trace"] = fmt.Appendf(said["a trace"], "%+v", tr)
	}
	said["the log"] = h.log.bytes()
	readFolder(t, h.dir, said)
	for where, text := range said {
		for _, secret := range []string{refused, taken} {
			if forms := authntest.Leaks(text, secret); len(forms) > 0 {
				t.Errorf("%s shows %s: %v", where, secret, forms)
			}
		}
	}
	if len(said) < 6 || len(authntest.Leaks(append(slices.Clone(said["the log"]), taken...), taken)) == 0 {
		t.Errorf("control: %d places were searched", len(said))
	}
}

func TestAChangeTellsNobodyWhoExists(t *testing.T) {
	h := openHouse(t, nil)
	dana := h.hire("rosalind")
	wrong, _ := h.change(dana, "not-her-password", chosen)
	unknown, _ := h.change("nobody-of-that-name@"+world.CloudDomain, temporary, chosen)
	h.refused(wrong, http.StatusUnauthorized, authn.BadPassword)
	h.refused(unknown, http.StatusUnauthorized, authn.UnknownUser)
	if got, want := appears(unknown), appears(wrong); got != want {
		t.Errorf("the answer about a stranger differs:\n%+v\nfrom that about a wrong password:\n%+v", got, want)
	}
	weak, _ := h.change("nobody-of-that-name@"+world.CloudDomain, temporary, "weak")
	if appears(weak) != appears(wrong) {
		t.Errorf("a stranger learns that the new password is weak: %+v", appears(weak))
	}
}
