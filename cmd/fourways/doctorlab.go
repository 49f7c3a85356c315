package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/doctor"
	"github.com/fourways-id/fourways/internal/doctor/leak"
	"github.com/fourways-id/fourways/internal/lab"
	"github.com/fourways-id/fourways/internal/lab/premises"
	"github.com/fourways-id/fourways/internal/lab/world"
	"github.com/fourways-id/fourways/internal/onprem"
)

// premises looks at the lab's directory with the service account of its synchronisation.
func (x *examination) premises(ctx context.Context) []doctor.Check {
	d, err := labDirectory(x.lab)
	if err != nil {
		return []doctor.Check{{ID: "dc.bind", Title: "The directory", Run: func(context.Context) doctor.Seen {
			return doctor.Skip("run the doctor as the user that runs the lab", "the lab's own secrets can't be read: %v", err)
		}}}
	}
	modes, _ := within(ctx, patient, x.console.Modes) // none: the finding says that no domain is served
	domains := make([]string, len(modes))
	for i, m := range modes {
		domains[i] = m.Domain
	}
	threshold, _ := strconv.Atoi(x.settings["lockout.threshold"]) // 0 is not known
	lasts, _ := time.ParseDuration(x.settings["lockout.duration"])
	return doctor.Premises{
		Directory: d, Name: "the lab's domain controller", Base: world.BaseDN, People: world.PeopleDN, CloudUPN: "mail", Domains: domains,
		Certificate: filepath.Join(x.lab.DataDir, premises.CertificateFile), Threshold: threshold, Duration: lasts, Now: time.Now, Ahead: x.ahead(ctx),
	}.Checks()
}

func labDirectory(s state) (*onprem.Directory, error) {
	cfg, err := lab.Reader(s.DataDir, s.LDAPURL)
	if err != nil {
		return nil, err
	}
	cfg.Timeout = patient
	return onprem.New(cfg)
}

// ahead is how far the lab's policy time, which its directory shows, was moved.
func (x *examination) ahead(ctx context.Context) time.Duration {
	c, err := within(ctx, patient, x.console.Clock)
	if err != nil {
		return 0
	}
	d, _ := time.ParseDuration(c.Offset) // 0: unreadable, and the finding shows the difference
	return d
}

// slowest is what a sign-in may take before it is given up: more than a gateway waits for its agents and providers.
const slowest = 13 * time.Second

// leaks types a canary at the door on every path, then looks for it.
func (x *examination) leaks(ctx context.Context) {
	canary := leak.Canary()
	defer canary.Wipe()
	atDoor, cancel := context.WithTimeout(ctx, slowest)
	ids, ended, seen := x.typeAtTheDoor(atDoor, canary)
	cancel()
	checks := []doctor.Check{{ID: "leak.attempts", Title: "A random password was typed on every path", Run: func(context.Context) doctor.Seen { return seen }}}
	for _, p := range x.places(ids, ended) {
		checks = append(checks, leak.Check(p, canary))
	}
	x.found = append(x.found, doctor.Run(ctx, checks)...)
}

// tryout is one sign-in with the canary.
type tryout struct {
	did attempt
	err error
}

// halfway is why the password was not typed, or no answer to it came; "" when all went its way.
func (t tryout) halfway() string {
	switch {
	case t.err != nil:
		return t.err.Error()
	case t.did.Note != "" && t.did.Shown == "": // no page of the provider's answered
		return t.did.Note
	}
	return ""
}

