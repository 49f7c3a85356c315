package fourwaystest_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/fourwaystest"
)

// failing is a test that may fail: it keeps what it was ended with.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Fatal(args ...any)                 { f.end(fmt.Sprint(args...)) }
func (f *failing) Fatalf(format string, args ...any) { f.end(fmt.Sprintf(format, args...)) }

func (f *failing) end(said string) {
	f.said = said
	runtime.Goexit()
}

// endsWith is what ended a test that does this; "" when nothing did.
func endsWith(t *testing.T, do func(testing.TB)) string {
	t.Helper()
	f, done := &failing{TB: t}, make(chan struct{})
	go func() {
		defer close(done)
		do(f)
	}()
	<-done
	return f.said
}

func TestWhatCanNotBeDoneSaysWhatToDo(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts the program")
	}
	lab := fourwaystest.Start(t)
	const alice = "alice@pta.example.test"
	for name, c := range map[string]struct {
		do   func(*fourwaystest.Lab)
		says []string
	}{
		"unknown fault":    {func(l *fourwaystest.Lab) { l.Fault("coffee-spilt") }, []string{"the fault coffee-spilt can't be set", "there is no fault", "fault list"}},
		"wrong aim":        {func(l *fourwaystest.Lab) { l.Fault("dc-slow", fourwaystest.Scope("path=pta")) }, []string{"dc-slow", "user=", "domain="}},
		"rate of nothing":  {func(l *fourwaystest.Lab) { l.Fault("dc-down", fourwaystest.Rate(0)) }, []string{"Rate(0)", "more than 0"}},
		"rate above all":   {func(l *fourwaystest.Lab) { l.Fault("dc-down", fourwaystest.Rate(1.5)) }, []string{"1.5", "at most 1"}},
		"unknown domain":   {func(l *fourwaystest.Lab) { l.SetMode("nowhere.test", authn.PathPHS) }, []string{"nowhere.test can't be set to phs"}},
		"unknown person":   {func(l *fourwaystest.Lab) { l.Password("zoe@pta.example.test") }, []string{"zoe@pta.example.test", "Lab.Users"}},
		"empty password":   {func(l *fourwaystest.Lab) { l.SignIn(alice, "") }, []string{"the password is empty", "Lab.Password"}},
		"trace of nothing": {func(l *fourwaystest.Lab) { l.Trace("") }, []string{"a trace", "CorrelationID"}},
		"no such trace":    {func(l *fourwaystest.Lab) { l.Trace("0198c0de-0000-7000-8000-000000000001") }, []string{"0198c0de", "can't be read"}},
		"": {func(l *fourwaystest.Lab) {
			l.Fault("dc-down", fourwaystest.Rate(.5))
			l.SetMode("lab.example.test", authn.PathPTA)
			l.SignIn(alice, l.Password(alice))
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			said := endsWith(t, func(tb testing.TB) { c.do(lab.In(tb)) })
			if (said == "") != (c.says == nil) {
				t.Errorf("it said %q", said)
			}
			for _, part := range c.says {
				if !strings.Contains(said, part) {
					t.Errorf("%q does not say %q", said, part)
				}
			}
		})
	}
}

func TestBinaryThatIsNoneSaysHowToNameOne(t *testing.T) {
	said := endsWith(t, func(tb testing.TB) { fourwaystest.Start(tb, fourwaystest.Binary("/no/such/fourways")) })
	if !strings.Contains(said, "FOURWAYS_BINARY") || !strings.Contains(said, "/no/such/fourways") {
		t.Error(said)
	}
}
