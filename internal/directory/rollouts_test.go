package directory_test

import (
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

func in(group, name string, path authn.Path) directory.NamedRollout {
	return directory.NamedRollout{Rollout: directory.Rollout{Group: group, Path: path}, Name: name}
}

func TestARolloutMovesSynchronisedPeopleOfAFederatedDomainOnly(t *testing.T) {
	tn, s := tenant()
	rita := authn.Account{ID: "r-1", Synced: true}
	s.rollouts = map[authn.AccountID][]directory.NamedRollout{"r-1": {in("g-2", "Pilot", authn.PathPTA)}}
	s.groups = map[authn.AccountID][]directory.NamedGroup{"r-1": {{ID: "g-9", Name: "Early"}, {ID: "g-2", Name: "Pilot"}}}
	path := func(domain string, who authn.Account) string {
		t.Helper()
		r, err := tn.Of(t.Context(), authn.ParseIdentifier("rita@"+domain), who)
		if err != nil {
			t.Fatal(err)
		}
		return string(r.Path) + ", " + r.Rule
	}
	for _, row := range []struct {
		domain string
		who    authn.Account
		want   string
	}{
		{"saml.example.test", rita, "pta, rollout of group Pilot"},
		{"saml.example.test", authn.Account{ID: "r-1"}, "federated, domain saml.example.test"}, // not synchronised
		{"saml.example.test", authn.Account{ID: "x", Synced: true}, "federated, domain saml.example.test"},
		{"saml.example.test", authn.Account{}, "federated, domain saml.example.test"},
		{"cloud.example.test", rita, "cloud, domain cloud.example.test"},
		{"phs.example.test", rita, "phs, domain phs.example.test"},
	} {
		if got := path(row.domain, row.who); got != row.want {
			t.Errorf("%+v at %s: %s, want %s", row.who, row.domain, got, row.want)
		}
	}
	if d, err := tn.Discover(t.Context(), "saml.example.test"); err != nil || d.NamespaceType != "Federated" {
		t.Errorf("discovery tells of people: %+v, %v", d, err)
	}

	s.overrides["phs.example.test"] = directory.Override{Domain: "phs.example.test", Path: authn.PathFederated, IdP: "harbour", By: "peggy"}
	if got := path("phs.example.test", rita); got != "pta, rollout of group Pilot" {
		t.Errorf("a swap to federation: %s", got)
	}
	s.rollouts["r-1"] = []directory.NamedRollout{in("g-3", "Zeta", authn.PathPHS), in("g-1", "Alpha", authn.PathPTA), in("g-2", "Mu", authn.PathPHS)}
	for domain, want := range map[string]string{
		"phs.example.test":  "phs, rollout of group Mu",    // phs before pta, then by name
		"saml.example.test": "pta, rollout of group Alpha", // its hashes are not synchronised
	} {
		if got := path(domain, rita); got != want {
			t.Errorf("several groups at %s: %s, want %s", domain, got, want)
		}
	}
	// The file wins over what was set at run time, by name or id.
	tn.Configure([]directory.Domain{{Name: "saml.example.test", Path: authn.PathFederated, IdP: "harbour"}}, nil,
		directory.Rollout{Group: "Pilot", Path: authn.PathPTA, File: true}, directory.Rollout{Group: "g-9", Path: authn.PathPHS, File: true})
	s.rollouts["r-1"] = []directory.NamedRollout{in("g-2", "Pilot", authn.PathPHS)}
	if got := path("saml.example.test", rita); got != "pta, rollout of group Pilot" {
		t.Errorf("the file's roll-out: %s", got)
	}
}

func TestARolloutKeepsTheDocumentedLimits(t *testing.T) {
	fine := directory.RolloutFacts{Group: directory.Group{Name: "Pilot"}, Accounts: 200, Others: map[authn.Path]int{authn.PathPHS: 9, authn.PathPTA: 10}}
	with := func(change func(*directory.RolloutFacts)) directory.RolloutFacts {
		f := fine
		change(&f)
		return f
	}
	for _, row := range []struct {
		path authn.Path
		f    directory.RolloutFacts
		want string
	}{
		{authn.PathPHS, fine, ""},
		{authn.PathPTA, fine, "10 groups are in the roll-out to pta"},
		{authn.PathCloud, fine, "moved to phs or pta"},
		{authn.PathFederated, fine, "moved to phs or pta"},
		{authn.PathPHS, with(func(f *directory.RolloutFacts) { f.Accounts = 201 }), "Pilot has 201 members"},
		{authn.PathPHS, with(func(f *directory.RolloutFacts) { f.Accounts, f.Before = 201, &directory.Rollout{} }), ""}, // grown since
		{authn.PathPHS, with(func(f *directory.RolloutFacts) { f.Nested = 1 }), "nested groups don't count"},
		{authn.PathPHS, with(func(f *directory.RolloutFacts) { f.Contacts = 1 }), "as a contact"},
	} {
		err := directory.Rollout{Path: row.path}.Check(row.f)
		if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s %+v: %v, want %q", row.path, row.f, err, row.want)
		}
	}
}

