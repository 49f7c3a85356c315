package trace

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Text writes the trace of one attempt: who, by which path and rule, each step with its lanes and times, the verdict, and
// the custody line. Times are milliseconds: when a step began after the attempt did, and how long it took.
func Text(w io.Writer, records []authn.Record) error {
	records = inOrder(records)
	if len(records) == 0 {
		return nil
	}
	var b bytes.Buffer
	last := records[len(records)-1]
	fmt.Fprintf(&b, "%s  by %s", printable(last.Who), last.Path())
	if last.Realm.Rule != "" {
		fmt.Fprintf(&b, " (%s)", printable(last.Realm.Rule))
	}
	fmt.Fprintf(&b, "\ntrace %s\n\n", last.ID)
	table(&b, records)
	fmt.Fprintf(&b, "\n%s\n%s\n", verdict(last), Custody(records))
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write the trace: %w", err)
	}
	return nil
}

func table(b *bytes.Buffer, records []authn.Record) {
	tw := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "  \tSTEP\tFROM\t\tTO\tAT\tTOOK\tWHAT\n")
	for i, r := range records {
		if i > 0 {
			fmt.Fprintf(tw, "  \t\t\t\t\t%s\t\tthe browser came back\n", ms(r.At.Sub(r.Began)))
		}
		for _, s := range r.Steps {
			arrow, to := "→", laneShort(s.To)
			if s.From == s.To {
				arrow, to = "•", ""
			}
			fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
				mark(s.Result), s.ID, laneShort(s.From), arrow, to, ms(s.At.Sub(r.Began)), ms(s.Took), sentence(s))
		}
	}
	_ = tw.Flush() // a bytes.Buffer takes everything
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
		return "– waits for: " + string(r.Challenge)
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

// ms is a duration in milliseconds, with a decimal below 10.
func ms(d time.Duration) string {
	n := float64(d) / float64(time.Millisecond)
	if n >= 10 || n <= -10 {
		return fmt.Sprintf("%.0f ms", n)
	}
	return fmt.Sprintf("%.1f ms", n)
}
