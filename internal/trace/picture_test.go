package trace

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/golden"
)

// drawings are all that is made of an attempt.
func drawings() map[string]func(io.Writer, Attempt) error {
	return map[string]func(io.Writer, Attempt) error{
		"svg": SVG, "mmd": Mermaid, "waterfall.svg": Waterfall, "json": JSON, "section": Section,
		"html": func(w io.Writer, a Attempt) error { return HTML(w, a) },
	}
}

func drawn(t testing.TB, f func(io.Writer, Attempt) error, a Attempt) string {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b, a); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// withoutLook leaves out the style sheet, which all pictures share.
func withoutLook(svg string) string {
	before, rest, _ := strings.Cut(svg, "<style>")
	_, after, _ := strings.Cut(rest, "</style>")
	return before + "<style></style>" + after
}

func ledgerText(a Attempt) string {
	var b strings.Builder
	l := Custody(a.Records)
	fmt.Fprintln(&b, l)
	t := newLedgerTable(a.Records)
	for i, line := range t.Lines {
		fmt.Fprintf(&b, "%s | %s | %s | %s | %s\n", line.Who, line.Form, line.For, line.Kept, l.Entries[i].Steps)
	}
	for _, gap := range t.Missing {
		fmt.Fprintf(&b, "missing: %s\n", gap)
	}
	return b.String()
}

func TestEachPathAndOutcomeIsDrawn(t *testing.T) {
	for name, a := range stories(t) {
		t.Run(name, func(t *testing.T) {
			golden.Check(t, "testdata/stories/"+name+".svg", withoutLook(drawn(t, SVG, a)))
			golden.Check(t, "testdata/stories/"+name+".mmd", drawn(t, Mermaid, a))
			golden.Check(t, "testdata/stories/"+name+".ledger", ledgerText(a))
		})
	}
}

func TestWaterfallAndPageAreGolden(t *testing.T) {
	for _, name := range []string{"pta-hand-over", "federated-allowed"} {
		golden.Check(t, "testdata/stories/"+name+"-waterfall.svg", withoutLook(drawn(t, Waterfall, stories(t)[name])))
		_, section, _ := strings.Cut(drawn(t, drawings()["html"], stories(t)[name]), "</style>")
		golden.Check(t, "testdata/stories/"+name+".html", section)
	}
}

func TestNothingIsMissingFromAWholeTrace(t *testing.T) {
	for name, a := range stories(t) {
		if gaps := Custody(a.Records).Missing; len(gaps) > 0 {
			t.Errorf("%s: %v", name, gaps)
		}
	}
}

func TestDroppingAnyStepChangesTheLedger(t *testing.T) {
	for name, a := range stories(t) {
		whole := Custody(a.Records)
		for i, r := range a.Records {
			for j, s := range r.Steps {
				less := slices.Clone(a.Records)
				less[i].Steps = slices.Delete(slices.Clone(r.Steps), j, j+1)
				if cmp.Equal(whole, Custody(less)) {
					t.Errorf("%s: without its step %d, %s, the ledger is the same", name, j, s.ID)
				}
			}
		}
	}
}

func TestAHandOverShowsBothAgents(t *testing.T) {
	p := draw(stories(t)["pta-hand-over"], false)
	var agents []string
	for _, c := range p.Columns {
		if c.lane == authn.Agent {
			agents = append(agents, c.agent)
		}
	}
	if !slices.Equal(agents, []string{"agent-1", "agent-2"}) {
		t.Fatalf("the lanes of agents are %q", agents)
	}
	var sealed, clear []string
	for _, e := range Custody(stories(t)["pta-hand-over"].Records).Entries {
		switch {
		case e.Lane == authn.Queue:
			sealed = append(sealed, string(e.Form))
		case e.Lane == authn.Agent:
			clear = append(clear, e.Agent)
		}
	}
	if !slices.Equal(sealed, []string{"sealed:agent-1", "sealed:agent-2"}) || !slices.Equal(clear, []string{"agent-2"}) {
		t.Errorf("sealed %q, in clear at %q", sealed, clear)
	}
}

