package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/golden"
)

func record(path authn.Path, v authn.Verdict, r authn.Reason) authn.Record {
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	return authn.Record{
		ID: "6f1c5a52-0000-4000-8000-000000000001", Began: at, At: at, Took: 41 * time.Millisecond, Final: true,
		Who: "alice@" + string(path) + ".example.test", Account: "a-1", Name: "Alice Example", Verdict: v, Reason: r,
		Realm: authn.Realm{Domain: string(path) + ".example.test", Path: path, Rule: "domain " + string(path) + ".example.test"},
		Place: authn.Place{Addr: netip.MustParseAddr("127.0.0.1"), UserAgent: "Mozilla/5.0", App: "Harbour Mail"},
	}
}

func rows() []authn.Record {
	phs := record(authn.PathPHS, authn.Allowed, authn.None)
	phs.Steps = []authn.Step{
		{ID: authn.H0, Result: authn.StepOK, Facts: map[authn.Fact]string{authn.FactSynced: "2026-03-01T08:58:48Z"}, Held: map[authn.Lane]authn.Form{authn.Store: authn.FormHashOfHash + authn.Stored}},
		{ID: authn.H5, Result: authn.StepOK, Took: 8 * time.Millisecond, Facts: map[authn.Fact]string{authn.FactWait: "1ms"}},
	}
	pta := record(authn.PathPTA, authn.Unavailable, authn.ADUnreachable)
	pta.Check, pta.Cause = authn.P6, "dial DC01:389: connection refused"
	pta.Steps = []authn.Step{
		{ID: authn.P2, Result: authn.StepOK, Facts: map[authn.Fact]string{authn.FactAgent: "agent-1"}},
		{ID: authn.P6, Result: authn.StepRefused, Facts: map[authn.Fact]string{authn.FactServer: "DC01"}, Fault: "dc-down", Simulated: true},
	}
	locked := record(authn.PathCloud, authn.Denied, authn.BadPassword)
	locked.Locked, locked.Check = true, authn.K3
	oidc := record(authn.PathFederated, authn.Denied, authn.AudienceMismatch)
	oidc.Realm.IdP, oidc.Realm.Protocol, oidc.Realm.Issuer, oidc.Check = "harbour", "oidc", "https://idp.example", authn.F4Audience
	nobody := record(authn.PathNone, authn.Denied, authn.DomainUnknown)
	nobody.Account, nobody.Name, nobody.Realm, nobody.Place = "", "", authn.Realm{}, authn.Place{}
	nobody.Who = "x@y.test\x1b[2J\n" + strings.Repeat("z", 1000)
	return []authn.Record{phs, pta, locked, oidc, nobody}
}

func TestRowsHaveGraphsNames(t *testing.T) {
	var all []SignIn
	for _, r := range rows() {
		all = append(all, Row(r))
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "testdata/rows.golden", string(text)+"\n")
	var b bytes.Buffer
	if err := Table(&b, all); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "\x1b") || strings.Count(b.String(), "\n") != len(all)+1 {
		t.Errorf("request text breaks the table:\n%s", b.String())
	}
	golden.Check(t, "testdata/table.golden", b.String())
}

func TestEveryReasonHasASentenceForTheOperator(t *testing.T) {
	seen := map[string]authn.Reason{}
	for _, r := range authn.Reasons() {
		s := failure(r)
		if (s == "") != (r == authn.None) {
			t.Errorf("%s says %q", r, s)
		}
		if other, again := seen[s]; again {
			t.Errorf("%s and %s say the same: the operator must be able to tell them apart", r, other)
		}
		seen[s] = r
	}
}

// plain is a logger without times.
func plain(b *bytes.Buffer, asJSON bool) *slog.Logger {
	o := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
	if asJSON {
		return slog.New(slog.NewJSONHandler(b, o))
	}
	return slog.New(slog.NewTextHandler(b, o))
}

func TestOneLineForEachFinalRecord(t *testing.T) {
	for name, asJSON := range map[string]bool{"text": false, "json": true} {
		var b bytes.Buffer
		var sunk int
		j := New(plain(&b, asJSON), func(authn.Record) { sunk++ })
		for _, r := range rows() {
			j.Publish(r)
		}
		asked := record(authn.PathCloud, authn.Challenged, authn.None)
		asked.Final = false
		j.Publish(asked)
		if sunk != len(rows())+1 {
			t.Errorf("the sink got %d records", sunk)
		}
		if got := strings.Count(b.String(), "\n"); got != len(rows()) {
			t.Errorf("%d lines for %d sign-ins", got, len(rows()))
		}
		for _, forbidden := range []string{"Mozilla", "\x1b", strings.Repeat("z", 300)} {
			if strings.Contains(b.String(), forbidden) {
				t.Errorf("%.20q is in the log", forbidden)
			}
		}
		golden.Check(t, "testdata/log-"+name+".golden", b.String())
	}
}

func TestReadersOfTheStreamGetEverythingUntilTheyLeave(t *testing.T) {
	j := New(slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	ch := j.Subscribe(ctx)
	j.Publish(record(authn.PathCloud, authn.Allowed, authn.None))
	if r := <-ch; r.Path() != authn.PathCloud {
		t.Errorf("got %v", r)
	}
	cancel()
	for range ch { // ends when the channel is closed
	}
	j.Publish(record(authn.PathCloud, authn.Allowed, authn.None)) // nobody listens: no panic, nothing dropped
	if n := j.Dropped(); n != 0 {
		t.Errorf("%d dropped", n)
	}
}

func TestASlowReaderMissesRecordsAndHoldsUpNobody(t *testing.T) {
	j := New(slog.New(slog.DiscardHandler))
	slow, quick := j.Subscribe(t.Context()), j.Subscribe(t.Context())
	for range buffer + 5 {
		j.Publish(record(authn.PathCloud, authn.Allowed, authn.None))
		<-quick
	}
	if n := j.Dropped(); n != 5 || len(slow) != buffer {
		t.Errorf("%d dropped, %d waiting", n, len(slow))
	}
}
