// Package journal tells of finished sign-ins, after they were written down: one log line, the sinks (metrics), the live
// stream, and the sign-in row in the words of Microsoft Graph.
//
// In come Records from the commit. Out go copies of them and one line for each final one. It never decides anything, never
// blocks a sign-in (a reader of the stream that is too slow misses records, and they are counted), and never logs a value
// that a browser can make as long as it likes.
package journal

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/trace"
)

// buffer is how many records a reader of the stream may be behind.
const buffer = 256

// Journal passes Records on. Make one with New; its methods may be called by many goroutines at once.
type Journal struct {
	log     *slog.Logger
	sinks   []func(authn.Record)
	dropped atomic.Int64

	mu      sync.RWMutex
	readers map[chan authn.Record]struct{}
}

// New makes a journal. Sinks are called one after the other in the goroutine of the sign-in, so they must be quick.
func New(log *slog.Logger, sinks ...func(authn.Record)) *Journal {
	return &Journal{log: log, sinks: sinks, readers: map[chan authn.Record]struct{}{}}
}

// Publish tells of a Record that has been written down.
func (j *Journal) Publish(r authn.Record) {
	for _, sink := range j.sinks {
		sink(r)
	}
	j.stream(r)
	if r.Final {
		j.line(r)
	}
}

// Subscribe streams every Record from now on until ctx ends; then the channel is closed.
func (j *Journal) Subscribe(ctx context.Context) <-chan authn.Record {
	ch := make(chan authn.Record, buffer)
	j.mu.Lock()
	j.readers[ch] = struct{}{}
	j.mu.Unlock()
	context.AfterFunc(ctx, func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		delete(j.readers, ch)
		close(ch)
	})
	return ch
}

// Dropped is how many records slow readers have missed, all readers together.
func (j *Journal) Dropped() int64 { return j.dropped.Load() }

func (j *Journal) stream(r authn.Record) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	for ch := range j.readers {
		select {
		case ch <- r:
		default:
			j.dropped.Add(1)
		}
	}
}

// line is the one log line of a sign-in. The user agent isn't in it.
func (j *Journal) line(r authn.Record) {
	level := slog.LevelInfo
	if r.Verdict == authn.Unavailable {
		level = slog.LevelWarn
	}
	attrs := []slog.Attr{
		slog.String("correlation_id", string(r.ID)),
		slog.String("signin_path", string(r.Path())),
		slog.String("outcome", r.Verdict.MetricOutcome()),
		slog.String("reason", r.Reason.String()),
		slog.Int("code", r.Reason.Code()),
		slog.String("user", bound(r.Who)),
		slog.Int64("ms", r.Took.Milliseconds()),
	}
	optional := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, bound(value)))
		}
	}
	if r.Place.Addr.IsValid() {
		optional("addr", r.Place.Addr.String())
	}
	optional("account", string(r.Account))
	optional("app", r.Place.App)
	optional("check", string(r.Check))
	optional("idp", r.Realm.IdP)
	optional("agent", trace.Fact(r.Steps, authn.FactAgent))
	optional("cause", r.Cause)
	if r.Locked {
		attrs = append(attrs, slog.Bool("locked", true))
	}
	j.log.LogAttrs(context.Background(), level, "sign-in", attrs...)
}

// longestValue bounds a value of a log line, in bytes.
const longestValue = 256

// bound keeps a value short, and characters that steer a terminal or hide out of log files.
func bound(s string) string {
	if len(s) > longestValue {
		s = strings.ToValidUTF8(s[:longestValue], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
