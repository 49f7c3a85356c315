package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

func TestAnInterviewExplainsGoesBackAndAsksAgain(t *testing.T) {
	var shown bytes.Buffer
	a := &app{in: strings.NewReader("?\nnonsense \x1b[31m\nback\n2\nBACK\n1"), out: io.Discard, err: &shown, env: func(string) string { return "" }}
	talk, err := a.interview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r, ok := talk.Recommend("contoso.example"); !ok || r.Path != "cloud" || len(r.Why) != 1 {
		t.Errorf("%+v", r)
	}
	says(t, shown.String(), "https://learn.microsoft.com/", "is no answer to directory", "this is the first question", "carry out the sign-in")
	if strings.Contains(shown.String(), "\x1b") {
		t.Errorf("what was typed reaches the terminal as it is: %q", shown.String())
	}
}

func TestAnInterviewThatEndsEarlyIsInterrupted(t *testing.T) {
	a := &app{in: strings.NewReader("2\n"), out: io.Discard, err: io.Discard, env: func(string) string { return "" }}
	_, err := a.interview(t.Context())
	if f := asFailure(t.Context(), err); f.code != exitInterrupted {
		t.Errorf("%+v", f)
	}
}

func TestAnInterviewFitsTheTerminal(t *testing.T) {
	var shown, out bytes.Buffer
	a := &app{in: strings.NewReader("?\n2\n?\n1\n?\n1\n?\n2\n?\n1\n"), out: &out, err: &shown, env: func(string) string { return "80" }} // COLUMNS
	talk, err := a.interview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r, _ := talk.Recommend("contoso.example")
	if err := writeRecommendation(&out, r, a.width()); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(shown.String() + "\n" + out.String()) {
		if n := len([]rune(strings.TrimSpace(line))); n > 80 && !strings.HasPrefix(line, "https://") {
			t.Errorf("%d characters: %s", n, line)
		}
	}
}
