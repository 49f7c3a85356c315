package matrix

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
)

func TestThePageNeedsNoOtherFile(t *testing.T) {
	var b bytes.Buffer
	if err := HTML(&b, small()); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, loads := range []string{" src=", "@import", "<script", "<link", "url("} {
		if strings.Contains(page, loads) {
			t.Errorf("the page has %q, which loads or runs something", loads)
		}
	}
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if ids[m[1]] {
			t.Errorf("two things have the id %s", m[1])
		}
		ids[m[1]] = true
	}
	links := 0
	for _, m := range regexp.MustCompile(`href="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if strings.HasPrefix(m[1], "#cell-") {
			links++
		}
		if id, local := strings.CutPrefix(m[1], "#"); local {
			if !ids[id] {
				t.Errorf("the link %s leads nowhere", m[1])
			}
		} else if !strings.HasPrefix(m[1], "https://learn.microsoft.com/") {
			t.Errorf("the page links to %s", m[1])
		}
	}
	if links != 2 {
		t.Errorf("%d cells lead to their traces, want 2", links)
	}
}

func TestThePageSaysEachMarkInWords(t *testing.T) {
	var b bytes.Buffer
	if err := HTML(&b, small()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<strong>1/2 cells as expected</strong> (2 n/a)`, `<span class="mark">AMBER</span> <span class="word">success</span>`,
		`<span class="mark">RED</span> <span class="word">success &lt;b&gt;</span>`, `<details open>`, "it is our choice", "bob@phs.example.test",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page does not say %s", want)
		}
	}
}

// small is a report of one row, with a cell of every kind but a plain one.
func small() api.Matrix {
	record := func(id authn.AttemptID, path authn.Path) api.Trace {
		return api.Trace{ID: id, Records: []authn.Record{{ID: id, Who: "bob@phs.example.test", Realm: authn.Realm{Path: path}, Verdict: authn.Allowed, Final: true}}}
	}
	const state = "disabled on-premises"
	return api.Matrix{
		IdP: "saml", Live: 2, AsExpected: 1, Traces: []api.Trace{record("t1", authn.PathPHS), record("t2", authn.PathPTA)},
		Cells: []api.MatrixCell{
			{State: state, Path: authn.PathCloud, OK: true},
			{State: state, Path: authn.PathPHS, Live: true, OK: true, Amber: true, UPN: "bob@phs.example.test", Expected: "success", Saw: "success", Source: docStates, TraceID: "t1"},
			{State: state, Path: authn.PathPTA, Live: true, UPN: "bob@pta.example.test", Expected: "50057", Saw: "success <b>", Source: Ours, TraceID: "t2"},
			{State: state, Path: authn.PathFederated, OK: true},
		},
	}
}
