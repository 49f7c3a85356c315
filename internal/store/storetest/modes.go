package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/store"
)

// swap sets a domain's swap; nil drops it.
func swap(t *testing.T, db *store.DB, domain string, o *directory.Override) {
	t.Helper()
	_, err := db.ChangeMode(t.Context(), domain, func(*directory.Override, []directory.ModeChange) (*directory.Change, error) {
		return &directory.Change{Override: o, Entry: directory.ModeChange{Kind: directory.ModeSet}}, nil
	})
	must(t, err)
}

// testModes: a swap and its line in the history are one write, and what the rule refuses leaves neither.
func testModes(t *testing.T, b *bench) {
	ctx := t.Context()
	for i, path := range []authn.Path{authn.PathPHS, authn.PathPTA, authn.PathCloud} {
		swap(t, b.DB, "one.test", &directory.Override{Domain: "one.test", Path: path})
		swap(t, b.DB, "two.test", &directory.Override{Domain: "two.test", Path: path})
		made, err := b.ModeChanges(ctx, "", 0, 1)
		must(t, err)
		equal(t, "newest id", made[0].ID, int64(2*i+2))
	}
	refused := errors.New("refused")
	_, err := b.ChangeMode(ctx, "one.test", func(now *directory.Override, last []directory.ModeChange) (*directory.Change, error) {
		equal(t, "in force", now.Path, authn.PathCloud)
		equal(t, "changes of the domain", len(last), 3)
		equal(t, "the newest first", last[0].ID, 5)
		return &directory.Change{}, refused
	})
	wantErr(t, "refused", err, refused)
	_, err = b.ChangeMode(ctx, "one.test", func(*directory.Override, []directory.ModeChange) (*directory.Change, error) { return nil, nil })
	must(t, err)
	o, err := b.Override(ctx, "one.test")
	must(t, err)
	equal(t, "path", o.Path, authn.PathCloud)

	for want, query := range map[int]struct {
		domain string
		before int64
		most   int
	}{6: {"", 0, 0}, 3: {"one.test", 0, 0}, 2: {"one.test", 5, 0}, 4: {"", 5, 0}, 1: {"two.test", 6, 1}, 0: {"three.test", 0, 0}} {
		all, err := b.ModeChanges(ctx, query.domain, query.before, query.most)
		must(t, err)
		if len(all) != want {
			t.Errorf("%+v: %d changes, want %d", query, len(all), want)
		}
	}
}

// testModeCensus: people of one domain are counted by what paths need of them.
func testModeCensus(t *testing.T, b *bench) {
	ctx := t.Context()
	kim := user("kim", "kim@one.test")
	kim.Onprem.Anchor = "by hand"
	b.create(t, user("ann", "ann@one.test"), synced("bob", "bob@one.test"), kim, user("zoe", "zoe@two.test"))
	must(t, b.SetCredentials(ctx, []directory.Credential{
		{Account: "ann", Scheme: directory.SchemeCloud, Record: []byte("x")},
		{Account: "bob", Scheme: directory.SchemePHS, Record: []byte("x")},
		{Account: "bob", Scheme: directory.SchemeCloud, Record: []byte("x")},
		{Account: "zoe", Scheme: directory.SchemePHS, Record: []byte("x")},
	}))
	c, err := b.ModeCensus(ctx, "one.test")
	must(t, err)
	equal(t, "census", c, directory.ModeCensus{Users: 3, NoHash: 2, NoPassword: 1, NoAnchor: 1, NotSynced: 2})
	none, err := b.ModeCensus(ctx, "three.test")
	must(t, err)
	equal(t, "nobody", none, directory.ModeCensus{})
}

