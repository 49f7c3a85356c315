// Package docs_test keeps the generated pages of docs/reference true: they come from the program's own tables, and a page
// that has gone stale fails the build. `go test ./docs -update` writes them anew.
package docs_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/journal"
	"github.com/fourways-id/fourways/internal/metrics"
	"github.com/fourways-id/fourways/internal/trace"
)

var update = flag.Bool("update", false, "rewrite the generated pages")

const generated = "<!-- Generated from the program's own tables: go test ./docs -update -->\n\n"

// page compares a generated page with the file, or writes it.
func page(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("reference", name)
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, []byte(text)) {
		t.Errorf("docs/%s is not what the program says: run `go test ./docs -update` and look at the difference", filepath.ToSlash(path))
	}
}

// row writes one line of a table. A bar in a cell would begin the next one.
func row(b *strings.Builder, cells ...string) {
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(c, "|", "\\|")
	}
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

func header(b *strings.Builder, names ...string) {
	row(b, names...)
	fmt.Fprintf(b, "|%s\n", strings.Repeat("---|", len(names)))
}

const reasonsIntro = `# Reasons

Why a sign-in did not simply succeed: a closed list, the same in the API, the sign-in log, the trace and the metrics.

- **Code** is the AADSTS code in the sign-in log. A * marks a mapping of ours, where Microsoft documents no code.
- **Counts**: a denial for this reason counts towards lockout.
- **Told at the door** is the code and sentence that the person gets. Several reasons share the answer of a wrong
  password, so that a stranger learns nothing about an account; all refused assertions share one sentence.
- Which page says what to do: [cloud](../paths/cloud.md), [phs](../paths/phs.md), [pta](../paths/pta.md),
  [federated](../paths/federated.md), under "What can go wrong".

`

func TestReasonsPage(t *testing.T) {
	var b strings.Builder
	b.WriteString(generated + reasonsIntro)
	header(&b, "Reason", "Code", "Verdict", "Paths", "Counts", "What happened", "Told at the door")
	for _, r := range authn.Reasons() {
		code, told := fmt.Sprint(r.Code()), "nothing"
		if r.OwnMapping() {
			code += "*"
		}
		if p := r.Public(); p.Message != "" {
			told = fmt.Sprintf("%d: %s", p.Code, p.Message)
		}
		verdict := authn.Denied
		if r.Verdict() != authn.Denied {
			verdict = r.Verdict()
		}
		happened := journal.Row(authn.Record{Verdict: verdict, Reason: r}).Status.FailureReason
		counts := "no"
		if r.Counts() {
			counts = "yes"
		}
		row(&b, fmt.Sprintf("<a id=%q></a>`%s`", r, r), code, strings.Trim(fmt.Sprint(r.Verdicts()), "[]"), pathsOf(r), counts, happened, told)
	}
	page(t, "reasons.md", b.String())
}

func pathsOf(r authn.Reason) string {
	var on []string
	for _, p := range authn.Paths() {
		if r.On(p) {
			on = append(on, string(p))
		}
	}
	if len(on) == 0 {
		return "told by an application"
	}
	return strings.Join(on, ", ")
}

const stepsIntro = `# Steps

What a trace is made of. The ids are a closed list: they stand in the API, in traces and in the anchors of these pages.
The sentences are those of the program; what a step knows of one sign-in (an agent's name, a code) is filled in there.

`

func TestStepsPageAndAnchors(t *testing.T) {
	var b strings.Builder
	b.WriteString(generated + stepsIntro)
	header(&b, "Step", "Page", "When it went well", "When it was refused", "When it was skipped")
	for _, id := range authn.StepIDs() {
		sentence := func(r authn.StepResult) string { return trace.Sentence(authn.Step{ID: id, Result: r}) }
		if sentence(authn.StepOK) == "" {
			t.Errorf("step %s has no sentence", id)
		}
		name, link := fmt.Sprintf("<a id=%q></a>`%s`", anchor(id), id), "all paths"
		if file := pageOf(id); file != "" {
			name, link = fmt.Sprintf("`%s`", id), fmt.Sprintf("[%s](../paths/%s#%s)", strings.TrimSuffix(file, ".md"), file, anchor(id))
			holds(t, file, fmt.Sprintf("<a id=%q></a>", anchor(id)))
		}
		row(&b, name, link, sentence(authn.StepOK), sentence(authn.StepRefused), sentence(authn.StepSkipped))
	}
	page(t, "steps.md", b.String())
}

// anchor is a step id as an address has it: F4.in_response_to is #f4-in-response-to.
func anchor(id authn.StepID) string {
	return strings.NewReplacer(".", "-", "_", "-").Replace(strings.ToLower(string(id)))
}

func pageOf(id authn.StepID) string {
	return map[byte]string{'K': "cloud.md", 'H': "phs.md", 'P': "pta.md", 'F': "federated.md"}[id[0]]
}

func holds(t *testing.T, file, want string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("paths", file))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), want) {
		t.Errorf("docs/paths/%s lacks %s", file, want)
	}
}

const metricsIntro = `# Metrics

What ` + "`/metrics`" + ` on the telemetry listener (` + "`127.0.0.1:8402`" + `) serves. No label holds a name, an address or any other text of
a request, and every combination that can be counted is there at 0 from the start; **series** says how many that is
before the first sign-in, with one domain and one identity provider. ` + "`fourways_build_info`, `go_*`, `process_*` and `http_requests_total`" + ` (by
listener, method and status, from the first request on) are there as well.

`

func TestMetricsPage(t *testing.T) {
	m := metrics.New(metrics.Readers{
		Domains: func() []directory.Domain {
			return []directory.Domain{{Name: "cloud.example.test", Path: authn.PathCloud}}
		},
		CertExpiry: func() map[string]time.Time { return map[string]time.Time{"partner": time.Unix(0, 0)} },
		Faults:     func() map[string]bool { return map[string]bool{"dc-down": false} },
	})
	m.KnowIdPs([]directory.IdP{{ID: "partner", Protocol: "saml"}})
	families, err := m.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString(generated + metricsIntro)
	header(&b, "Metric", "Type", "Labels", "Series", "Meaning")
	for _, f := range families {
		name := f.GetName()
		if strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_") || name == "fourways_build_info" {
			continue // of the platform, not of ours
		}
		var labels []string
		for _, series := range f.GetMetric() {
			for _, pair := range series.GetLabel() {
				if label := "`" + pair.GetName() + "`"; !slices.Contains(labels, label) {
					labels = append(labels, label)
				}
			}
		}
		row(&b, "`"+name+"`", strings.ToLower(f.GetType().String()), strings.Join(labels, " "), fmt.Sprint(len(f.GetMetric())), f.GetHelp())
	}
	page(t, "metrics.md", b.String())
}
