package docs_test

import (
	"cmp"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

const consoleIntro = `# The console's API

Every call of ` + "`/api/v1`" + `, with the least role that may make it: reader, operator, admin. [OpenAPI 3.1](openapi.json) has bodies and
answers, [a how-to](../how-to/console-api.md) the use with curl. Calls that are marked are there in a lab only.

`

// TestConsolePage draws the table of calls from the OpenAPI document, which the console makes of its own operations.
func TestConsolePage(t *testing.T) {
	raw, err := os.ReadFile("reference/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			Summary string `json:"summary"`
			Role    string `json:"x-role"`
			Lab     bool   `json:"x-lab"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for path, methods := range doc.Paths {
		for method, o := range methods {
			if o.Role == "" || o.Summary == "" {
				t.Errorf("%s %s has no role or summary", method, path)
			}
			summary := o.Summary
			if o.Lab {
				summary += " (lab)"
			}
			rows = append(rows, []string{path, strings.ToUpper(method), o.Role, summary})
		}
	}
	slices.SortFunc(rows, func(a, b []string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	if len(rows) < 40 {
		t.Fatalf("%d calls: was the document read?", len(rows))
	}
	var b strings.Builder
	b.WriteString(generated + consoleIntro)
	header(&b, "Path", "Method", "Role", "What it does")
	for _, r := range rows {
		row(&b, "`"+r[0]+"`", r[1], r[2], r[3])
	}
	page(t, "console.md", b.String())
}
