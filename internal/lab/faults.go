package lab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/lab/fault"
)

// Faults implements console.Faults.
func (l *Lab) Faults(context.Context) ([]api.Fault, error) {
	on := map[string]fault.Active{}
	for _, a := range l.faults.Active() {
		on[a.Name] = a
	}
	var all []api.Fault
	for _, k := range fault.Kinds() {
		f := described(k)
		if a, ok := on[k.Name]; ok {
			f.Active = breach(a)
		}
		all = append(all, f)
	}
	return all, nil
}

// SetFault implements console.Faults.
func (l *Lab) SetFault(_ context.Context, name string, s api.FaultSetting, by string) (api.Fault, error) {
	var lasts time.Duration
	if s.For != "" {
		d, err := time.ParseDuration(s.For)
		if err != nil || d <= 0 {
			return api.Fault{}, badFault(fmt.Errorf("%q is no time for a fault to be on: give more than 0 and at most 30m, such as 5m", s.For))
		}
		lasts = d
	}
	rate := 1.0
	if s.Rate != nil {
		rate = *s.Rate
	}
	if rate == 0 {
		return api.Fault{}, badFault(errors.New("a rate of 0 hits nothing: give more than 0 and at most 1, or leave it out for always"))
	}
	a, err := l.faults.Set(fault.Setting{
		Name: name, Scope: s.Scope, Param: s.Param, By: by, Reason: s.Reason, Rate: rate, Next: s.Next, For: lasts,
	})
	k, known := fault.Find(name)
	switch {
	case !known:
		return api.Fault{}, noFault(err)
	case err != nil:
		return api.Fault{}, badFault(err)
	}
	f := described(k)
	f.Active = breach(a)
	return f, nil
}

// ClearFaults implements console.Faults. Mending what is whole is no error: whoever asks wants it whole.
func (l *Lab) ClearFaults(_ context.Context, name string) ([]string, error) {
	if name == "" {
		return l.faults.ClearAll(), nil
	}
	if _, ok := fault.Find(name); !ok {
		return nil, noFault(fault.Unknown(name))
	}
	if !l.faults.Clear(name) {
		return nil, nil
	}
	return []string{name}, nil
}

func described(k fault.Kind) api.Fault {
	return api.Fault{Name: k.Name, Hop: k.Hop, Summary: k.Summary, Unit: k.Unit, Default: k.Default, Aims: k.Aims, Shows: k.Shows}
}

func breach(a fault.Active) *api.Breach {
	b := &api.Breach{
		Scope: a.Scope, Param: a.Param, Rate: a.Rate, By: a.By, Reason: a.Reason, Since: a.Since, Until: a.Until, Hits: a.Hits,
	}
	if a.Next > 0 {
		b.Next = a.Next - a.Hits
	}
	return b
}

func badFault(err error) error {
	return api.Problem{Title: "Bad Request", Status: http.StatusBadRequest, Detail: err.Error()}
}

func noFault(err error) error {
	return api.Problem{Title: "Not Found", Status: http.StatusNotFound, Detail: err.Error()}
}
