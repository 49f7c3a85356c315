package agent_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/onprem"
)

// village is a forest with people in two units, one of which is in scope.
func village() *forest {
	return &forest{at: "start", entries: []onprem.Entry{
		entry("OU=Synced,DC=corp", "ou", "organizationalUnit"), entry("OU=Team,OU=Synced,DC=corp", "team", "organizationalUnit"),
		entry("OU=NotSynced,DC=corp", "not", "organizationalUnit"),
		human("CN=a,OU=Synced,DC=corp", "a"), human("CN=b,OU=Synced,DC=corp", "b"), human("CN=t,OU=Team,OU=Synced,DC=corp", "t"),
		human("CN=n,OU=NotSynced,DC=corp", "n"), entry("CN=g,OU=Synced,DC=corp", "g", "group", "member", "CN=a,OU=Synced,DC=corp"),
		entry("CN=pc,OU=Synced,DC=corp", "pc", "user computer"),
	}}
}

func changed(guids ...string) onprem.Changes {
	var all []onprem.Changed
	for _, g := range guids {
		all = append(all, onprem.Changed{ID: id(g)})
	}
	return onprem.Changes{Changed: all}
}

// What a change in the directory comes to: an answer of exactly that.
func TestAChangeIsReadByItself(t *testing.T) {
	for _, c := range []struct {
		name    string
		options func(*agent.SourceOptions)
		change  func(*forest) []onprem.Changes
		want    string // "-" gone, "=" as before
		reason  string // of the one that is gone
		full    bool
		note    string // part of it
	}{
		{name: "nothing", change: func(*forest) []onprem.Changes { return nil }},
		{name: "one person", change: func(*forest) []onprem.Changes { return []onprem.Changes{changed("a")} }, want: "a"},
		{
			name: "one person twice, in two pages", want: "a b",
			change: func(*forest) []onprem.Changes { return []onprem.Changes{changed("a", "b"), changed("a")} },
		},
		{name: "a computer", change: func(*forest) []onprem.Changes { return []onprem.Changes{changed("pc")} }},
		{
			name: "a deletion", want: "-b", reason: "deleted",
			change: func(*forest) []onprem.Changes {
				return []onprem.Changes{{Changed: []onprem.Changed{{ID: id("b"), Deleted: true}}}}
			},
		},
		{
			name: "who can't be found", want: "-x", reason: "is not in the directory any more, or this account may not see it",
			change: func(*forest) []onprem.Changes { return []onprem.Changes{changed("x")} },
		},
		{
			name: "a move out of scope", want: "-b", reason: "OU=NotSynced,DC=corp is in no scope",
			change: func(f *forest) []onprem.Changes {
				f.entries[4].DN = "CN=b,OU=NotSynced,DC=corp"
				return []onprem.Changes{changed("b")}
			},
		},
		{
			name: "a move into scope", want: "n",
			change: func(f *forest) []onprem.Changes {
				f.entries[6].DN = "CN=n,OU=Synced,DC=corp"
				return []onprem.Changes{changed("n")}
			},
		},
		{
			name: "no longer matched by the filter", options: func(o *agent.SourceOptions) { o.Narrow.Filter = "(!(employeeType=guest))" },
			want: "-b a", reason: "does not match the filter of the rules, (!(employeeType=guest))",
			change: func(f *forest) []onprem.Changes {
				f.entries[4].Attrs["employeeType"] = [][]byte{[]byte("guest")}
				return []onprem.Changes{changed("a", "b")}
			},
		},
		{
			name: "a unit in scope got another name", want: "t",
			change: func(f *forest) []onprem.Changes {
				f.entries[1].DN, f.entries[5].DN = "OU=Crew,OU=Synced,DC=corp", "CN=t,OU=Crew,OU=Synced,DC=corp"
				return []onprem.Changes{{Changed: []onprem.Changed{{ID: id("team"), DN: "OU=Crew,OU=Synced,DC=corp", Container: true}}}}
			},
		},
		{
			name: "a unit left the scope", want: "-t", reason: "OU=Team,DC=corp is in no scope",
			change: func(f *forest) []onprem.Changes {
				f.entries[1].DN, f.entries[5].DN = "OU=Team,DC=corp", "CN=t,OU=Team,DC=corp"
				return []onprem.Changes{{Changed: []onprem.Changed{{ID: id("team"), DN: "OU=Team,DC=corp", Container: true}}}}
			},
		},
		{
			name: "a unit of nobody", want: "",
			change: func(f *forest) []onprem.Changes {
				f.entries = append(f.entries, entry("OU=New,OU=Synced,DC=corp", "new", "organizationalUnit"))
				return []onprem.Changes{{Changed: []onprem.Changed{{ID: id("new"), DN: "OU=New,OU=Synced,DC=corp", Container: true}}}}
			},
		},
		{
			name: "the scope's own unit", want: "a b g t", full: true, note: "OU=Synced,DC=corp has changed, and a rule of the scope is about OU=Synced,DC=corp",
			change: func(*forest) []onprem.Changes {
				return []onprem.Changes{{Changed: []onprem.Changed{{ID: id("ou"), DN: "OU=Synced,DC=corp", Container: true}}}}
			},
		},
		{
			name: "an answer that names all there is", want: "=b =g =t a", full: true,
			change: func(*forest) []onprem.Changes {
				same := func(g string) onprem.Changed { return onprem.Changed{ID: id(g), Same: true} }
				return []onprem.Changes{
					{Whole: true, Changed: []onprem.Changed{{ID: id("a")}, same("b")}},
					{Whole: true, Changed: []onprem.Changed{same("t"), same("g")}},
				}
			},
		},
		{
			name: "a unit left the scope, in an answer that names all there is", want: "a b g", full: true, note: "may have left the scope",
			change: func(f *forest) []onprem.Changes {
				f.entries[1].DN, f.entries[5].DN = "OU=Team,DC=corp", "CN=t,OU=Team,DC=corp"
				return []onprem.Changes{{Whole: true, Changed: []onprem.Changed{{ID: id("team"), DN: "OU=Team,DC=corp", Container: true}}}}
			},
		},
		{
			name: "no way on", want: "a b g t", full: true, note: "all must be read",
			change: func(f *forest) []onprem.Changes {
				f.locked = onprem.ErrPosition
				return nil
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, o := village(), adOptions()
			if c.options != nil {
				c.options(&o)
			}
			s := agent.NewSource(f, o)
			start := read(t, s, dirsync.Ask{Kind: dirsync.KindDirectory})
			if start.names() != "a b g t" {
				t.Fatal(start.names())
			}
			f.pages = c.change(f)
			got := read(t, s, dirsync.Ask{Kind: dirsync.KindDirectory, Cursor: start.cursor})
			if sorted(got.names()) != sorted(c.want) || got.full != c.full || !strings.Contains(got.note, c.note) || (c.note == "") != (got.note == "") {
				t.Errorf("%q, full %t, %q; want %q, full %t, %q", got.names(), got.full, got.note, c.want, c.full, c.note)
			}
			for _, o := range got.objects {
				if o.Gone && (o.Reason != c.reason || o.DN+o.UPN+o.SAM+o.Anchor != "") {
					t.Errorf("%+v, want the reason %q and nothing else", o, c.reason)
				}
			}
			if got.cursor == nil && f.locked == nil {
				t.Error("no cursor at the end")
			}
		})
	}
}

