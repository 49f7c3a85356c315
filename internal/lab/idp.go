package lab

import (
	"context"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/lab/harbour"
	"github.com/fourways-id/fourways/internal/onprem"
	"github.com/fourways-id/fourways/internal/trace"
)

// startHarbour starts the other company's identity provider before the premises.
func (l *Lab) startHarbour(ctx context.Context, o Options) (err error) {
	l.harbour, err = harbour.Start(ctx, harbour.Options{
		Listen: o.IdPListen, Host: o.IdPHost, Issuers: l.issuers(), Directory: binder{l.premises.Outside()}, People: l, KeyDir: filepath.Join(o.Dir, "harbour"),
		ErrorLog: o.Log, Clock: o.Clock, Log: l.evidence.Harbour, Tamper: l.atIdP,
	})
	if err != nil {
		return fmt.Errorf("start Harbour ID: %w", err)
	}
	l.breakIdP()
	return nil
}

// IdPURL is where Harbour ID listens.
func (l *Lab) IdPURL() string { return l.harbour.URL() }

// StopIdP cuts Harbour ID off until StartIdP.
func (l *Lab) StopIdP() { l.harbour.Outage() }

// StartIdP ends what StopIdP began, at the same address.
func (l *Lab) StartIdP(ctx context.Context) error { return l.harbour.Recover(ctx) }

// binder is the forest as Harbour ID checks passwords there, as AD FS would.
type binder struct{ d *onprem.Directory }

// Bind implements harbour.Directory. People call themselves by their cloud name, which for some is not the forest's.
func (b binder) Bind(ctx context.Context, upn string, pw authn.Secret) harbour.Verdict {
	if e, err := b.find(ctx, upn); err == nil {
		upn = e.First("userPrincipalName")
	}
	v := b.d.Bind(ctx, upn, pw)
	return harbour.Verdict{Reason: v.Reason, Cause: v.Cause}
}

func (b binder) find(ctx context.Context, upn string) (onprem.Entry, error) {
	q := onprem.Query{Filter: "(mail=" + onprem.Escape(upn) + ")", Attributes: []string{"userPrincipalName", "displayName", "mail", "objectGUID"}}
	for e, err := range b.d.Read(ctx, q) {
		return e, err
	}
	return onprem.Entry{}, onprem.ErrNotFound
}

// Person implements harbour.People.
func (l *Lab) Person(ctx context.Context, upn string) (harbour.Person, error) {
	e, err := binder{l.premises.Outside()}.find(ctx, upn)
	if err != nil {
		return harbour.Person{}, err
	}
	return harbour.Person{
		UPN: e.First("mail"), DisplayName: e.First("displayName"), Anchor: base64.StdEncoding.EncodeToString(e.Attrs["objectGUID"][0]),
	}, nil
}

// IdPEvents are Harbour ID's own log since a time by the lab's clock, oldest first: as much of it as is remembered.
func (l *Lab) IdPEvents(since time.Time) []harbour.Event {
	return slices.DeleteFunc(l.harbour.Events(), func(e harbour.Event) bool { return e.At.Before(since) })
}

// AwayOf implements console.Evidence: what Harbour ID wrote of a sign-in while nobody at the gateway was looking, joined by
// the id of the request that the browser carried there.
func (l *Lab) AwayOf(_ context.Context, records []authn.Record) ([]trace.Away, error) {
	var all []trace.Away
	for _, request := range requests(records) {
		for _, e := range l.harbour.EventsOf(request) {
			line := trace.Away{At: e.At, Request: e.Request, Who: e.Who, Result: string(e.Result)}
			if e.Reason != authn.None {
				line.Reason = e.Reason.String()
			}
			all = append(all, line)
		}
	}
	return all, nil
}

// requests are the ids of what a federated sign-in asked, each once.
func requests(records []authn.Record) []string {
	var ids []string
	for _, r := range records {
		for _, s := range r.Steps {
			if id := s.Facts[authn.FactRequest]; id != "" && (s.ID == authn.F1 || s.ID == authn.F3) && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}