func TestLanesThatTookNoPartCollapse(t *testing.T) {
	want := map[string]int{"cloud-allowed": 3, "phs-allowed": 4, "pta-allowed": 6, "pta-hand-over": 7, "pta-no-agent": 3, "federated-allowed": 4, "federated-abandoned": 4}
	for name, n := range want {
		if p := draw(stories(t)[name], false); len(p.Columns) != n {
			t.Errorf("%s has %d lanes, want %d: %v", name, len(p.Columns), n, p.Columns)
		}
	}
}

func TestTheIdPsWordsStandInTheGapOnly(t *testing.T) {
	for _, r := range draw(stories(t)["federated-allowed"], false).Rows {
		in := strings.Contains(strings.Join(r.Words, "\n"), "own words")
		if in != (r.ID == "F2") {
			t.Errorf("%s says %q", r.ID, r.Words)
		}
	}
}

func TestJSONSteersNoTerminal(t *testing.T) {
	a := stories(t)["cloud-denied"]
	const typed = "M \u009b31m\u202e\u00ad\x1b \U000e0041é☃"
	a.Records[0].Place.UserAgent = typed
	got := drawn(t, JSON, a)
	for _, r := range got {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Errorf("%U is in it", r)
		}
	}
	var back Attempt
	if err := json.Unmarshal([]byte(got), &back); err != nil || back.Records[0].Place.UserAgent != typed {
		t.Errorf("%v: %q came back", err, back.Records[0].Place.UserAgent)
	}
}

func TestJSONGivesTheAttemptBack(t *testing.T) {
	for name, a := range stories(t) {
		var back Attempt
		if err := json.Unmarshal([]byte(drawn(t, JSON, a)), &back); err != nil {
			t.Fatal(err)
		}
		if got, want := drawn(t, SVG, back), drawn(t, SVG, a); got != want {
			t.Errorf("%s: another diagram after a round trip", name)
		}
	}
}

// wellFormed fails unless the text is XML whose elements are all known ones.
func wellFormed(t testing.TB, svg string) {
	t.Helper()
	known := "svg title desc style rect defs pattern path circle marker text line g"
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("not XML: %v\n%s", err, svg)
		}
		if e, ok := token.(xml.StartElement); ok && !slices.Contains(strings.Fields(known), e.Name.Local) {
			t.Fatalf("an element %s", e.Name.Local)
		}
	}
}

// withEverywhere puts text wherever somebody else can have written something.
func withEverywhere(a Attempt, text string) Attempt {
	var out Attempt
	for _, r := range a.Records {
		r.Who, r.Name, r.Cause, r.Realm.Rule, r.Realm.IdP, r.Place.UserAgent = text, text, text, text, text, text
		r.ID = authn.AttemptID(text)
		r.Steps = slices.Clone(r.Steps)
		for i, s := range r.Steps {
			s.Facts = maps.Clone(s.Facts)
			for k := range s.Facts {
				s.Facts[k] = text
			}
			if s.Held[authn.Queue] != "" && s.Held[authn.Queue] != authn.FormNone {
				s = s.Hold(authn.Queue, authn.SealedFor(text))
			}
			s.Fault = text
			r.Steps[i] = s
		}
		out.Records = append(out.Records, r)
	}
	out.Away = []Away{{At: began(), Request: text, Who: text, Result: text, Reason: text}}
	return out
}

func FuzzHostileWordsStayWords(f *testing.F) {
	for _, text := range []string{
		"alice", `"><script>alert(1)</script>`, "</title></svg><img src=x onerror=alert(1)>", "]]>--><!--", "a\nclick L0 href \"javascript:1\"\nend", "x;L0->>L1: forged %%{init: {}}%%",
		"\x1b[2J\u202e\x00\xff", "#59;#lt;b#gt;", "'onload='x", strings.Repeat("W", 300), "{{.}} ${x} `y`",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		marked := "Zq" + text
		for name, story := range map[string]Attempt{"pta": stories(t)["pta-hand-over"], "saml": stories(t)["federated-allowed"]} {
			a := withEverywhere(story, marked)
			wellFormed(t, drawn(t, SVG, a))
			wellFormed(t, drawn(t, Waterfall, a))
			inertPage(t, drawn(t, drawings()["html"], a))
			plainMermaid(t, drawn(t, Mermaid, a), drawn(t, Mermaid, story), name)
			drawn(t, SVG, Redact(a, Mask))
		}
	})
}