// testDomains: what is kept of a domain is changed in one write, and kept no longer than there is something.
func testDomains(t *testing.T, b *bench) {
	ctx, on := t.Context(), true
	set := func(change func(k *directory.KeptDomain)) directory.KeptDomain {
		t.Helper()
		_, after, err := b.ChangeDomain(ctx, "one.test", func(k *directory.KeptDomain, _ *directory.Override) error {
			change(k)
			return nil
		})
		must(t, err)
		return after
	}
	set(func(k *directory.KeptDomain) { k.PHS = &on })
	swap(t, b.DB, "one.test", &directory.Override{Domain: "one.test", Path: authn.PathPTA})
	_, _, err := b.ChangeDomain(ctx, "one.test", func(k *directory.KeptDomain, o *directory.Override) error {
		if k.PHS == nil || !*k.PHS || o == nil || o.Path != authn.PathPTA {
			t.Errorf("the rule sees %+v and %+v", k, o)
		}
		k.PHS = nil
		return directory.ErrChanged
	})
	wantErr(t, "refused", err, directory.ErrChanged)
	got, err := b.KeptDomain(ctx, "one.test")
	must(t, err)
	equal(t, "the switch stays", *got.PHS, true)
	equal(t, "nothing left", set(func(k *directory.KeptDomain) { k.PHS, k.By = nil, "somebody" }), directory.KeptDomain{Name: "one.test"})
	_, err = b.KeptDomain(ctx, "one.test")
	wantErr(t, "what is given back", err, directory.ErrNotFound)

	set(func(k *directory.KeptDomain) { k.Added, k.Token = began(), "t" })
	all, err := b.Domains(ctx)
	must(t, err)
	equal(t, "domains", len(all), 1)
	b.create(t, user("ann", "ann@one.test"), user("bob", "bob@one.test"))
	_, err = b.RemoveUser(ctx, "bob", func(directory.User) error { return nil })
	must(t, err)
	err = b.RemoveDomain(ctx, "one.test", func(_ directory.KeptDomain, accounts, deleted int) error {
		equal(t, "accounts", accounts, 1)
		equal(t, "deleted accounts", deleted, 1)
		return directory.ErrChanged
	})
	wantErr(t, "refused", err, directory.ErrChanged)
	allow := func(directory.KeptDomain, int, int) error { return nil }
	must(t, b.RemoveDomain(ctx, "one.test", allow))
	wantErr(t, "remove again", b.RemoveDomain(ctx, "one.test", allow), directory.ErrNotFound)
	_, err = b.Override(ctx, "one.test")
	wantErr(t, "its swap", err, directory.ErrNotFound)
	history, err := b.ModeChanges(ctx, "one.test", 0, 0)
	must(t, err)
	equal(t, "its history", len(history), 0)
}

// testRollouts: a group is put into a roll-out by a rule that sees what it contains.
func testRollouts(t *testing.T, b *bench) {
	ctx := t.Context()
	b.create(t, synced("ann", "ann@one.test"), synced("bob", "bob@one.test"))
	must(t, b.CreateGroup(ctx, directory.Group{ID: "inner", Name: "Inner"}))
	must(t, b.PutGroup(ctx, directory.Group{ID: "g", Name: "Pilot", Members: []authn.AccountID{"ann", "bob"}}))
	_, err := b.AddMembers(ctx, "g", []directory.MemberRef{{Kind: directory.GroupMember, ID: "inner"}}, func(directory.Group) error { return nil })
	must(t, err)
	add := func(group string, path authn.Path, allow func(directory.RolloutFacts) error) error {
		_, err := b.AddRollout(ctx, directory.Rollout{Group: group, Path: path, By: "root", At: began()}, allow)
		return err
	}
	fine := func(directory.RolloutFacts) error { return nil }
	wantErr(t, "no such group", add("nobody", authn.PathPHS, fine), directory.ErrNotFound)
	must(t, add("inner", authn.PathPTA, fine))
	wantErr(t, "refused", add("g", authn.PathPHS, func(f directory.RolloutFacts) error {
		if f.Accounts != 2 || f.Nested != 1 || f.Contacts != 0 || f.Others[authn.PathPTA] != 1 || f.Before != nil || f.Group.Name != "Pilot" {
			t.Errorf("%+v", f)
		}
		return directory.ErrConflict
	}), directory.ErrConflict)
	must(t, add("g", authn.PathPHS, fine))
	must(t, add("g", authn.PathPTA, func(f directory.RolloutFacts) error {
		equal(t, "before", f.Before.Path, authn.PathPHS)
		return nil
	}))
	all, err := b.Rollouts(ctx)
	must(t, err)
	if len(all) != 2 || all[0].Name != "Inner" || all[1].Name != "Pilot" || all[1].Path != authn.PathPTA || all[1].Members != 2 || all[1].Note == "" || all[0].Note != "" {
		t.Errorf("%+v", all)
	}
	accounts, others, err := b.RolloutSize(ctx, "g")
	must(t, err)
	equal(t, "who counts, and what does not", fmt.Sprint(accounts, others), "2 1")
	b.create(t, user("kim", "kim@one.test"), synced("zoe", "zoe@two.test"), synced("out", "out@one.test"))
	must(t, b.PutGroup(ctx, directory.Group{ID: "h", Name: "More", Members: []authn.AccountID{"ann", "kim", "zoe"}}))
	for want, groups := range map[int][]string{0: nil, 1: {"h"}, 2: {"g", "h", "inner", "nobody"}} {
		n, err := b.RolledOut(ctx, "one.test", groups)
		must(t, err)
		equal(t, fmt.Sprintf("synchronised people of the domain in %q", groups), n, want)
	}
	gone, err := b.RemoveRollout(ctx, "g")
	must(t, err)
	equal(t, "removed", gone.Path, authn.PathPTA)
	_, err = b.RemoveRollout(ctx, "g")
	wantErr(t, "remove again", err, directory.ErrNotFound)
}

