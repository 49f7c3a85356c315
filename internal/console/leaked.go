package console

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/fourways-id/fourways/internal/console/api"
)

// Leaks compares leaked passwords with stored records. Beside an error, what it gives was done.
type Leaks interface {
	CheckLeaked(ctx context.Context, ask api.LeakedCheck) (api.LeakedReport, error)
}

func (c *console) leakedOperations() []operation {
	return []operation{
		act(c, "POST /leaked", Admin, "Check leaked credentials", "Compare names and passwords of a leak with the stored records, and flag the accounts that match", c.checkLeaked).
			large(api.LeakedLongestBytes).long(),
	}
}

func (c *console) checkLeaked(r *http.Request, ask api.LeakedCheck, _ api.Token) (did[api.LeakedReport], error) {
	found, err := c.Tenant.Leaks.CheckLeaked(r.Context(), ask)
	return did[api.LeakedReport]{Target: fmt.Sprintf("%d pairs", len(ask.Pairs)), After: leakedInWords(ask, found), Answer: found}, err
}

func leakedInWords(ask api.LeakedCheck, found api.LeakedReport) string {
	if len(found.Matches) == 0 {
		return "no account matches"
	}
	var all []string
	for _, m := range found.Matches {
		words := []string{strings.Join(m.Records, " ")}
		if m.Flagged && !ask.DryRun {
			words = append(words, "flagged")
		}
		if m.Change && !ask.DryRun {
			words = append(words, "change required")
		}
		all = append(all, m.User+" ("+strings.Join(words, ", ")+")")
	}
	return "matching: " + strings.Join(all, "; ")
}