func sorted(names string) string {
	all := strings.Fields(names)
	for i := range all {
		for j := i; j > 0 && all[j] < all[j-1]; j-- {
			all[j], all[j-1] = all[j-1], all[j]
		}
	}
	return strings.Join(all, " ")
}

func TestAUnitThatWasTheScopeEmptiesNothing(t *testing.T) {
	f := village()
	s := agent.NewSource(f, adOptions())
	start := read(t, s, dirsync.Ask{Kind: dirsync.KindDirectory})
	for i := range f.entries {
		f.entries[i].DN = strings.ReplaceAll(f.entries[i].DN, "OU=Synced,", "OU=Renamed,")
	}
	f.pages = []onprem.Changes{{Changed: []onprem.Changed{{ID: id("ou"), DN: "OU=Renamed,DC=corp", Container: true}}}}
	got, err := tryRead(t, s, dirsync.Ask{Kind: dirsync.KindDirectory, Cursor: start.cursor})
	if err == nil || !strings.Contains(err.Error(), "OU=Synced,DC=corp isn't there") || len(got.objects) > 0 {
		t.Errorf("%v, %d objects", err, len(got.objects))
	}
}

func TestOtherRulesThanTheCursorsReadAll(t *testing.T) {
	f := village()
	start := read(t, agent.NewSource(f, adOptions()), dirsync.Ask{Kind: dirsync.KindDirectory})
	f.pages = []onprem.Changes{changed("a")}
	for name, change := range map[string]func(*agent.SourceOptions){
		"scope":      func(o *agent.SourceOptions) { o.Scope = append(o.Scope, "OU=NotSynced,DC=corp") },
		"exclusions": func(o *agent.SourceOptions) { o.Narrow.Exclude = []string{"OU=Team,OU=Synced,DC=corp"} },
		"filter":     func(o *agent.SourceOptions) { o.Narrow.Filter = "(mail=*)" },
		"anchor":     func(o *agent.SourceOptions) { o.AnchorAttribute = agent.ConsistencyGUID },
		"names":      func(o *agent.SourceOptions) { o.CloudUPN = "userPrincipalName" },
		"write-back": func(o *agent.SourceOptions) { o.WriteBack = []string{agent.CloudObjectID} },
	} {
		o := adOptions()
		change(&o)
		got := read(t, agent.NewSource(f, o), dirsync.Ask{Kind: dirsync.KindDirectory, Cursor: start.cursor})
		if !got.full || !strings.Contains(got.note, "rules") {
			t.Errorf("%s: full %t, note %q", name, got.full, got.note)
		}
	}
	for _, cursor := range []string{"garbage", "{}", `{"rules":"","position":{},"more":1}`} {
		if got := read(t, agent.NewSource(f, adOptions()), dirsync.Ask{Kind: dirsync.KindDirectory, Cursor: []byte(cursor)}); !got.full || got.note == "" {
			t.Errorf("cursor %s: full %t, note %q", cursor, got.full, got.note)
		}
	}
	if got := read(t, agent.NewSource(f, adOptions()), dirsync.Ask{Kind: dirsync.KindDirectory, Cursor: start.cursor}); got.full || got.names() != "a" {
		t.Errorf("positive control, another agent with the same rules: full %t, %s", got.full, got.names())
	}
}

