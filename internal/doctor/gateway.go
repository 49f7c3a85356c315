package doctor

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// The bounds of clocks. Kerberos and Active Directory stop at five minutes, SAML and OpenID Connect take two by default, and
// the records of two machines are compared by the second.
const (
	clockSlow = 30 * time.Second
	clockOff  = 2 * time.Minute
)

// Running looks at a running gateway from outside: its clock by its console's answer, and its metrics. An empty address is
// not looked at.
func Running(console, metrics string, client *http.Client, now func() time.Time) []Check {
	return []Check{
		{ID: "clock.gateway", Title: "This machine's clock against the gateway's", Run: func(ctx context.Context) Seen {
			if console == "" {
				return Skip("name the console with --server", "no console is named")
			}
			return clockOf(ctx, client, "the gateway", console+"/api/v1/doctor", now)
		}},
		{ID: "metrics.answer", Title: "The metrics endpoint", Run: func(ctx context.Context) Seen {
			if metrics == "" {
				return Skip("run the doctor on the gateway's machine, with -c", "its address is not known here")
			}
			return metricsAnswer(ctx, client, metrics)
		}},
	}
}

// clockOf compares this machine's time with the Date of a server's answer (RFC 9110, section 6.6.1), whatever it answers.
func clockOf(ctx context.Context, client *http.Client, who, address string, now func() time.Time) Seen {
	before := now()
	res, err := get(ctx, client, address)
	if err != nil {
		return Skip("", "%s does not answer: %v", who, err)
	}
	there, err := http.ParseTime(res.header.Get("Date"))
	if err != nil {
		return Skip("", "%s answers without a Date", who)
	}
	// Date has whole seconds and was written at some moment of the call, so that much is no difference.
	return clocks(who, there, before.Add(-time.Second), now())
}

// clocks judges a time that another machine told between two moments of this one's.
func clocks(who string, there, earliest, latest time.Time) Seen {
	var off time.Duration
	switch {
	case there.Before(earliest):
		off = earliest.Sub(there)
	case there.After(latest):
		off = there.Sub(latest)
	}
	says := fmt.Sprintf("the clock of %s is %s off", who, off.Round(time.Second))
	const fix = "let both machines take their time from NTP"
	switch {
	case off >= clockOff:
		return Fail(fix, "%s: assertions and tickets will be refused", says)
	case off >= clockSlow:
		return Warn(fix, "%s", says)
	}
	return OK("%s agrees to within a second or so", who)
}

// MetricsURL is where a gateway of this machine that listens there shows its metrics.
func MetricsURL(listen string) string { return "http://" + dialable(listen) + "/metrics" }

// firstMetric is there from the start, at 0.
const firstMetric = "fourways_signins_total"

func metricsAnswer(ctx context.Context, client *http.Client, address string) Seen {
	const fix = "check server.telemetry_listen, and that Prometheus can reach it"
	res, err := get(ctx, client, address)
	switch {
	case err != nil:
		return Fail(fix, "%s does not answer: %v", address, err)
	case res.status != http.StatusOK || !strings.Contains(string(res.body), firstMetric+"{"):
		return Fail(fix, "%s answers %d, without %s", address, res.status, firstMetric)
	}
	return OK("%s gives %s", address, count(strings.Count(string(res.body), "\nfourways_"), "series of fourways", "series of fourways"))
}

// Page reads one page as a whole, for a search of it.
func Page(client *http.Client, address string) func(context.Context, func(string, io.Reader) error) error {
	return func(ctx context.Context, each func(string, io.Reader) error) error {
		res, err := get(ctx, client, address)
		if err != nil {
			return err
		}
		return each(address, bytes.NewReader(res.body))
	}
}
