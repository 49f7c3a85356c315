package fault

import (
	"math"
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestWrongSettingsAreRefusedAndSayWhatToDo(t *testing.T) {
	b := board(t)
	for want, s := range map[string]Setting{
		"did you mean dc-down?":                    {Name: "dc-donw"},
		"fourways fault list":                      {Name: "coffee-machine-empty"},
		"fourways fault list` shows":               {Name: strings.Repeat("x", 300)},
		"at most 30m":                              {Name: "dc-down", For: 31 * time.Minute},
		"more than 0 and at most 30m":              {Name: "dc-down", For: -1},
		"a rate of 1.5":                            {Name: "dc-down", Rate: 1.5},
		"a rate of -0.1":                           {Name: "dc-down", Rate: -0.1},
		"a rate of NaN":                            {Name: "dc-down", Rate: math.NaN()},
		"the next -1 messages":                     {Name: "dc-down", Next: -1},
		"takes no parameter":                       {Name: "dc-down", Param: "2s"},
		"takes a duration, not \"3\"":              {Name: "dc-slow", Param: "3"},
		"takes a duration, not \"-3s\"":            {Name: "dc-slow", Param: "-3s"},
		"takes a duration, not \"31m\"":            {Name: "dc-slow", Param: "31m"},
		"takes a number, not \"2s\"":               {Name: "sync-mass-delete", Param: "2s"},
		"takes a number, not \"0\"":                {Name: "sync-mass-delete", Param: "0"},
		"dc-tls-bad hits everybody alike":          {Name: "dc-tls-bad", Scope: "user=a@b.example"},
		"can't be aimed at \"agent=agent-1\"":      {Name: "dc-down", Scope: "agent=agent-1"},
		"can't be aimed at \"alice@a.example\"":    {Name: "dc-down", Scope: "alice@a.example"},
		"names no user":                            {Name: "dc-down", Scope: "user=alice"},
		"names no domain: give domain=pta":         {Name: "dc-down", Scope: "domain="},
		"names no path: give path=cloud, phs, pta": {Name: "hash-missing", Scope: "path=ldap"},
		"the scope is one line":                    {Name: "dc-down", Scope: "domain=a\nb"},
		"the reason is one line":                   {Name: "dc-down", Reason: "a\x1b[2Jb"},
		"who asks is one line":                     {Name: "dc-down", By: strings.Repeat("x", 257)},
		"it can't hit a share or a number":         {Name: "hash-pool-small", Next: 1},
		"can't hit a share or a number of them":    {Name: "hash-pool-small", Rate: 0.5},
	} {
		if a, err := b.Set(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v became %+v, %v: want an error with %q", s, a, err, want)
		}
	}
	if on := b.Active(); len(on) > 0 {
		t.Errorf("a refused setting is on: %+v", on)
	}
	set(t, b, Setting{Name: "dc-slow", Param: "30m", Rate: 1, Next: 1, For: 30 * time.Minute, Scope: "user=a@b.example"}) // the limits themselves
}

func FuzzSet(f *testing.F) {
	f.Add("dc-slow", "user=alice@pta.example.test", "2s", 0.5, 3, int64(time.Minute))
	f.Add("hash-missing", "path=phs", "", 1.0, 0, int64(0))
	f.Add("sync-mass-delete", "", "12", 0.0, 0, int64(-1))
	f.Fuzz(func(t *testing.T, name, scope, param string, rate float64, next int, lasts int64) {
		b := NewBoard()
		defer b.Close()
		a, err := b.Set(Setting{Name: name, Scope: scope, Param: param, Rate: rate, Next: next, For: time.Duration(lasts)})
		if err != nil {
			if b.On(name) {
				t.Error("refused, and on")
			}
			return
		}
		k, known := Find(name)
		switch {
		case !known, a.Rate <= 0, a.Rate > 1, a.Next < 0, a.For <= 0, a.For > longest:
			t.Errorf("%+v was taken", a)
		case k.Unit == Duration && a.Strike().Wait <= 0, k.Unit == Count && a.Strike().Count < 1, k.Unit == "" && a.Param != "":
			t.Errorf("%+v has the parameter %+v", a, a.Strike())
		case strings.ContainsFunc(a.Scope, unicode.IsControl):
			t.Errorf("%q may be printed", a.Scope)
		}
	})
}
