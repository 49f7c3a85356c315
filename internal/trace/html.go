package trace

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/fourways-id/fourways/authn"
)

var (
	//go:embed look/page.gohtml
	pageTemplate string
	//go:embed look/section.css
	sectionLook string
	//go:embed look/page.css
	pageLook string
	//go:embed look/replay.js
	replay string
)

// HTML writes one page with all of each sign-in: diagram, waterfall, ledger, steps. It needs no other file and no network:
// its policy, in the page itself, lets a browser load nothing and run nothing but its own few lines.
func HTML(w io.Writer, attempts ...Attempt) error {
	p := page{Policy: Policy(), Style: template.CSS(pageLook + Style()), Script: template.JS(replay)} //nolint:gosec // our own files
	for _, a := range attempts {
		p.Sections = append(p.Sections, newSection(a))
	}
	return execute(w, "page", p)
}

// Section writes what HTML says of one sign-in as a <section> for somebody else's page, whose ids all begin with "t-" and the
// correlation id. The page brings Style along.
func Section(w io.Writer, a Attempt) error { return execute(w, "section", newSection(a)) }

// Style is the style sheet of sections. All of it is bound to their classes fwt and trace.
func Style() string { return pictureLook + sectionLook }

// Policy is the Content-Security-Policy under which the page of HTML works.
func Policy() string {
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; style-src " + hash(pageLook+Style()) + "; script-src " + hash(replay) + "; img-src data:; base-uri 'none'; form-action 'none'"
}

func execute(w io.Writer, name string, data any) error {
	t, err := template.New("trace").Parse(pageTemplate)
	if err != nil {
		return fmt.Errorf("the page of a trace: %w", err)
	}
	var b bytes.Buffer // all or nothing
	if err := t.ExecuteTemplate(&b, name, data); err != nil {
		return fmt.Errorf("the page of a trace: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

type page struct {
	Policy   string
	Style    template.CSS
	Script   template.JS
	Sections []section
}

// Title names the page after what it shows.
func (p page) Title() string {
	if len(p.Sections) == 1 {
		return "Trace: " + p.Sections[0].Headline
	}
	return fmt.Sprintf("%d traces", len(p.Sections))
}

// section is one sign-in in words.
type section struct {
	ID, Headline, Who, Path string
	Verdict, Kind, Cause    string
	About                   []pair
	Diagram, Waterfall      template.HTML
	Ledger                  ledgerTable
	Messages                []message
	Steps                   []stepLine
}

type pair struct{ Name, Value string }

type message struct {
	Title string
	Facts []pair
}

type stepLine struct {
	Mark, ID, Between, At, Took, What string
	Result                            string
	Badges                            []string
	Facts                             []pair
}

func newSection(a Attempt) section {
	records := inOrder(a.Records)
	s := section{
		ID: prefix(a), Headline: headline(a), Who: "Nothing was recorded", Ledger: newLedgerTable(records),
		Diagram:   template.HTML(diagram(a, true).String()),   //nolint:gosec // the canvas escapes
		Waterfall: template.HTML(waterfall(a, true).String()), //nolint:gosec // the canvas escapes
	}
	if len(records) == 0 {
		return s
	}
	last := records[len(records)-1]
	s.Who, s.Path, s.Kind = printable(last.Who), byPath(last), kind(last)
	s.Verdict, s.Cause, _ = strings.Cut(verdict(last), "\n")
	s.Cause = strings.TrimSpace(s.Cause)
	s.About = about(last)
	steps := allSteps(records)
	agents := agentOf(steps)
	for i, step := range steps {
		s.Steps = append(s.Steps, newStepLine(step, agents[i], last))
		switch step.ID { //nolint:exhaustive // the messages between us and the provider
		case authn.F1:
			s.Messages = append(s.Messages, message{"The request to the identity provider, decoded", pairs(step)})
		case authn.F3:
			s.Messages = append(s.Messages, message{"Its answer, as it arrived", pairs(step)})
		}
	}
	return s
}

func kind(r authn.Record) string {
	if r.Verdict == authn.Challenged && r.Final {
		return "interrupted"
	}
	return r.Verdict.String()
}

func about(r authn.Record) []pair {
	all := []pair{
		{"Correlation id", printable(string(r.ID))},
		{"Decided by the rule", printable(r.Realm.Rule)},
		{"Identity provider", printable(r.Realm.IdP)},
		{"Began", r.Began.UTC().Format("2006-01-02 15:04:05.000 UTC")},
		{"Took", ms(r.At.Add(r.Took).Sub(r.Began))},
		{"Name", printable(r.Name)},
		{"Client", printable(r.Place.UserAgent)},
	}
	if r.Place.Addr.IsValid() {
		all = append(all, pair{"Address", r.Place.Addr.String()})
	}
	switch {
	case r.Reason != authn.None && r.Reason.Code() != 0:
		all = append(all, pair{"Code", fmt.Sprintf("%d (%s)", r.Reason.Code(), r.Reason)})
	case r.Reason != authn.None:
		all = append(all, pair{"Reason", r.Reason.String()})
	}
	return slices.DeleteFunc(all, func(p pair) bool { return p.Value == "" })
}

func newStepLine(s authn.Step, agent string, r authn.Record) stepLine {
	line := stepLine{
		Mark: mark(s.Result), ID: printable(string(s.ID)), At: ms(s.At.Sub(r.Began)), Took: ms(s.Took), What: Sentence(s),
		Result: printable(string(s.Result)), Facts: pairs(s), Between: laneOf(s.From, agent),
	}
	if s.To != s.From {
		line.Between += " → " + laneOf(s.To, agent)
	}
	if s.Simulated {
		line.Badges = append(line.Badges, "simulated")
	}
	if s.Fault != "" {
		line.Badges = append(line.Badges, "fault: "+printable(s.Fault))
	}
	return line
}

func laneOf(l authn.Lane, agent string) string {
	if l == authn.Agent && agent != "" {
		return "agent " + printable(agent)
	}
	return printable(laneName(l))
}

// pairs are a step's facts in the order of their names.
func pairs(s authn.Step) []pair {
	var all []pair
	for k, v := range s.Facts {
		all = append(all, pair{printable(string(k)), printable(v)})
	}
	slices.SortFunc(all, func(a, b pair) int { return strings.Compare(a.Name, b.Name) })
	return all
}
