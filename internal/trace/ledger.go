package trace

import (
	"fmt"
	"strings"

	"github.com/fourways-id/fourways/authn"
)

// ledgerTable is the custody ledger as a table of a page.
type ledgerTable struct {
	Summary string
	Lines   []ledgerLine
	Away    bool
	Missing []string
}

type ledgerLine struct {
	Who, Form, For, Kept, Evidence string
	Kind                           barForm
}

func newLedgerTable(records []authn.Record) ledgerTable {
	l := Custody(records)
	t := ledgerTable{Summary: l.String(), Away: l.Away}
	for _, e := range l.Entries {
		t.Lines = append(t.Lines, ledgerLine{
			Who: laneOf(e.Lane, e.Agent), Form: formInWords(e.Form), For: howLong(e), Kept: kept(e), Evidence: evidence(e.Steps), Kind: formOf(e),
		})
	}
	for _, g := range l.Missing {
		t.Missing = append(t.Missing, g.String())
	}
	return t
}

// String says what is missing, and how that is known.
func (g Gap) String() string {
	line := fmt.Sprintf("%s left no evidence, and ", printable(string(g.Step)))
	if g.Since == "" {
		return line + "this outcome can't be without it"
	}
	return line + printable(string(g.Since)) + " can't be without it"
}

func formInWords(f authn.Form) string {
	if agent, ok := strings.CutPrefix(string(f), "sealed:"); ok {
		return "sealed: only " + printable(agent) + " can open it"
	}
	if f == authn.FormAssertion {
		return "assertion of the identity provider"
	}
	return formName(f)
}

func howLong(e Entry) string {
	switch {
	case e.Stored:
		return "before and after this sign-in"
	case e.Ended:
		return ms(e.For)
	}
	return "nobody saw it given up"
}

func kept(e Entry) string {
	if e.Stored {
		return "yes, it is stored"
	}
	return "no, in memory only"
}

// evidence names the steps through which it was held; a long row by its ends.
func evidence(steps []authn.StepID) string {
	names := make([]string, len(steps))
	for i, id := range steps {
		names[i] = printable(string(id))
	}
	if len(names) > 4 {
		return fmt.Sprintf("%s to %s (%d steps)", names[0], names[len(names)-1], len(names))
	}
	return strings.Join(names, ", ")
}
