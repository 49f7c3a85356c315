package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/fourways-id/fourways/authn"
	tree "github.com/fourways-id/fourways/internal/choose"
	"github.com/fourways-id/fourways/internal/trace"
)

const chooseLong = `Choose how a domain's people sign in, by Microsoft's questions: the identity model first, then managed or federated, then the
method. It ends with the path, why, what it costs, the lines for the configuration, and what to type in the lab to see it work.

On a terminal it asks: answer with a number or a word, "?" explains, "back" takes the last answer back. A script gives
--answer key=value, or one answer a line by --answers FILE or standard input; a wrong or missing one ends with exit code 2.`

const chooseExample = `  fourways choose
  fourways choose --answer directory=none
  fourways choose --domain contoso.example --answer directory=directory --answer handover=no --answer features=no --answer policies=no -o json`

type chooseFlags struct {
	domain  string
	answers []string
	file    string
}

func newChoose(a *app) *cobra.Command {
	var f chooseFlags
	cmd := &cobra.Command{
		Use: "choose", Short: "Choose a sign-in path by Microsoft's questions", Long: chooseLong, Example: chooseExample, Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.choose(cmd, f) },
	}
	cmd.Flags().StringVar(&f.domain, "domain", "contoso.example", "the `domain` that the lines are for")
	cmd.Flags().StringArrayVar(&f.answers, "answer", nil, "answer one question: `key=value`")
	cmd.Flags().StringVar(&f.file, "answers", "", "a `file` with one answer a line: key=value, or the value alone in the order of the questions")
	return cmd
}

func (a *app) choose(cmd *cobra.Command, f chooseFlags) error {
	domain := authn.ParseIdentifier("x@" + f.domain).Domain()
	if domain == "" {
		return misuse(cmd, "--domain %q is no domain name", f.domain)
	}
	talk, err := a.talk(cmd, f)
	if err != nil {
		return err
	}
	r, ok := talk.Recommend(domain)
	if !ok {
		q, _ := talk.Next()
		return misuse(cmd, "%s is not answered (%s): give --answer %s=VALUE, one of %s", q.Key, q.Ask, q.Key, words(q))
	}
	cols := columns[tree.Recommendation]{
		names: []string{"domain", "path", "protocol", "passwordHashSync", "toml"},
		cells: func(r tree.Recommendation) []string {
			return []string{r.Domain, string(r.Path), r.Protocol, yesNo(r.Hashes), r.TOML}
		},
	}
	return show(a, r, cols, func(w io.Writer) error { return writeRecommendation(w, r, a.width()) })
}

// talk answers from the flags, else from the file or a pipe, else at the terminal.
func (a *app) talk(cmd *cobra.Command, f chooseFlags) (*tree.Talk, error) {
	lines := f.answers
	in, piped := a.in, !a.terminal()
	switch {
	case f.file != "":
		file, err := os.Open(f.file)
		if err != nil {
			return nil, misuse(cmd, "--answers: %v", err)
		}
		defer file.Close()
		in, piped = file, true
	case len(f.answers) > 0:
		return scripted(cmd, lines)
	case !piped:
		return a.interview(cmd.Context())
	}
	for s := bufio.NewScanner(in); s.Scan(); {
		if line := strings.TrimSpace(s.Text()); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return scripted(cmd, lines)
}

func (a *app) terminal() bool {
	f, ok := a.in.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// scripted takes answers by key wherever they stand, and those without a key in the order of the questions.
func scripted(cmd *cobra.Command, lines []string) (*tree.Talk, error) {
	keyed, ordered := map[string]string{}, []string(nil)
	for _, line := range lines {
		key, value, ok := strings.Cut(line, "=")
		key = strings.TrimSpace(key)
		switch {
		case !ok:
			ordered = append(ordered, line)
		case keyed[key] != "":
			return nil, misuse(cmd, "%s is answered twice", key)
		default:
			keyed[key] = value
		}
	}
	talk := tree.Begin()
	for q, open := talk.Next(); open; q, open = talk.Next() {
		said, ok := keyed[q.Key]
		delete(keyed, q.Key)
		if !ok && len(ordered) > 0 {
			said, ordered, ok = ordered[0], ordered[1:], true
		}
		if !ok {
			return talk, nil // the caller says what is missing
		}
		if err := talk.Answer(said); err != nil {
			return nil, usage(cmd, err)
		}
	}
	for key := range keyed {
		return nil, misuse(cmd, "%s is not asked after these answers", key)
	}
	if len(ordered) > 0 {
		return nil, misuse(cmd, "%q answers nothing: there is no question left", ordered[0])
	}
	return talk, nil
}

// interview asks at the terminal; a wrong answer is asked again.
func (a *app) interview(ctx context.Context) (*tree.Talk, error) {
	talk, lines := tree.Begin(), bufio.NewScanner(a.in)
	for q, open := talk.Next(); open; q, open = talk.Next() {
		a.writeQuestion(q)
		if !lines.Scan() || ctx.Err() != nil {
			return nil, errors.Join(failure{exitInterrupted, "interrupted", "the answers ended before the questions did", "run it again"}, lines.Err())
		}
		switch said := strings.ToLower(strings.TrimSpace(lines.Text())); said {
		case "?":
			_, _ = fmt.Fprintf(a.err, "\n%s%s\n", indented(q.Help, "", a.width()), q.Source)
		case "back", "b":
			if !talk.Back() {
				_, _ = fmt.Fprint(a.err, "\nthis is the first question\n")
			}
		default:
			if err := talk.Answer(said); err != nil {
				_, _ = fmt.Fprintf(a.err, "\n%s\n", printable(err.Error()))
			}
		}
	}
	return talk, nil
}

func (a *app) writeQuestion(q tree.Question) {
	_, _ = fmt.Fprintf(a.err, "\n%s", indented(q.Ask, "", a.width()))
	for i, o := range q.Options {
		_, _ = fmt.Fprintf(a.err, "  %d  %-10s %s\n", i+1, o.Word, o.Text)
	}
	_, _ = fmt.Fprint(a.err, "number or word (? explains, back): ")
}

// indented is text for a terminal of that width (0: none), each line with its line break; lead stands before the first, and
// as much room before the others.
func indented(text, lead string, width int) string {
	lines := []string{text}
	if width > 0 {
		lines = trace.Wrap(text, max(20, width-len(lead)))
	}
	return lead + strings.Join(lines, "\n"+strings.Repeat(" ", len(lead))) + "\n"
}

func words(q tree.Question) string {
	all := make([]string, len(q.Options))
	for i, o := range q.Options {
		all[i] = o.Word
	}
	return strings.Join(all, ", ")
}

func writeRecommendation(w io.Writer, r tree.Recommendation, width int) error {
	var b strings.Builder
	fmt.Fprintf(&b, "path: %s", r.Path)
	if r.Protocol != "" {
		fmt.Fprintf(&b, " (%s)", r.Protocol)
	}
	if r.Hashes && r.Path != authn.PathPHS {
		b.WriteString(", with password hash synchronisation as a backup")
	}
	b.WriteString("\n\nwhy:\n")
	for _, a := range r.Why {
		b.WriteString(indented(fmt.Sprintf("%s=%s: %s", a.Key, a.Word, a.Because), "  ", width))
	}
	b.WriteString("\nwhat it costs:\n")
	for _, c := range r.Costs {
		b.WriteString(indented(c, "  ", width))
	}
	b.WriteString("\nfor fourways.toml:\n\n" + r.TOML + "\nshow it working, in the lab:\n")
	for _, s := range r.Show {
		fmt.Fprintf(&b, "  %s\n", s)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
