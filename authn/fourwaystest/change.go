package fourwaystest

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// FaultOption changes how something is broken.
type FaultOption func(*faultSetting)

// faultSetting is what PUT /api/v1/faults/{name} takes.
type faultSetting struct {
	Scope  string   `json:"scope,omitempty"`
	Param  string   `json:"param,omitempty"`
	Rate   *float64 `json:"rate,omitempty"`
	Next   int      `json:"next,omitempty"`
	For    string   `json:"for,omitempty"`
	Reason string   `json:"reason,omitempty"`
}

// Param is the fault's parameter: how long, or how many.
func Param(value string) FaultOption { return func(s *faultSetting) { s.Param = value } }

// Delay is Param for a duration.
func Delay(d time.Duration) FaultOption { return Param(d.String()) }

// Scope aims the fault: "user=NAME" or "domain=NAME", or what else `fourways fault list -o json` says that it may name.
func Scope(aim string) FaultOption { return func(s *faultSetting) { s.Scope = aim } }

// Rate is the share of messages that are hit, above 0 and at most 1.
func Rate(share float64) FaultOption { return func(s *faultSetting) { s.Rate = &share } }

// Next ends the fault after n messages.
func Next(n int) FaultOption { return func(s *faultSetting) { s.Next = n } }

// For ends the fault by itself after a while: default 10 minutes, at most 30.
func For(d time.Duration) FaultOption { return func(s *faultSetting) { s.For = d.String() } }

// breach is a fault that is on, as the console tells it.
type breach struct {
	Scope  string    `json:"scope"`
	Param  string    `json:"param"`
	Rate   *float64  `json:"rate"`
	Next   int       `json:"next"` // messages still to be hit
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
}

// again is the setting that makes the same fault. Its time starts anew.
func (b breach) again() faultSetting {
	return faultSetting{Scope: b.Scope, Param: b.Param, Rate: b.Rate, Next: b.Next, For: b.Until.Sub(b.Since).String(), Reason: b.Reason}
}

// Fault breaks something until the test ends; `fourways fault list` shows what can be broken. A fault ends by itself after
// 10 minutes, or what For says. One of a name is on at a time, the latest: when the test ends, the one that was on before is
// put back.
func (l *Lab) Fault(name string, opts ...FaultOption) {
	l.t.Helper()
	s := faultSetting{Reason: l.reason()}
	for _, set := range opts {
		set(&s)
	}
	if s.Rate != nil && *s.Rate == 0 { // the console takes 0 for "not given", which is always
		l.t.Fatalf("fourwaystest: the fault %s can't be set: Rate(0) hits nothing; give more than 0 and at most 1", name)
	}
	if err := l.change(faultAt(name), http.MethodPut, s, func() (wish, error) { return l.faultNow(name) }); err != nil {
		l.t.Fatalf("fourwaystest: the fault %s can't be set: %v", name, err)
	}
}

// ClearFault mends what Fault broke. Nothing is restarted. It does no harm when the fault is not on. What an outer test
// broke is broken again when this one ends.
func (l *Lab) ClearFault(name string) {
	l.t.Helper()
	if err := l.change(faultAt(name), http.MethodDelete, nil, func() (wish, error) { return l.faultNow(name) }); err != nil {
		l.t.Errorf("fourwaystest: the fault %s can't be cleared: %v", name, err)
	}
}

func faultAt(name string) string { return "faults/" + url.PathEscape(name) }

func (l *Lab) faultNow(name string) (wish, error) {
	var list page[struct {
		Name   string  `json:"name"`
		Active *breach `json:"active"`
	}]
	if err := l.ask(http.MethodGet, "faults", nil, &list); err != nil {
		return wish{}, err
	}
	for _, f := range list.Items {
		if f.Name == name && f.Active != nil {
			return wish{method: http.MethodPut, body: f.Active.again()}, nil
		}
	}
	return wish{method: http.MethodDelete}, nil
}

// swap is a domain's path that goes before the configuration.
type swap struct {
	Path   authn.Path `json:"path"`
	IdP    string     `json:"idp,omitempty"`
	Reason string     `json:"reason,omitempty"`
}

// SetMode swaps the path of a domain until the test ends; then the domain goes by what it went by before.
func (l *Lab) SetMode(domain string, path authn.Path) {
	l.t.Helper()
	at := "mode/" + url.PathEscape(strings.ToLower(domain))
	if err := l.change(at, http.MethodPut, swap{Path: path, Reason: l.reason()}, func() (wish, error) { return l.modeNow(domain) }); err != nil {
		l.t.Fatalf("fourwaystest: %s can't be set to %s: %v", domain, path, err)
	}
}

func (l *Lab) modeNow(domain string) (wish, error) {
	var list page[struct {
		Domain   string `json:"domain"`
		Override *swap  `json:"override"`
	}]
	if err := l.ask(http.MethodGet, "mode", nil, &list); err != nil {
		return wish{}, err
	}
	for _, m := range list.Items {
		if strings.EqualFold(m.Domain, domain) && m.Override != nil {
			return wish{method: http.MethodPut, body: m.Override}, nil
		}
	}
	return wish{method: http.MethodDelete}, nil
}

// longestReason is what the console takes, in characters.
const longestReason = 256

// reason is the test's name, for the audit log.
func (l *Lab) reason() string {
	name := []rune(l.t.Name())
	return string(name[:min(len(name), longestReason)])
}
