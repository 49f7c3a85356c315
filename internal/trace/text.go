package trace

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Text writes the trace of one attempt: who, by which path and rule, each step with its lanes and times, the verdict, and
// the custody line. Times are milliseconds: when a step began after the attempt did, and how long it took. Where a line
// with all of a step would be longer than width, its sentence stands below it; a width of 0 is no limit.
func Text(w io.Writer, records []authn.Record, width int) error {
	records = inOrder(records)
	if len(records) == 0 {
		return nil
	}
	var b bytes.Buffer
	last := records[len(records)-1]
	fmt.Fprintf(&b, "%s  %s", printable(last.Who), byPath(last))
	if last.Realm.Rule != "" {
		fmt.Fprintf(&b, " (%s)", printable(last.Realm.Rule))
	}
	fmt.Fprintf(&b, "\ntrace %s\n\n", last.ID)
	table(&b, lines(records), width)
	b.WriteByte('\n')
	for part := range strings.Lines(verdict(last) + "\n" + Custody(records).String()) {
		b.WriteString(strings.Join(Wrap(strings.TrimRight(part, "\n"), width), "\n") + "\n")
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write the trace: %w", err)
	}
	return nil
}

// line is one line of the table: what stands in columns, and the sentence.
type line struct{ cells, what string }

func lines(records []authn.Record) []line {
	all := []line{{"  \tSTEP\tFROM\t\tTO\tAT\tTOOK", "WHAT"}}
	for i, r := range records {
		if i > 0 {
			all = append(all, line{"  \t\t\t\t\t" + ms(r.At.Sub(r.Began)) + "\t", "the browser came back"})
		}
		for _, s := range r.Steps {
			arrow, to := "→", laneShort(s.To)
			if s.From == s.To {
				arrow, to = "•", ""
			}
			cells := []string{mark(s.Result), string(s.ID), laneShort(s.From), arrow, to, ms(s.At.Sub(r.Began)), ms(s.Took)}
			all = append(all, line{strings.Join(cells, "\t"), sentence(s)})
		}
	}
	return all
}

func table(b *bytes.Buffer, all []line, width int) {
	var wide bytes.Buffer
	write := func(to io.Writer, what bool) {
		tw := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
		for _, l := range all {
			cells := l.cells
			if what {
				cells += "\t" + l.what
			}
			fmt.Fprintln(tw, cells)
		}
		_ = tw.Flush() // a bytes.Buffer takes everything
	}
	if write(&wide, true); width <= 0 || Widest(wide.String()) <= width {
		b.Write(wide.Bytes())
		return
	}
	const indent = "    " // below the id of the step
	var narrow bytes.Buffer
	write(&narrow, false)
	for i, cells := range slices.Collect(strings.Lines(narrow.String())) {
		b.WriteString(strings.TrimRight(cells, " \n") + "\n")
		if i > 0 { // the first has the names of the columns
			for _, part := range Wrap(all[i].what, width-len(indent)) {
				b.WriteString(indent + part + "\n")
			}
		}
	}
}

// sentence adds what a reader must know of a step that is not plainly real.
func sentence(s authn.Step) string {
	text := Sentence(s)
	if s.Simulated {
		text += " [simulated]"
	}
	if s.Fault != "" {
		text += " [fault: " + printable(s.Fault) + "]"
	}
	return text
}

func verdict(r authn.Record) string {
	took := ms(r.At.Add(r.Took).Sub(r.Began))
	switch r.Verdict {
	case authn.Allowed:
		return "✓ allowed after " + took
	case authn.Challenged:
		if r.Final {
			return "– interrupted: " + r.Reason.String()
		}
		return "– " + waitsFor(r.Challenge)
	case authn.Undecided, authn.Denied, authn.Unavailable:
	}
	line := fmt.Sprintf("✗ %s after %s: %s (%d)", r.Verdict, took, r.Reason, r.Reason.Code())
	if r.Check != "" {
		line += " at " + string(r.Check)
	}
	if r.Cause != "" {
		line += "\n  " + printable(r.Cause)
	}
	return line
}

// byPath is the way in, in words.
func byPath(r authn.Record) string {
	if r.Path() == authn.PathNone {
		return "by no path"
	}
	return "by " + r.Path().InWords()
}

// waitsFor says what the next step is, and whose.
func waitsFor(k authn.ChallengeKind) string {
	switch k {
	case authn.AskPassword:
		return "waits for the password"
	case authn.ChangePassword:
		return "waits for a new password"
	case authn.AskCode:
		return "waits for a code"
	case authn.Redirect, authn.Post:
		return "sent to the identity provider: nothing has come back yet"
	}
	return "waits for: " + printable(string(k))
}

func mark(r authn.StepResult) string {
	switch r {
	case authn.StepOK:
		return "✓"
	case authn.StepRefused:
		return "✗"
	case authn.StepSkipped:
		return "–"
	}
	return "?"
}

// laneShort is the lane in a column.
func laneShort(l authn.Lane) string {
	return strings.ReplaceAll(laneName(l), "identity provider", "IdP")
}

// ms is a duration in milliseconds, with a decimal below 10; from a minute on, which only a person takes, in seconds.
func ms(d time.Duration) string {
	if d.Abs() >= time.Minute {
		return d.Round(time.Second).String()
	}
	n := float64(d) / float64(time.Millisecond)
	if n >= 10 || n <= -10 {
		return fmt.Sprintf("%.0f ms", n)
	}
	return fmt.Sprintf("%.1f ms", n)
}
