package lab_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/lab/dc"
	"github.com/fourways-id/fourways/internal/lab/world"
	"github.com/fourways-id/fourways/internal/load"
)

const (
	early      = 1000 // are there before the others, and sign in while those arrive
	seedBatch  = 5000
	signInRate = 10 // a second
	idleFor    = 20 * time.Second
	groupSize  = 1000
)

// TestAHundredThousandPeopleAreSynchronised brings a hundred thousand people from the lab's domain controller over the agent
// into the gateway while others sign in, and prints what each run takes. It asserts what arrives, and no time: that belongs
// to the machine, of which gateway, agent, domain controller and whoever signs in have the same processors.
func TestAHundredThousandPeopleAreSynchronised(t *testing.T) {
	if os.Getenv("FOURWAYS_LONG") != "1" {
		t.Skip("SKIPPED: synchronises a hundred thousand people; run `make test-long` (it sets FOURWAYS_LONG=1)")
	}
	synchronisation(t, 100_000, idleFor, func(name string, r rundown) {
		t.Logf("%-42s %10v  gateway %4d MiB  agent %4d MiB  sign-ins (%d at %d a second) p50 %v, p99 %v",
			name, r.took.Round(time.Millisecond), r.gateway, r.agent, r.signIns.Count, signInRate, time.Duration(r.signIns.P50), time.Duration(r.signIns.P99))
	})
}

// BenchmarkSynchronisation is the same for a few people, for `make figures`.
func BenchmarkSynchronisation(b *testing.B) {
	for b.Loop() {
		synchronisation(b, 2*early, time.Second, func(name string, r rundown) { b.Logf("%-42s %10v", name, r.took.Round(time.Millisecond)) })
	}
}

// rundown is what one run took.
type rundown struct {
	took           time.Duration
	gateway, agent int // peak, MiB
	signIns        load.Timing
}

func synchronisation(tb testing.TB, size int, idle time.Duration, tell func(name string, r rundown)) {
	s := openSite(tb)
	s.hire(0, early)
	s.wantRun(dirsync.KindDirectory, directory.Run{Added: early + early/groupSize})
	s.wantRun(dirsync.KindHash, directory.Run{Hashes: early})
	tell("nothing", s.measure(func() { time.Sleep(idle) }))
	s.hire(early, size)
	more := size - early
	for _, step := range []struct {
		name string
		do   func()
	}{
		{fmt.Sprintf("%d people arrive", more), func() { s.wantRun(dirsync.KindDirectory, directory.Run{Added: more + more/groupSize}) }},
		{fmt.Sprintf("their %d hashes", more), func() { s.wantRun(dirsync.KindHash, directory.Run{Hashes: more}) }},
		{"nothing has changed", func() { s.wantRun(dirsync.KindDirectory, directory.Run{}) }},
		{"no hash has changed", func() { s.wantRun(dirsync.KindHash, directory.Run{}) }},
		{"all is read and planned again", func() { s.wantAnswer(again(dirsync.KindDirectory), directory.Run{}) }},
		{"all hashes are read again", func() { s.wantAnswer(again(dirsync.KindHash), directory.Run{}) }},
	} {
		tell(step.name, s.measure(step.do))
	}
	s.onprem(api.OnpremChange{Do: "change", Name: "Somebody Else"})
	tell("one has another name", s.measure(func() { s.wantRun(dirsync.KindDirectory, directory.Run{Updated: 1}) }))
	s.onprem(api.OnpremChange{Do: "password", Password: "Autumn-2025!"})
	tell("one has another password", s.measure(func() { s.wantRun(dirsync.KindHash, directory.Run{Hashes: 1}) }))
	if all := s.status(); all.Pending.Total != size+size/groupSize || all.Pending.Withheld != 0 || all.Lag.Passwords != 0 {
		tb.Errorf("of %d people and their groups there are %+v, and %+v is late", size, all.Pending, all.Lag)
	}
}

// hire seeds people with the numbers from one up to another, in groups.
func (s *site) hire(from, to int) {
	s.tb.Helper()
	for ; from < to; from += seedBatch {
		var some []dc.Entry
		for i := from; i < min(from+seedBatch, to); i++ {
			some = append(some, employee(i))
			if (i+1)%groupSize == 0 {
				some = append(some, department(i/groupSize))
			}
		}
		if err := s.premises.Forest().Seed(some); err != nil {
			s.tb.Fatal(err)
		}
	}
}

func employeeUPN(i int) string { return fmt.Sprintf("user%06d@%s", i, world.PHSDomain) }

func employeeDN(i int) string { return fmt.Sprintf("CN=User %06d,%s", i, world.PeopleDN) }