// inertPage fails when a page has more elements that do something than an honest one, or a link that leads out of it.
func inertPage(t testing.TB, html string) {
	t.Helper()
	if n := strings.Count(html, "<script"); n != 1 {
		t.Fatalf("%d scripts", n)
	}
	for _, tag := range []string{"<img", "<iframe", "<a href=\"h", "<!--", "onerror=alert(1)>"} {
		if strings.Contains(html, tag) {
			t.Fatalf("%s in the page", tag)
		}
	}
}

// plainMermaid fails unless each line begins as the honest diagram's lines can.
func plainMermaid(t testing.TB, got, honest, name string) {
	t.Helper()
	begins := []string{"sequenceDiagram", "  accTitle: ", "  participant L", "  Note over L", "  L"}
	for line := range strings.Lines(got) {
		if !slices.ContainsFunc(begins, func(b string) bool { return strings.HasPrefix(line, b) }) {
			t.Fatalf("%s: a line of its own: %q", name, line)
		}
		if text := strings.TrimSpace(line); strings.ContainsAny(text, "<\"%{}[]`") {
			t.Fatalf("%s: markup in %q", name, line)
		}
	}
	if n, most := strings.Count(got, "->>"), strings.Count(honest, "->>"); n != most {
		t.Fatalf("%s: %d arrows, want %d", name, n, most)
	}
}

func TestOddRecordsAreDrawnAllTheSame(t *testing.T) {
	odd := map[string]Attempt{
		"nothing":  {},
		"no steps": {Records: []authn.Record{{ID: "x"}}},
		"no times": {Records: []authn.Record{{ID: "x", Steps: []authn.Step{{ID: "X9", From: "moon", To: "sun", Result: "perhaps"}, {ID: authn.F2}}}}},
		"backwards": {Records: []authn.Record{record(authn.PathPTA, authn.Undecided, authn.None,
			step(900, authn.P5, authn.Queue, authn.Agent, -5).Hold(authn.Agent, authn.FormClear), step(-900, authn.P6, authn.Agent, authn.Agent, 1<<62).Hold("moon", "cheese"))}},
		"away only": {Away: []Away{{Who: "alice"}}},
	}
	whole := stories(t)["pta-hand-over"]
	for i := range whole.Records[0].Steps { // the end is cut off, the beginning is cut off
		head, tail := whole.Records[0], whole.Records[0]
		head.Steps, tail.Steps = head.Steps[:i], tail.Steps[i:]
		odd[fmt.Sprintf("first %d", i)], odd[fmt.Sprintf("from %d", i)] = Attempt{Records: []authn.Record{head}}, Attempt{Records: []authn.Record{tail}}
	}
	for name, a := range odd {
		for what, draw := range drawings() {
			out := drawn(t, draw, a)
			if strings.Contains(out, "NaN") || strings.HasSuffix(what, "svg") && strings.Contains(out, `width="-`) {
				t.Errorf("%s as %s: %s", name, what, out)
			}
		}
	}
}

func TestThePageLoadsNothing(t *testing.T) {
	html := drawn(t, drawings()["html"], stories(t)["federated-allowed"])
	if !strings.Contains(html, "default-src &#39;none&#39;") {
		t.Error("the page has no policy")
	}
	for _, load := range []string{" src=", "@import", "url(h", "//fonts", "style=\"", " onclick"} {
		if strings.Contains(html, load) {
			t.Errorf("%q in the page", load)
		}
	}
	two := drawn(t, func(w io.Writer, a Attempt) error { return HTML(w, a, stories(t)["cloud-denied"]) }, stories(t)["pta-allowed"])
	if strings.Count(two, "<section") != 2 || strings.Count(two, "<style") != 1 {
		t.Error("two attempts are not two sections of one page")
	}
}

func TestIdsOfASectionBearTheCorrelationId(t *testing.T) {
	section := drawn(t, Section, stories(t)["pta-allowed"])
	ids := strings.Split(section, ` id="`)[1:]
	for _, rest := range ids {
		if !strings.HasPrefix(rest, "t-6f1c5a52-0000-4000-8000-000000000001") {
			t.Errorf("the id %s", strings.SplitN(rest, `"`, 2)[0])
		}
	}
	if len(ids) < 10 {
		t.Errorf("only %d ids were found", len(ids))
	}
}
