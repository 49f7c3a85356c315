package gateway

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/passhash"
)

// history is the domain's, the newest first: "set cloud>pta by ann".
func (h *house) history(domain string) []string {
	h.t.Helper()
	all, err := h.ModeHistory(h.t.Context(), domain, 0, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	var lines []string
	for _, c := range all {
		lines = append(lines, fmt.Sprintf("%s %s>%s by %s", c.Kind, c.From, c.To, c.By))
	}
	return lines
}

func (h *house) set(path authn.Path, by string) {
	h.t.Helper()
	if _, err := h.SetMode(h.t.Context(), "cloud.example", api.ModeChange{Path: path}, by, ""); err != nil {
		h.t.Fatal(err)
	}
}

func TestUndoBringsBackWhatTheLastChangeReplaced(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", harbourMetadata(t))
	undo := func() (api.Mode, error) { return h.UndoMode(t.Context(), "cloud.example", "zoe", "") }
	if _, err := undo(); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("nothing was changed: %v", err)
	}
	h.set(authn.PathPTA, "ann")
	h.set(authn.PathPHS, "ben")
	if m, err := undo(); err != nil || m.Path != authn.PathPTA || m.Override.By != "ann" || m.Rule != "override of cloud.example by ann" {
		t.Errorf("once: %+v, %v", m, err)
	}
	if m, err := undo(); err != nil || m.Path != authn.PathCloud || m.Override != nil {
		t.Errorf("twice: %+v, %v", m, err)
	}
	if _, err := undo(); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("nothing is left: %v", err)
	}
	want := []string{"undo pta>cloud by zoe", "undo phs>pta by zoe", "set pta>phs by ben", "set cloud>pta by ann"}
	if got := h.history("cloud.example"); !slices.Equal(got, want) {
		t.Errorf("history: %q", got)
	}
	if got := h.history("saml.example"); len(got) != 0 {
		t.Errorf("another domain's: %q", got)
	}
}

func TestAnIdentityProviderThatIsGoneIsNotBroughtBack(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", harbourMetadata(t))
	ctx := t.Context()
	for _, path := range []authn.Path{authn.PathFederated, authn.PathCloud} {
		if _, err := h.SetMode(ctx, "saml.example", api.ModeChange{Path: path}, "ann", ""); err != nil {
			t.Fatal(err)
		}
	}
	idp := h.text[strings.Index(h.text, "[[idp]]"):]
	if _, err := h.edit("path = \"federated\"\nidp = \"harbour\"\n"+idp, "path = \"cloud\"\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.UndoMode(ctx, "saml.example", "ann", ""); err == nil || !strings.Contains(err.Error(), "is gone") {
		t.Errorf("%v", err)
	}
	if p := h.pathOf("saml.example"); p != authn.PathCloud {
		t.Errorf("people sign in by %s", p)
	}
}

func TestAReloadStandsInTheHistoryAndCanBeUndone(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", harbourMetadata(t))
	ctx := t.Context()
	if _, err := h.edit("path = \"cloud\"", "path = \"pta\""); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Reload(ctx); err != nil {
		t.Fatal(err)
	}
	want := []string{"file cloud>pta by configuration file"}
	if got := h.history("cloud.example"); !slices.Equal(got, want) {
		t.Errorf("history: %q", got)
	}
	m, err := h.UndoMode(ctx, "cloud.example", "zoe", "")
	if err != nil || m.Path != authn.PathCloud || m.Override == nil || m.File != authn.PathPTA {
		t.Errorf("undone: %+v, %v", m, err)
	}
	// A change of the file behind an override changes nobody's path, and is not what an undo takes back.
	if _, err := h.edit("path = \"cloud\"", "path = \"phs\""); err != nil {
		t.Fatal(err)
	}
	h.set(authn.PathPTA, "ann")
	if _, err := h.edit("threshold = 10", "threshold = 9"); err != nil { // the file says cloud again
		t.Fatal(err)
	}
	if m, err := h.UndoMode(ctx, "cloud.example", "zoe", ""); err != nil || m.Path != authn.PathCloud || m.Override == nil {
		t.Errorf("ann's change was the last: %+v, %v", m, err)
	}
	if got := h.history("cloud.example")[1]; got != "file phs>cloud by configuration file" {
		t.Errorf("history: %q", got)
	}
}

