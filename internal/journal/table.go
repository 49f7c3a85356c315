package journal

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
)

// Table writes rows in the default columns of `signins`. The request id is the trace's id too.
func Table(w io.Writer, rows []SignIn) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, err := fmt.Fprintln(tw, "DATE\tREQUEST ID\tUSER\tAPPLICATION\tSTATUS\tPATH\tCODE\tREASON\tIP\tCLIENT\tDURATION")
	for _, r := range rows {
		if err != nil {
			break
		}
		_, err = fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n",
			r.CreatedDateTime.Format("2006-01-02T15:04:05Z"), r.ID, who(r), dash(r.AppDisplayName), word(r.Fourways.Outcome),
			r.Fourways.Path, r.Status.ErrorCode, r.Fourways.Reason, dash(r.IPAddress), r.ClientAppUsed, took(r.ProcessingTimeInMilliseconds))
	}
	if err == nil {
		err = tw.Flush()
	}
	if err != nil {
		return fmt.Errorf("write the sign-in log: %w", err)
	}
	return nil
}

// who is the person, or how many were turned away.
func who(r SignIn) string {
	if r.Fourways.Shed > 0 {
		return fmt.Sprintf("(%d turned away)", r.Fourways.Shed)
	}
	return short(r.UserPrincipalName)
}

// took is a time in whole milliseconds, as Graph has it.
func took(ms int64) string {
	if ms == 0 {
		return "<1 ms"
	}
	return strconv.FormatInt(ms, 10) + " ms"
}

// word is the outcome as the portal shows it; error is ours.
func word(outcome string) string {
	if outcome == "" {
		return "-"
	}
	return string(outcome[0]-'a'+'A') + outcome[1:]
}

// short keeps one odd name from widening the table for everybody.
func short(s string) string {
	const widest = 48
	runes := []rune(bound(s))
	if len(runes) <= widest {
		return string(runes)
	}
	return string(runes[:widest-1]) + "…"
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return bound(s)
}