func employee(i int) dc.Entry {
	number := fmt.Sprintf("%06d", i)
	return dc.Entry{DN: employeeDN(i), Password: world.Password, Attrs: map[string][]string{
		"objectClass": {"user"}, "sAMAccountName": {"user" + number}, "userPrincipalName": {employeeUPN(i)}, "mail": {employeeUPN(i)},
		"displayName": {"User " + number}, "givenName": {"User"}, "sn": {number}, "userAccountControl": {"66048"}, "msExchUsageLocation": {"NL"},
	}}
}

func department(n int) dc.Entry {
	name := fmt.Sprintf("Department %03d", n)
	e := dc.Entry{DN: fmt.Sprintf("CN=%s,OU=Synced,%s", name, world.BaseDN), Attrs: map[string][]string{
		"objectClass": {"group"}, "sAMAccountName": {name}, "displayName": {name},
	}}
	for i := n * groupSize; i < (n+1)*groupSize; i++ {
		e.Attrs["member"] = append(e.Attrs["member"], employeeDN(i))
	}
	return e
}

// onprem changes one person on-premises.
func (s *site) onprem(c api.OnpremChange) {
	s.tb.Helper()
	if err := s.premises.OnpremChange(s.tb.Context(), employeeUPN(early+1), c); err != nil {
		s.tb.Fatal(err)
	}
}

// mostRuns bounds how often a run is begun anew that took longer than its caller may wait: the next one goes on with it.
const mostRuns = 10

func again(kind dirsync.Kind) api.SyncRequest {
	return api.SyncRequest{Kinds: []string{string(kind)}, Full: true}
}

func (s *site) wantRun(kind dirsync.Kind, want directory.Run) {
	s.tb.Helper()
	s.wantAnswer(api.SyncRequest{Kinds: []string{string(kind)}}, want)
}

// wantAnswer synchronises, and wants so much to have been done.
func (s *site) wantAnswer(ask api.SyncRequest, want directory.Run) {
	s.tb.Helper()
	runs, err := s.console.Sync(s.tb.Context(), ask)
	once := err == nil
	for n := 1; err != nil && n < mostRuns; n++ {
		s.tb.Logf("%v: %v; once more", ask.Kinds, err)
		runs, err = s.console.Sync(s.tb.Context(), ask)
	}
	if err != nil {
		s.tb.Fatalf("%v: %v\ngateway: %s\nagent: %s", ask.Kinds, err, s.gateway.said(), s.agent.said())
	}
	did := runs.Runs[0]
	if did.Deleted != 0 || len(did.Skipped) != 0 || once && (did.Added != want.Added || did.Updated != want.Updated || did.Hashes != want.Hashes) {
		s.tb.Fatalf("%v: %+v, want %d added, %d updated, %d hashes", ask.Kinds, did, want.Added, want.Updated, want.Hashes)
	}
	if left := s.status().Pending; left.Objects+left.Deletes+left.Errors != 0 {
		s.tb.Fatalf("%v: %+v is left to be done", ask.Kinds, left)
	}
}

func (s *site) status() api.SyncStatus {
	s.tb.Helper()
	status, err := s.console.SyncStatus(s.tb.Context())
	if err != nil {
		s.tb.Fatal(err)
	}
	return status
}

// measure does something while people sign in, all of whom must be let in.
func (s *site) measure(do func()) rundown {
	s.tb.Helper()
	s.gateway.forgetPeak()
	s.agent.forgetPeak()
	to, err := load.NewTarget(s.tb.Context(), s.door, nil)
	if err != nil {
		s.tb.Fatal(err)
	}
	var people []load.Person
	for i := range early {
		people = append(people, load.Person{UPN: employeeUPN(i), Password: world.Password, Path: authn.PathPHS})
	}
	ctx, end := context.WithCancel(s.tb.Context())
	defer end()
	signedIn := make(chan load.PathResult, 1)
	go func() {
		p := load.Plan{Rate: signInRate, Duration: load.Span(load.MaxDuration), InFlight: 200}
		r, err := load.Run(ctx, to, p, people, "")
		if err != nil && len(r.Paths) == 0 {
			s.tb.Error(err)
			signedIn <- load.PathResult{}
			return
		}
		signedIn <- r.Paths[0]
	}()
	began := time.Now()
	do()
	r := rundown{took: time.Since(began), gateway: s.gateway.peak(), agent: s.agent.peak()}
	end()
	p := <-signedIn
	if p.Unexpected+p.Failed+p.Dropped > 0 {
		s.tb.Errorf("sign-ins: %d ended otherwise, %d failed, %d were dropped: %v %v", p.Unexpected, p.Failed, p.Dropped, p.Outcomes, p.Errors)
	}
	r.signIns = p.Latency
	return r
}