func TestAGroupMakesTheScope(t *testing.T) {
	f, o := village(), adOptions()
	o.Narrow.Groups = []string{"cn=G,ou=synced,dc=corp"}
	f.entries[7].Attrs["member"] = [][]byte{[]byte("CN=a,OU=Synced,DC=corp"), []byte("CN=n,OU=NotSynced,DC=corp")}
	s := agent.NewSource(f, o)
	start := read(t, s, dirsync.Ask{Kind: dirsync.KindDirectory})
	if start.names() != "a" { // not n: the kinds of rules are joined by and
		t.Fatal(start.names())
	}
	f.pages = []onprem.Changes{changed("a", "b")}
	got := read(t, s, dirsync.Ask{Kind: dirsync.KindDirectory, Cursor: start.cursor})
	if got.full || got.names() != "-b a" || got.by("b").Reason != "is no direct member of cn=G,ou=synced,dc=corp" {
		t.Errorf("full %t, %s, %q", got.full, got.names(), got.by("b").Reason)
	}
	f.entries[7].Attrs["member"] = append(f.entries[7].Attrs["member"], []byte("CN=b,OU=Synced,DC=corp"))
	got = read(t, s, dirsync.Ask{Kind: dirsync.KindDirectory, Cursor: start.cursor})
	if !got.full || got.names() != "a b" || !strings.Contains(got.note, "members of a group") {
		t.Errorf("full %t, %s, %q", got.full, got.names(), got.note)
	}
	o.Narrow.Groups = []string{"CN=Nobody,OU=Synced,DC=corp"}
	if _, err := tryRead(t, agent.NewSource(f, o), dirsync.Ask{Kind: dirsync.KindDirectory}); err == nil || !strings.Contains(err.Error(), "sync.groups") {
		t.Errorf("a group that isn't there: %v", err)
	}
}

// Reading one change costs the same however many objects there are.
func TestAChangeOfOneCostsAHandfulOfSearches(t *testing.T) {
	f, o := village(), adOptions()
	for i := range 3000 {
		f.entries = append(f.entries, human(fmt.Sprintf("CN=%d,OU=Synced,DC=corp", i), fmt.Sprint(i)))
	}
	o.Narrow.Filter, o.Narrow.Groups = "(sAMAccountName=*)", []string{"CN=g,OU=Synced,DC=corp"}
	s := agent.NewSource(f, o)
	start := read(t, s, dirsync.Ask{Kind: dirsync.KindDirectory})
	f.searches, f.pages = 0, []onprem.Changes{changed("a")}
	if got := read(t, s, dirsync.Ask{Kind: dirsync.KindDirectory, Cursor: start.cursor}); got.names() != "a" || f.searches > 3 {
		t.Errorf("%s in %d searches", got.names(), f.searches)
	}
}

func TestADirectoryThatTellsNoChangesIsReadWhole(t *testing.T) {
	f := village()
	f.locked = fmt.Errorf("%w: the account may not follow changes", onprem.ErrPosition)
	got := read(t, agent.NewSource(f, adOptions()), dirsync.Ask{Kind: dirsync.KindDirectory})
	if !got.full || got.cursor != nil || got.names() != "a b g t" || !strings.Contains(got.note, "may not follow changes") {
		t.Errorf("full %t, cursor %s, %s, %q", got.full, got.cursor, got.names(), got.note)
	}
}

func FuzzACursorIsReadOrLeftAlone(f *testing.F) {
	f.Add([]byte(`{"rules":"x","position":{"at":"x"}}`))
	f.Add([]byte(`{"rules":"x","members":"y","position":null}`))
	f.Fuzz(func(t *testing.T, cursor []byte) {
		if len(cursor) == 0 {
			return
		}
		got := read(t, agent.NewSource(village(), adOptions()), dirsync.Ask{Kind: dirsync.KindDirectory, Cursor: cursor})
		if !got.full || got.note == "" {
			t.Errorf("%q was taken for a cursor of this agent", cursor)
		}
	})
}
