package gateway

import (
	"errors"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/console/api"
)

// What an operator types is printed in other operators' terminals.
func TestNamesAndRemarksAreOnePrintableLine(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", harbourMetadata(t))
	ctx := t.Context()
	for what, set := range map[string]func(string) error{
		"token": func(s string) error {
			_, err := h.Operator().NewToken(ctx, api.NewToken{Name: s, Role: "reader"})
			return err
		},
		"reason": func(s string) error {
			_, err := h.SetMode(ctx, "saml.example", api.ModeChange{Path: "cloud", Reason: s}, "test", "")
			return err
		},
		"display name": func(s string) error {
			_, err := h.Operator().CreateUser(ctx, api.NewUser{UPN: "a" + strings.ToLower(t.Name())[:5] + "@cloud.example", DisplayName: s, Password: "Spring-2025!"})
			return err
		},
	} {
		for _, bad := range []string{"two\nlines", "\x1b[31mred", "nul\x00", "\u202eright to left", "\xff", strings.Repeat("x", 300)} {
			var p api.Problem
			if err := set(bad); !errors.As(err, &p) || p.Status != 400 || !strings.Contains(p.Detail, "printable") {
				t.Errorf("%s %.12q: %v", what, bad, err)
			}
		}
		if err := set("Zoë's laptop, 2nd floor"); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// An agent's name stands in its own agent.toml, which takes no other.
func TestAnAgentIsInvitedUnderANameThatItsFileTakes(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", "<garbage")
	for _, bad := range []string{"", "Bad Name", "dc1\n", "-dc1", "zoë", strings.Repeat("x", 41)} {
		var p api.Problem
		if _, err := h.Invite(t.Context(), api.Invite{Name: bad}, "test"); !errors.As(err, &p) || p.Status != 400 {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := h.Invite(t.Context(), api.Invite{Name: "dc1-agent"}, "test"); err != nil {
		t.Error(err)
	}
}
