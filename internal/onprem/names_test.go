package onprem_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/lab/dc"
	"github.com/fourways-id/fourways/internal/onprem"
)

func TestOddNamesAndLongPasswordsAreTakenAsTheyAre(t *testing.T) {
	long := strings.Repeat("Pä", 254) + "1" // 509 characters, 763 octets
	odd := []string{"jürgen müller@pta.example.test", "o'neil (temp)*@pta.example.test", `back\slash@pta.example.test`, "two@signs@pta.example.test"}
	var entries []dc.Entry
	for i, name := range odd {
		e := user(fmt.Sprintf("odd%d", i), map[string]string{"userPrincipalName": name, "mail": name})
		e.Password = long
		entries = append(entries, e)
	}
	_, cfg := lab(t, entries...)
	byName := client(t, cfg)
	cfg.UserFilter = "(mail=%s)"
	searching := client(t, cfg)
	for _, name := range odd {
		for _, d := range []*onprem.Directory{byName, searching} {
			if d == byName && strings.Contains(name, `\`) {
				continue // refused: it would bind as something else
			}
			if v := d.Bind(t.Context(), name, secret(long)); v.Reason != authn.None {
				t.Errorf("%q: %+v", name, v)
			}
			if v := d.Bind(t.Context(), name, secret(long[:len(long)-1])); v.Reason != authn.BadPassword {
				t.Errorf("%q, one octet short: %+v", name, v)
			}
		}
	}
}
