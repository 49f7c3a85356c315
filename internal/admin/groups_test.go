package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fourways-id/fourways/internal/client"
	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// everybody is a door that lets in whoever comes, as an administrator.
type everybody struct{}

func (everybody) Token(context.Context, string) (api.Token, error) {
	return api.Token{ID: "1", Name: "test", Role: console.Admin}, nil
}

func (everybody) NewToken(context.Context, api.NewToken) (api.Token, error) { return api.Token{}, nil }

func (everybody) Audit(context.Context, console.Entry) error { return nil }

// desk is the console over an office, as a program reaches it.
func desk(t *testing.T, b Base) *client.Console {
	t.Helper()
	h := console.New(console.Ports{Access: everybody{}, Tenant: console.TenantPorts{Groups: &Groups{b}, Contacts: &Contacts{b}}}, b.Clock)
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c, err := client.New(s.URL, "token")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func refusal(err error) api.Problem {
	var p api.Problem
	_ = errors.As(err, &p)
	return p
}

func mustGroup(t *testing.T, c *client.Console, name string) directory.Group {
	t.Helper()
	g, err := c.CreateGroup(t.Context(), api.NewGroup{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestOfTwoWhoChangeOneGroupTheSecondIsToldAndNothingIsLost(t *testing.T) {
	c := desk(t, office(t))
	g := mustGroup(t, c, "Dockers")
	read, err := c.Group(t.Context(), "Dockers")
	if err != nil || read.Tag == "" {
		t.Fatal(read, err)
	}
	first, second := "of the first", "of the second"
	if _, err := c.AddMembers(t.Context(), g.ID, api.MemberChange{Users: []string{"ann@cloud.example"}}); err != nil {
		t.Fatal(err) // members don't make another version of it
	}
	if _, err := c.ChangeGroup(t.Context(), g.ID, read.Tag, api.GroupChange{Description: &first}); err != nil {
		t.Fatal(err)
	}
	_, err = c.ChangeGroup(t.Context(), g.ID, read.Tag, api.GroupChange{Description: &second})
	if p := refusal(err); p.Status != http.StatusConflict || p.Type != console.ChangedType {
		t.Errorf("the second: %v", err)
	}
	now, err := c.Group(t.Context(), g.ID)
	if err != nil || now.Object.Description != first || now.Object.GroupUses.Members != 1 {
		t.Errorf("%+v %v", now.Object, err)
	}
	if _, err := c.ChangeGroup(t.Context(), g.ID, now.Tag, api.GroupChange{Description: &second}); err != nil {
		t.Errorf("once it was read again: %v", err)
	}
}

// However many nest at once, no cycle comes of it: of two nestings that would close one, one is refused.
func TestNestingsAtOnceMakeNoCycle(t *testing.T) {
	b := office(t)
	c := desk(t, b)
	const ring = 6
	for i := range ring {
		mustGroup(t, c, fmt.Sprint("g", i))
	}
	var all sync.WaitGroup
	var refused [ring]error
	for i := range ring {
		all.Go(func() {
			_, refused[i] = c.AddMembers(t.Context(), fmt.Sprint("g", i), api.MemberChange{Groups: []string{fmt.Sprint("g", (i+1)%ring)}})
		})
	}
	all.Wait()
	n := 0
	for _, err := range refused {
		if err == nil {
			continue
		}
		if n++; refusal(err).Status != http.StatusConflict || !strings.Contains(err.Error(), " -> ") {
			t.Error(err)
		}
	}
	if n != 1 {
		t.Errorf("of %d nestings in a ring %d were refused, want 1", ring, n)
	}
}

func TestWhoAddMembersAtOnceLoseNone(t *testing.T) {
	b := office(t)
	c := desk(t, b)
	g := mustGroup(t, c, "Dockers")
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			k, err := c.CreateContact(t.Context(), api.NewContact{Mail: fmt.Sprintf("k%d@tug.example", i)})
			if err == nil {
				_, err = c.AddMembers(t.Context(), g.ID, api.MemberChange{Contacts: []string{k.ID}})
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	var found []string
	for q := (directory.MemberQuery{Limit: 7}); ; {
		page, err := c.Members(t.Context(), "Dockers", q)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Items {
			found = append(found, m.Mail)
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	slices.Sort(found)
	if len(slices.Compact(found)) != 20 {
		t.Errorf("found %v", found)
	}
}

func TestWhatIsSynchronisedIsChangedOnPremises(t *testing.T) {
	b := office(t)
	c := desk(t, b)
	ctx := t.Context()
	if err := b.Store.ApplySync(ctx, directory.Changes{Put: directory.Objects{
		Groups:   []directory.Group{{ID: "s", Name: "Synced", Synced: true, Onprem: directory.Onprem{Anchor: "a"}}},
		Contacts: []directory.Contact{{ID: "k", Name: "Kate", Mail: "kate@tug.example", Synced: true, Onprem: directory.Onprem{Anchor: "b"}}},
	}}); err != nil {
		t.Fatal(err)
	}
	mustGroup(t, c, "Cloud")
	name, ann := "x", api.MemberChange{Users: []string{"ann@cloud.example"}}
	for what, do := range map[string]func() error{
		"Set-ADGroup":          func() error { _, err := c.ChangeGroup(ctx, "Synced", "", api.GroupChange{Name: &name}); return err },
		"Remove-ADGroup;":      func() error { return c.DeleteGroup(ctx, "Synced", true) },
		"Add-ADGroupMember":    func() error { _, err := c.AddMembers(ctx, "Synced", ann); return err },
		"Remove-ADGroupMember": func() error { _, err := c.RemoveMembers(ctx, "Synced", ann); return err },
		"Set-ADObject":         func() error { _, err := c.ChangeContact(ctx, "Kate", "", api.ContactChange{Name: &name}); return err },
		"Remove-ADObject":      func() error { return c.DeleteContact(ctx, "Kate") },
	} {
		err := do()
		if p := refusal(err); p.Type != console.MasteredType || !strings.Contains(p.Detail, what) || !strings.Contains(p.Detail, "Active Directory Users and Computers") {
			t.Errorf("%s: %v", what, err)
		}
	}
	// The control: a group of the cloud takes all of them.
	ann.Groups, ann.Contacts = []string{"Synced"}, []string{"kate@tug.example"}
	if done, err := c.AddMembers(ctx, "Cloud", ann); err != nil || done.Changed != 3 {
		t.Errorf("%+v %v", done, err)
	}
}

func TestANameOfSeveralGroupsIsAskedForByID(t *testing.T) {
	c := desk(t, office(t))
	one, two := mustGroup(t, c, "Staff"), mustGroup(t, c, "Staff")
	_, err := c.Group(t.Context(), "Staff")
	if p := refusal(err); p.Status != http.StatusConflict || !strings.Contains(p.Detail, one.ID) || !strings.Contains(p.Detail, two.ID) {
		t.Errorf("%v does not name %s and %s", err, one.ID, two.ID)
	}
	if g, err := c.Group(t.Context(), two.ID); err != nil || g.Object.ID != two.ID {
		t.Errorf("by its id: %+v %v", g, err)
	}
	if _, err := c.Group(t.Context(), "Nobody/.."); refusal(err).Status != http.StatusNotFound {
		t.Errorf("a group that isn't there: %v", err)
	}
}

func TestRequestsAboutGroupsThatMakeNoSense(t *testing.T) {
	c := desk(t, office(t))
	mustGroup(t, c, "Staff")
	long, control, blank := strings.Repeat("ü", directory.LongestName+1), "a\nb", " "
	for what, do := range map[string]func() error{
		"a name too long":     func() error { _, err := c.CreateGroup(t.Context(), api.NewGroup{Name: long}); return err },
		"a name of two lines": func() error { _, err := c.CreateGroup(t.Context(), api.NewGroup{Name: control}); return err },
		"no name":             func() error { _, err := c.CreateGroup(t.Context(), api.NewGroup{}); return err },
		"a blank name": func() error {
			_, err := c.ChangeGroup(t.Context(), "Staff", "", api.GroupChange{Name: &blank})
			return err
		},
		"nobody to add": func() error { _, err := c.AddMembers(t.Context(), "Staff", api.MemberChange{}); return err },
		"too many at once": func() error {
			_, err := c.AddMembers(t.Context(), "Staff", api.MemberChange{Users: make([]string, mostAtOnce+1)})
			return err
		},
		"no address": func() error { _, err := c.CreateContact(t.Context(), api.NewContact{Name: "x"}); return err },
		"no kind": func() error {
			_, err := c.Members(t.Context(), "Staff", directory.MemberQuery{Kind: "robot"})
			return err
		},
	} {
		if err := do(); refusal(err).Status != http.StatusBadRequest {
			t.Errorf("%s: %v, want a bad request", what, err)
		}
	}
	if _, err := c.CreateGroup(t.Context(), api.NewGroup{Name: long[len("ü"):]}); err != nil {
		t.Errorf("the control, a name just short enough: %v", err)
	}
}