// typeAtTheDoor signs in with a name that nobody has at each domain, so that nobody is locked out by it. It gives the ids
// of all the sign-ins, and of those that came to an end: one that was left at an identity provider is logged much later.
func (x *examination) typeAtTheDoor(ctx context.Context, canary authn.Secret) (ids, ended []string, seen doctor.Seen) {
	if x.console == nil {
		return nil, nil, doctor.Fail("start the gateway, and give --server and a token", "there is no running gateway to sign in at")
	}
	modes, err := x.console.Modes(ctx)
	p, placeErr := x.app.place(ctx, "")
	if err != nil || placeErr != nil {
		return nil, nil, doctor.Fail("see gateway.answers", "the gateway did not tell its domains and its door")
	}
	nobody := "canary-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	tried := make([]tryout, len(modes))
	var all sync.WaitGroup // side by side: a path that hangs takes its time once, however many domains take it
	for i, m := range modes {
		all.Go(func() { tried[i].did, tried[i].err = signIn(ctx, p.door, nobody+"@"+m.Domain, canary) })
	}
	all.Wait()
	var paths, halfway []string
	for i, m := range modes {
		did := tried[i].did
		if did.CorrelationID == "" {
			return ids, ended, doctor.Fail("see domains.ready", "%s could not be tried: %v", m.Domain, tried[i].err)
		}
		ids = append(ids, string(did.CorrelationID))
		if m.Path != authn.PathFederated {
			ended = append(ended, string(did.CorrelationID))
		}
		if why := tried[i].halfway(); why != "" {
			halfway = append(halfway, fmt.Sprintf("%s (%s): %s", m.Domain, m.Path, why))
			continue
		}
		paths = append(paths, fmt.Sprintf("%s (%s)", m.Domain, m.Path))
	}
	if len(halfway) > 0 {
		return ids, ended, doctor.Warn("mend that, and check again: the password was not typed everywhere", "these sign-ins stopped on the way: %s", strings.Join(halfway, "; "))
	}
	return ids, ended, doctor.OK("for a name that nobody has, at %s", strings.Join(paths, ", "))
}

// places is everything that the gateway keeps and that can be reached from here.
func (x *examination) places(ids, ended []string) []leak.Place {
	all := []leak.Place{
		{ID: "leak.traces", Title: "Traces", Marks: ids, Open: x.read(func(ctx context.Context) (any, error) {
			var traces []api.Trace
			for _, id := range ids {
				one, err := x.console.Trace(ctx, authn.AttemptID(id))
				if err != nil {
					return nil, err
				}
				traces = append(traces, one)
			}
			return traces, nil
		})},
	}
	if len(ended) > 0 {
		all = append(all, leak.Place{ID: "leak.signins", Title: "Sign-in log", Marks: ended, Open: x.read(func(ctx context.Context) (any, error) {
			return x.console.SignIns(ctx, len(ids)+recent)
		})})
	}
	if metrics := x.metrics(); metrics != "" {
		all = append(all, leak.Place{ID: "leak.metrics", Title: "Metrics", Marks: []string{"fourways_signins_total{"}, Open: doctor.Page(x.http, metrics)})
	}
	if store := x.storeFolder(); store != "" {
		all = append(all, leak.Place{ID: "leak.store", Title: "The data folder: database, its log, files", Marks: ids, Open: leak.Folder(store)})
	}
	if len(x.flags.logs) > 0 {
		all = append(all, leak.Place{ID: "leak.logs", Title: "Log files", Marks: ids, Open: leak.Folder(x.flags.logs...)})
	}
	return all
}

// recent is how many rows of the sign-in log are searched beside our own: on a busy gateway others come in between.
const recent = 200

// storeFolder is the gateway's data folder, if it is on this machine.
func (x *examination) storeFolder() string {
	path := x.settings["store.path"]
	if x.conf != nil {
		path = x.conf.Store.Path
	}
	if x.lab.DataDir != "" {
		return x.lab.DataDir
	}
	if _, err := os.Stat(path); path == "" || err != nil {
		return ""
	}
	return filepath.Dir(path)
}

// read makes one part of what the console answers.
func (x *examination) read(ask func(context.Context) (any, error)) func(context.Context, func(string, io.Reader) error) error {
	return func(ctx context.Context, each func(string, io.Reader) error) error {
		v, err := ask(ctx)
		if err != nil {
			return err
		}
		raw, err := json.Marshal(v)
		if err != nil {
			return err
		}
		return each("the console's answer", strings.NewReader(string(raw)))
	}
}
