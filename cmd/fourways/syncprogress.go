package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/fourways-id/fourways/internal/console/api"
)

// progressEvery is how often a run's progress is told.
const progressEvery = 2 * time.Second

// tellProgress tells on stderr how far a run is, until the function that it gives is called.
func (a *app) tellProgress(ctx context.Context, status func(context.Context) (api.SyncStatus, error)) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	f, ok := a.err.(*os.File)
	p := progress{to: a.err, inPlace: ok && term.IsTerminal(int(f.Fd()))}
	tick := time.NewTicker(progressEvery)
	over := make(chan struct{})
	go func() {
		defer close(over)
		p.follow(ctx, tick.C, status)
	}()
	return func() {
		tick.Stop()
		cancel()
		<-over
	}
}

// progress writes how far a run is: a line each time, or the same line again and again where it is a terminal.
type progress struct {
	to      io.Writer
	inPlace bool
	last    int // characters that stand on the line
}

// follow asks at each tick, and tells what it hears, until ctx ends. A question that fails is not worth a word: the run itself
// says what is wrong.
func (p *progress) follow(ctx context.Context, ticks <-chan time.Time, status func(context.Context) (api.SyncStatus, error)) {
	defer p.clear()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
		if s, err := status(ctx); err == nil && s.Running != nil {
			p.tell(*s.Running, s.At)
		}
	}
}

func (p *progress) tell(s api.SyncProgress, at time.Time) {
	line := printable(progressLine(s, at))
	if !p.inPlace {
		_, _ = fmt.Fprintln(p.to, line) // nothing is left to tell of a broken stderr
		return
	}
	width := utf8.RuneCountInString(line)
	_, _ = fmt.Fprintf(p.to, "\r%s%s", line, strings.Repeat(" ", max(0, p.last-width)))
	p.last = width
}

// clear leaves an empty line to what comes after.
func (p *progress) clear() {
	if p.last > 0 {
		_, _ = fmt.Fprintf(p.to, "\r%s\r", strings.Repeat(" ", p.last))
	}
}

// progressLine is how far a run is: "directory, full, apply: 1200 read, 40 planned, 12 applied, 0:21".
func progressLine(s api.SyncProgress, at time.Time) string {
	how := "delta"
	if s.Full {
		how = "full"
	}
	return fmt.Sprintf("%s, %s, %s: %d read, %d planned, %d applied, %s", s.Kind, how, s.Phase, s.Read, s.Planned, s.Applied, clockFace(at.Sub(s.Began)))
}

// clockFace is a duration as a clock has it: 0:21, 12:05, 1:02:09; in days where it is long.
func clockFace(d time.Duration) string {
	d = max(0, d.Truncate(time.Second))
	hours, minutes, seconds := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case hours >= 48:
		return fmt.Sprintf("%d days", hours/24)
	case hours > 0:
		return fmt.Sprintf("%d:%02d:%02d", hours, minutes, seconds)
	}
	return fmt.Sprintf("%d:%02d", minutes, seconds)
}
