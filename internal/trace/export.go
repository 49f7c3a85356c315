package trace

import (
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/fourways-id/fourways/authn"
)

// export is a trace as a program reads it. Its records and away make an Attempt again.
type export struct {
	ID authn.AttemptID `json:"id"`
	Attempt
	Custody exportedLedger `json:"custody"`
}

type exportedLedger struct {
	Summary string          `json:"summary"`
	Entries []exportedEntry `json:"entries"`
	Away    bool            `json:"away"`
	Missing []Gap           `json:"missing"`
}

type exportedEntry struct {
	Entry
	Agent string         `json:"agent,omitempty"`
	Steps []authn.StepID `json:"steps"`
}

// JSON writes the Records with the custody ledger that is drawn from them.
func JSON(w io.Writer, a Attempt) error {
	l := Custody(a.Records)
	e := export{Attempt: a, Custody: exportedLedger{Summary: l.String(), Entries: []exportedEntry{}, Away: l.Away, Missing: append([]Gap{}, l.Missing...)}}
	if len(a.Records) > 0 {
		e.ID = a.Records[0].ID
	}
	for _, entry := range l.Entries {
		e.Custody.Entries = append(e.Custody.Entries, exportedEntry{entry, entry.Agent, entry.Steps})
	}
	b, err := json.MarshalIndent(e, "", "  ")
	if err == nil {
		_, err = w.Write(append(spelled(b), '\n'))
	}
	if err != nil {
		return fmt.Errorf("write the trace: %w", err)
	}
	return nil
}

// spelled spells what steers a terminal or hides by its number: encoding/json leaves C1 controls and marks of direction as
// they are, and a browser's name of itself is whatever its owner likes. Such a thing stands in strings alone.
func spelled(b []byte) []byte {
	var out []byte
	for _, r := range string(b) {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			out = utf8.AppendRune(out, r)
		default:
			for _, unit := range utf16.AppendRune(nil, r) {
				out = fmt.Appendf(out, `\u%04x`, unit)
			}
		}
	}
	return out
}