func TestWhatWasSetAtRunTimeWinsOverTheFile(t *testing.T) {
	tn, s := tenant()
	on, off, month := true, false, 30*24*time.Hour
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s.kept = map[string]directory.KeptDomain{
		"phs.example.test":  {Name: "phs.example.test", PHS: &off, Expiry: &month},
		"new.example.test":  {Name: "new.example.test", Added: now, Verified: now, PHS: &on},
		"wait.example.test": {Name: "wait.example.test", Added: now, Token: "t"},
		"gone.example.test": {Name: "gone.example.test", PHS: &on}, // of a domain that was taken out of the file
	}
	for domain, want := range map[string]directory.Domain{
		"phs.example.test": {Name: "phs.example.test", Path: authn.PathPHS, Expiry: month},
		"new.example.test": {Name: "new.example.test", Path: authn.PathCloud, PHS: true},
	} {
		if got, err := tn.Domain(t.Context(), domain); err != nil || got != want {
			t.Errorf("%+v %v, want %+v", got, err, want)
		}
	}
	for _, domain := range []string{"wait.example.test", "gone.example.test", "other.example"} {
		if _, err := tn.Domain(t.Context(), domain); err == nil {
			t.Errorf("%s is served", domain)
		}
		if on, err := tn.PHS(t.Context(), domain); on || err != nil {
			t.Errorf("%s: %v %v", domain, on, err)
		}
		if r, err := tn.Of(t.Context(), authn.ParseIdentifier("x@"+domain), authn.Account{}); err != nil || r.Path != authn.PathNone {
			t.Errorf("%s: %+v %v", domain, r, err)
		}
	}
	all, err := tn.Domains(t.Context())
	if err != nil || len(all) != 6 || all[5].Name != "new.example.test" || all[2].PHS || len(tn.Configured()) != 5 || !tn.Configured()[2].PHS {
		t.Errorf("%+v, %v", all, err)
	}
	if on, err := tn.AnyPHS(t.Context()); !on || err != nil {
		t.Errorf("%v, %v", on, err)
	}
	s.down = true
	if _, err := tn.Domains(t.Context()); err == nil {
		t.Error("a store that is down has domains")
	}
}

func TestUndoGoesBackOneChangeAtATime(t *testing.T) {
	set, file, undo, reset := directory.ModeSet, directory.ModeFile, directory.ModeUndo, directory.ModeReset
	for name, row := range map[string]struct {
		changes []directory.ModeChange // the oldest first
		want    int64                  // 0: none
	}{
		"nothing happened":             {nil, 0},
		"the last":                     {[]directory.ModeChange{{ID: 1, Kind: set}, {ID: 2, Kind: reset}}, 2},
		"once undone":                  {[]directory.ModeChange{{ID: 1, Kind: set}, {ID: 2, Kind: set}, {ID: 3, Kind: undo, Undoes: 2}}, 1},
		"all undone":                   {[]directory.ModeChange{{ID: 1, Kind: set}, {ID: 2, Kind: set}, {ID: 3, Kind: undo, Undoes: 2}, {ID: 4, Kind: undo, Undoes: 1}}, 0},
		"changed after an undo":        {[]directory.ModeChange{{ID: 1, Kind: set}, {ID: 2, Kind: set}, {ID: 3, Kind: undo, Undoes: 2}, {ID: 4, Kind: set}}, 4},
		"and that one undone":          {[]directory.ModeChange{{ID: 1, Kind: set}, {ID: 2, Kind: set}, {ID: 3, Kind: undo, Undoes: 2}, {ID: 4, Kind: set}, {ID: 5, Kind: undo, Undoes: 4}}, 1},
		"the file":                     {[]directory.ModeChange{{ID: 1, Kind: set}, {ID: 2, Kind: file}}, 2},
		"the file, behind an override": {[]directory.ModeChange{{ID: 1, Kind: set}, {ID: 2, Kind: file, Hidden: true}}, 1},
	} {
		for i, j := 0, len(row.changes)-1; i < j; i, j = i+1, j-1 {
			row.changes[i], row.changes[j] = row.changes[j], row.changes[i]
		}
		if got, found := directory.LastToUndo(row.changes); got.ID != row.want || found != (row.want != 0) {
			t.Errorf("%s: %d %v, want %d", name, got.ID, found, row.want)
		}
	}
}

func TestAReloadIsRememberedOnceByWhicheverGateway(t *testing.T) {
	was, is := directory.Domain{Name: "a.test", Path: authn.PathFederated, IdP: "harbour"}, directory.Domain{Name: "a.test", Path: authn.PathPHS}
	c := directory.FileChange(was, is, nil, nil, time.Time{})
	if c == nil || c.Override != nil || c.Entry.Hidden || c.Entry.Before == nil || c.Entry.Before.Path != authn.PathFederated || c.Entry.Before.IdP != "harbour" {
		t.Fatalf("%+v", c)
	}
	if again := directory.FileChange(was, is, nil, []directory.ModeChange{{Kind: directory.ModeSet}, c.Entry}, time.Time{}); again != nil {
		t.Errorf("another gateway remembers it again: %+v", again)
	}
	if back := directory.FileChange(is, was, nil, []directory.ModeChange{c.Entry}, time.Time{}); back == nil || back.Entry.IdP != "harbour" {
		t.Errorf("the way back: %+v", back)
	}
	o := &directory.Override{Path: authn.PathCloud}
	if hidden := directory.FileChange(was, is, o, nil, time.Time{}); !hidden.Entry.Hidden || hidden.Override != o {
		t.Errorf("behind an override: %+v", hidden)
	}
}