// testStanding: one read tells everything that decides how somebody signs in, and of nobody it tells the domain.
func testStanding(t *testing.T, b *bench) {
	ctx := t.Context()
	b.create(t, synced("ann", "ann@one.test"), synced("bob", "bob@one.test"))
	for id, members := range map[string][]authn.AccountID{"a": {"ann"}, "b": {"ann", "bob"}, "c": {"bob"}, "d": nil} {
		must(t, b.PutGroup(ctx, directory.Group{ID: id, Name: map[string]string{"a": "Alpha", "b": "Both", "c": "Twin", "d": "Twin"}[id], Members: members}))
	}
	for _, g := range []string{"a", "c"} {
		_, err := b.AddRollout(ctx, directory.Rollout{Group: g, Path: authn.PathPHS}, func(directory.RolloutFacts) error { return nil })
		must(t, err)
	}
	swap(t, b.DB, "one.test", &directory.Override{Domain: "one.test", Path: authn.PathFederated})
	_, _, err := b.ChangeDomain(ctx, "one.test", func(k *directory.KeptDomain, _ *directory.Override) error {
		k.Expiry = new(time.Duration)
		return nil
	})
	must(t, err)
	for _, row := range []struct {
		account          authn.AccountID
		file             []string
		rollouts, groups string
	}{
		{"ann", nil, "Alpha", ""},
		{"ann", []string{"b", "Alpha", "Twin", "nobody"}, "Alpha", "Alpha Both"},
		{"bob", []string{"Both", "Twin"}, "Twin", "Both"}, // two groups are called Twin
		{"bob", []string{"c"}, "Twin", "Twin"},
		{"", []string{"b"}, "", ""},
	} {
		s, err := b.Standing(ctx, "one.test", row.account, row.file)
		must(t, err)
		if s.Override == nil || s.Domain == nil || s.Domain.Expiry == nil {
			t.Errorf("%q: the domain is %+v with %+v", row.account, s.Domain, s.Override)
		}
		var rollouts, groups []string
		for _, r := range s.Rollouts {
			rollouts = append(rollouts, r.Name)
		}
		for _, g := range s.Groups {
			groups = append(groups, g.Name)
		}
		equal(t, "roll-outs of "+string(row.account), sorted(rollouts), row.rollouts)
		equal(t, "groups of "+string(row.account), sorted(groups), row.groups)
	}
	s, err := b.Standing(ctx, "two.test", "ann", nil)
	must(t, err)
	if s.Override != nil || s.Domain != nil || len(s.Rollouts) != 1 {
		t.Errorf("another domain: %+v", s)
	}
}

func sorted(all []string) string {
	slices.Sort(all)
	return strings.Join(all, " ")
}
