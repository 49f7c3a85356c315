package console

import (
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/internal/directory"
)

func TestADifferenceNamesWhatIsNotTheSameAnyMore(t *testing.T) {
	before := directory.User{UPN: "a@b.example", DisplayName: "A", Enabled: true}
	after := before
	after.DisplayName, after.Department, after.Enabled, after.Changed = "B", "Sales", false, time.Unix(1, 0)
	want := `accountEnabled: true -> false, department: - -> "Sales", displayName: "A" -> "B"`
	if got := difference(before, after, "changedDateTime"); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if got := difference(before, before); got != "" {
		t.Errorf("nothing changed, but %s", got)
	}
	after.DisplayName = strings.Repeat("ä", 300)
	if got := difference(before, after); len(got) > 600 || strings.ContainsRune(got, '�') {
		t.Errorf("a long value is written as %s", got)
	}
}