func TestOfTwoWhoSwapOneDomainTheSecondIsTold(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", harbourMetadata(t))
	ctx := t.Context()
	read, err := h.Mode(ctx, "cloud.example")
	if err != nil {
		t.Fatal(err)
	}
	var changed, told int
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, swap := range []func(version string) (api.Mode, error){
		func(v string) (api.Mode, error) {
			return h.SetMode(ctx, "cloud.example", api.ModeChange{Path: authn.PathPTA}, "ann", v)
		},
		func(v string) (api.Mode, error) {
			return h.SetMode(ctx, "cloud.example", api.ModeChange{Path: authn.PathPHS}, "ben", v)
		},
	} {
		all.Go(func() {
			_, err := swap(read.Tag())
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				changed++
			case errors.Is(err, directory.ErrChanged):
				told++
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if changed != 1 || told != 1 || len(h.history("cloud.example")) != 1 {
		t.Errorf("%d changed it, %d were told; history %q", changed, told, h.history("cloud.example"))
	}
	for what, swap := range map[string]func() (api.Mode, error){
		"undo":  func() (api.Mode, error) { return h.UndoMode(ctx, "cloud.example", "ann", read.Tag()) },
		"reset": func() (api.Mode, error) { return h.ResetMode(ctx, "cloud.example", "ann", read.Tag()) },
	} {
		if _, err := swap(); !errors.Is(err, directory.ErrChanged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	now, err := h.Mode(ctx, "cloud.example")
	if err != nil {
		t.Fatal(err)
	}
	if m, err := h.ResetMode(ctx, "cloud.example", "ann", now.Tag()); err != nil || m.Override != nil {
		t.Errorf("with the version that was read: %+v, %v", m, err)
	}
}

func TestAPreviewCountsAndChangesNothing(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", harbourMetadata(t))
	ctx := t.Context()
	h.synced("cloud.example")
	if _, err := h.Operator().CreateUser(ctx, api.NewUser{UPN: "zoe@cloud.example", Password: "Spring-2025!"}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[authn.Path]string{
		authn.PathPHS:   "affects 2 users; 1 has no synchronised hash and would get 50056; sessions that are open stay open",
		authn.PathCloud: "affects 2 users; 1 has no cloud password and would get 50056; it is the path already; sessions that are open stay open",
		authn.PathPTA:   "affects 2 users; 1 is cloud-only, and unknown on the premises; 0 agents could be asked now; sessions that are open stay open",
	} {
		p, err := h.PreviewMode(ctx, "cloud.example", api.ModeChange{Path: path})
		if got := strings.Join(p.Says, "; "); err != nil || got != want {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	if p, err := h.PreviewMode(ctx, "saml.example", api.ModeChange{Path: authn.PathFederated}); err != nil || p.Says[1] != "0 have no immutable ID, by which harbour names people" {
		t.Errorf("%+v, %v", p, err)
	}
	for _, bad := range []api.ModeChange{{Path: "none"}, {Path: ""}, {Path: authn.PathPHS, IdP: "harbour"}, {Path: authn.PathFederated}} {
		if _, err := h.PreviewMode(ctx, "cloud.example", bad); err == nil {
			t.Errorf("%+v is previewed", bad)
		}
	}
	if h.pathOf("cloud.example") != authn.PathCloud || len(h.history("cloud.example")) != 0 || h.onprem.current() != nil {
		t.Error("a preview changed something")
	}
}

// Staged roll-outs count where the domain is federated: a swap there or away from there says whom they move.
func TestAPreviewSaysWhomRolloutsMove(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", harbourMetadata(t))
	ctx := t.Context()
	h.synced("saml.example")
	says := func(path authn.Path) string {
		t.Helper()
		p, err := h.PreviewMode(ctx, "saml.example", api.ModeChange{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(p.Says, func(s string) bool { return strings.HasPrefix(s, "staged roll-outs") })
		if i < 0 {
			return ""
		}
		return p.Says[i]
	}
	if got := says(authn.PathCloud); got != "" {
		t.Errorf("there is no roll-out: %q", got)
	}
	group := directory.Group{ID: "g", Name: "Pilot", Members: []authn.AccountID{"id of saml.example"}}
	if err := h.core.store.PutGroup(ctx, group); err != nil {
		t.Fatal(err)
	}
	rollOut := func(path authn.Path) {
		t.Helper()
		if err := h.Operator().RollOut(ctx, group.Name, path, h.core.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	rollOut(authn.PathPTA)
	if got := says(authn.PathCloud); got != "staged roll-outs count no longer: 0 users to phs, 1 user to pta" {
		t.Errorf("away from federation: %q", got)
	}
	if got := says(authn.PathFederated); got != "staged roll-outs go on to count: 0 users to phs, 1 user to pta" {
		t.Errorf("from provider to provider: %q", got)
	}
	if _, err := h.SetMode(ctx, "saml.example", api.ModeChange{Path: authn.PathCloud}, "ann", ""); err != nil {
		t.Fatal(err)
	}
	if got := says(authn.PathPTA); got != "" {
		t.Errorf("from one managed path to another: %q", got)
	}
	if got := says(authn.PathFederated); got != "staged roll-outs begin to count: 0 users to phs, 1 user to pta" {
		t.Errorf("to federation: %q", got)
	}
	rollOut(authn.PathPHS)
	if got := says(authn.PathFederated); got != "" {
		t.Errorf("to phs, where no hashes are synchronised: %q", got)
	}
	on := true
	if _, _, err := h.core.store.ChangeDomain(ctx, "saml.example", func(k *directory.KeptDomain, _ *directory.Override) error {
		k.PHS = &on
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := says(authn.PathFederated); got != "staged roll-outs begin to count: 1 user to phs, 0 users to pta" {
		t.Errorf("to phs: %q", got)
	}
}

// "PHS as a backup": what is stored here signs people in while nothing of the premises can be reached.
func TestPHSSignsInWithTheAgentLinkClosed(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", harbourMetadata(t))
	ctx := t.Context()
	h.set(authn.PathPTA, "ann")
	u := directory.User{ID: "id-phil", UPN: "phil@cloud.example", Synced: true, Enabled: true, Onprem: directory.Onprem{Anchor: "YQ=="}}
	record := passhash.NewOrgID(passhash.NTHash([]byte("Spring-2025!"))).String()
	if err := h.core.store.ApplySync(ctx, directory.Changes{Put: directory.Objects{Users: []directory.User{u}}, Hashes: []directory.Credential{{Account: u.ID, Scheme: directory.SchemePHS, Record: []byte(record)}}}); err != nil {
		t.Fatal(err)
	}
	if h.onprem.current() == nil {
		t.Fatal("the link was never open: the test shows nothing")
	}
	signIn := func() authn.Result {
		return h.flow.SignIn(ctx, authn.Request{Typed: u.UPN, Answer: authn.Password{Secret: authn.NewSecret([]byte("Spring-2025!"))}})
	}
	h.onprem.close()
	if r := signIn(); r.Outcome.Reason != authn.NoAgent {
		t.Errorf("control: by pta: %+v", r.Outcome)
	}
	h.set(authn.PathPHS, "ann")
	h.onprem.close() // the swap opened it again
	if r := signIn(); r.Outcome.Verdict != authn.Allowed {
		t.Errorf("by phs: %+v", r.Outcome)
	}
}

// Another gateway of the store may have swapped a path, or moved a group.
func TestTheAgentLinkFollowsWhatOthersChanged(t *testing.T) {
	for what, change := range map[string]func(*house) error{
		"a path": func(h *house) error {
			_, err := h.core.store.ChangeMode(t.Context(), "cloud.example", func(*directory.Override, []directory.ModeChange) (*directory.Change, error) {
				return &directory.Change{Override: &directory.Override{Domain: "cloud.example", Path: authn.PathPTA}}, nil
			})
			return err
		},
		"a group": func(h *house) error {
			if err := h.core.store.CreateGroup(t.Context(), directory.Group{ID: "g", Name: "Pilot"}); err != nil {
				return err
			}
			return h.Operator().RollOut(t.Context(), "Pilot", authn.PathPTA, h.core.clock.Now())
		},
	} {
		h := newHouse(t, "127.0.0.1:0", harbourMetadata(t))
		h.follow(t.Context())
		if h.onprem.current() != nil {
			t.Fatal("control: nobody needs the link yet")
		}
		if err := change(h); err != nil {
			t.Fatal(err)
		}
		if h.follow(t.Context()); h.onprem.current() == nil {
			t.Errorf("%s: the link is closed", what)
		}
	}
}

// The file may give a federated domain another identity provider: its people sign in elsewhere, though the path is the same.
func TestAReloadThatChangesTheIdentityProviderStandsInTheHistory(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", harbourMetadata(t))
	second := strings.Replace(h.text[strings.Index(h.text, "[[idp]]"):], `id = "harbour"`, `id = "second"`, 1)
	h.text += second
	if _, err := h.edit("threshold = 10", "threshold = 9"); err != nil {
		t.Fatal(err)
	}
	if got := h.history("saml.example"); len(got) != 0 {
		t.Errorf("control: nobody's path changed: %q", got)
	}
	for range 2 { // another gateway of the store reads the same file
		if _, err := h.edit("idp = \"harbour\"", "idp = \"second\""); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := h.history("saml.example"), []string{"file federated>federated by configuration file"}; !slices.Equal(got, want) {
		t.Errorf("history: %q", got)
	}
	m, err := h.UndoMode(t.Context(), "saml.example", "zoe", "")
	if err != nil || m.IdP != "harbour" || m.Override == nil {
		t.Errorf("undone: %+v, %v", m, err)
	}
	report, err := h.edit("idp = \"harbour\"", "idp = \"second\"")
	if err != nil || len(report.Overrides) != 1 || !strings.Contains(report.Overrides[0], "harbour") {
		t.Errorf("the override that hides the file's: %q, %v", report.Overrides, err)
	}
}
