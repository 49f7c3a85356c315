package doctor

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/onprem"
)

// forest is a directory with one person; it hangs when it is to, and tells no time of its own.
type forest struct {
	trouble error
	hangs   bool
}

func (f forest) Check(ctx context.Context) error {
	if f.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	return f.trouble
}

func (f forest) Read(_ context.Context, q onprem.Query) iter.Seq2[onprem.Entry, error] {
	return func(yield func(onprem.Entry, error) bool) {
		if f.trouble != nil {
			yield(onprem.Entry{}, f.trouble)
			return
		}
		yield(onprem.Entry{Attrs: map[string][][]byte{"mail": {[]byte("alice@one.test")}, "lockoutThreshold": {[]byte("30")}}}, nil)
	}
}

// clocked is a forest that tells its time.
type clocked struct {
	forest
	at  time.Time
	err error
}

func (c clocked) Time(context.Context) (time.Time, error) { return c.at, c.err }

func premises(d Directory) Premises {
	now := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	return Premises{
		Directory: d, Name: "dc1", CloudUPN: "mail", Domains: []string{"one.test"}, Threshold: 10, Duration: time.Hour,
		Now: func() time.Time { return now },
	}
}

func results(all []api.Finding) string {
	var says []string
	for _, f := range all {
		says = append(says, f.ID+" "+f.Result)
	}
	return strings.Join(says, ", ")
}

func TestADirectoryThatCannotBeReachedIsToldOnce(t *testing.T) {
	const want = "dc.bind fail, dc.certificate skip, dc.search skip, dc.suffixes skip, clock.dc skip, lockout.rule skip"
	if got := results(Run(t.Context(), premises(forest{trouble: errors.New("refused")}).Checks())); got != want {
		t.Errorf("down: %s, want %s", got, want)
	}
	checks := premises(forest{hangs: true}).Checks()
	for i := range checks {
		checks[i].Within = time.Millisecond
	}
	for _, f := range Run(t.Context(), checks) {
		if f.Result != api.FindingFail && f.Result != api.FindingSkip {
			t.Errorf("hanging: %+v", f)
		}
	}
	const well = "dc.bind ok, dc.certificate skip, dc.search ok, dc.suffixes ok, clock.dc skip, lockout.rule ok"
	if got := results(Run(t.Context(), premises(forest{}).Checks())); got != well {
		t.Errorf("well: %s, want %s", got, well)
	}
	if got := results(Run(t.Context(), Only(premises(forest{}).Checks(), []string{"dc.search"}))); got != "dc.search ok" {
		t.Errorf("one alone: %s", got)
	}
}

func TestADirectorysClockIsComparedWithTheTimeThatItShouldShow(t *testing.T) {
	p := premises(nil)
	now := p.Now()
	for name, c := range map[string]struct {
		dc         clocked
		ahead      time.Duration
		want, says string
	}{
		"the same":                {clocked{at: now}, 0, api.FindingOK, "agrees"},
		"an hour behind":          {clocked{at: now.Add(-time.Hour)}, 0, api.FindingFail, "59m59s off"},
		"moved on purpose":        {clocked{at: now.Add(100 * time.Hour)}, 100 * time.Hour, api.FindingOK, "100h0m0s ahead"},
		"not moved with the rest": {clocked{at: now}, 100 * time.Hour, api.FindingFail, "100h0m0s ahead"},
		"none":                    {clocked{err: onprem.ErrNoClock}, 0, api.FindingSkip, "only Active Directory"},
		"none to be had":          {clocked{err: errors.New("refused")}, 0, api.FindingSkip, "refused"},
	} {
		p := premises(c.dc)
		p.Ahead = c.ahead
		if got := p.clock(t.Context()); got.result != c.want || !strings.Contains(got.finding, c.says) {
			t.Errorf("%s: %+v, want %s with %q", name, got, c.want, c.says)
		}
	}
}
