package main

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/userfile"
)

// leakTaker takes pairs as a console does, and no longer body than one.
type leakTaker struct {
	t     *testing.T
	pairs int
}

func (l *leakTaker) CheckLeaked(_ context.Context, ask api.LeakedCheck) (api.LeakedReport, error) {
	body, err := json.Marshal(ask)
	if err != nil || len(body) > api.LeakedLongestBytes {
		l.t.Errorf("a body of %d bytes: %v", len(body), err)
	}
	l.pairs += len(ask.Pairs)
	return api.LeakedReport{Unknown: len(ask.Pairs)}, nil
}

func TestNoListOfLeakedPasswordsMakesARequestTooLong(t *testing.T) {
	const lines = 60
	line := "ann@x.example:" + strings.Repeat("<", 32_000) + "\n" // JSON writes six bytes for each
	taker := &leakTaker{t: t}
	l := leakedRun{app: &app{out: io.Discard, err: io.Discard}, to: taker, missing: map[api.LeakedMissing]int{}}
	if err := l.run(t.Context(), userfile.OpenPairs(strings.NewReader(strings.Repeat(line, lines)))); err != nil {
		t.Fatal(err)
	}
	if taker.pairs != lines {
		t.Errorf("%d pairs were sent, want %d", taker.pairs, lines)
	}
}
