package doctor

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fourways-id/fourways/internal/onprem"
)

// Directory is an on-premises directory that can be looked at from here; *onprem.Directory is one.
type Directory interface {
	Check(ctx context.Context) error
	Read(ctx context.Context, q onprem.Query) iter.Seq2[onprem.Entry, error]
}

// timed is a directory that tells its own time ([MS-ADTS] 3.1.1.3.2: currentTime of the rootDSE).
type timed interface {
	Time(ctx context.Context) (time.Time, error)
}

// Premises is what to look at on-premises, and against what.
type Premises struct {
	Directory   Directory
	Name        string   // as an operator knows it
	Base        string   // the domain's own entry
	People      string   // where the people are who are synchronised
	CloudUPN    string   // the attribute that holds their cloud name
	Certificate string   // PEM file of its certificate; "" when it isn't at hand
	Domains     []string // that the gateway serves
	Threshold   int      // the gateway's lockout threshold; 0: not known
	Duration    time.Duration
	Now         func() time.Time
	Ahead       time.Duration // how far the directory's time is moved ahead of Now on purpose: a lab's policy time
}

// Checks looks at the directory with its service account, and changes nothing there.
func (p Premises) Checks() []Check {
	var once sync.Once
	var trouble error
	reach := func(ctx context.Context) error {
		once.Do(func() { trouble = p.Directory.Check(ctx) })
		return trouble
	}
	then := func(look func(context.Context) Seen) func(context.Context) Seen {
		return func(ctx context.Context) Seen {
			if reach(ctx) != nil {
				return Skip("do what dc.bind says", "the directory can't be looked at")
			}
			return look(ctx)
		}
	}
	return []Check{
		{ID: "dc.bind", Title: "The directory: reach, TLS, service account, base", Run: func(ctx context.Context) Seen { return p.bind(reach(ctx)) }},
		{ID: "dc.certificate", Title: "The directory's certificate", Run: func(context.Context) Seen {
			if p.Certificate == "" {
				return Skip(there, "it is checked with each connection; when it runs out is told on the agent's machine")
			}
			return CertificateFile(p.Certificate, p.Now())
		}},
		{ID: "dc.search", Title: "The directory shows people", Run: then(p.search)},
		{ID: "dc.suffixes", Title: "People's names end in a domain that is served", Run: then(p.suffixes)},
		{ID: "clock.dc", Title: "This machine's clock against the directory's", Run: then(p.clock)},
		{ID: "lockout.rule", Title: "The gateway locks before the directory does", Run: then(p.rule)},
	}
}

const there = "run `fourways-agent check` on the agent's machine"

// Elsewhere stands for the checks of a directory that can't be reached from here.
func Elsewhere() Check {
	return Check{ID: "dc.bind", Title: "The directory: reach, TLS, service account, base", Run: func(context.Context) Seen {
		return Skip(there, "only the agents reach the directory, not this machine")
	}}
}

func (p Premises) bind(err error) Seen {
	if err != nil {
		return Fail("do what the sentence says; pass-through sign-ins and synchronisation fail until then", "%v", err)
	}
	return OK("%s can be reached, its certificate is trusted, the service account may read", p.Name)
}

// sample bounds how many people are read: the doctor is no synchronisation.
const sample = 1000

// people counts the people by the domain of their cloud name; "" is for those without.
func (p Premises) people(ctx context.Context) (map[string]int, int, error) {
	by, n := map[string]int{}, 0
	q := onprem.Query{BaseDN: p.People, Filter: "(&(objectCategory=person)(objectClass=user))", Attributes: []string{p.CloudUPN}}
	for e, err := range p.Directory.Read(ctx, q) {
		if err != nil {
			return nil, 0, err
		}
		_, domain, _ := strings.Cut(strings.ToLower(e.First(p.CloudUPN)), "@")
		by[domain]++
		if n++; n == sample {
			break
		}
	}
	return by, n, nil
}

func (p Premises) search(ctx context.Context) Seen {
	_, n, err := p.people(ctx)
	switch {
	case err != nil:
		return Fail("give the service account read access", "people can't be read: %v", err)
	case n == 0:
		return Fail("check base_dn and sync.scope, and what the service account may read", "nobody is found under %s", p.People)
	case n == sample:
		return OK("%d people and more are found under %s", n, p.People)
	}
	return OK("%s found under %s", count(n, "person is", "people are"), p.People)
}

func (p Premises) suffixes(ctx context.Context) Seen {
	by, n, err := p.people(ctx)
	if err != nil {
		return Skip("", "people can't be read: %v", err)
	}
	var odd []string
	for _, domain := range slices.Sorted(maps.Keys(by)) {
		switch {
		case domain == "":
			odd = append(odd, fmt.Sprintf("%d without %s", by[domain], p.CloudUPN))
		case !slices.Contains(p.Domains, domain):
			odd = append(odd, fmt.Sprintf("%d in %s", by[domain], domain))
		}
	}
	if len(odd) > 0 {
		return Warn("add a [[domain]] of that name, or correct "+p.CloudUPN+" in the directory", "these people can't sign in, their domain is not served: %s", strings.Join(odd, ", "))
	}
	return OK("the names of %s end in a domain of the tenant", count(n, "person", "people"))
}

const compare = "compare `date -u` on both machines; Kerberos and TLS need them within minutes"

func (p Premises) clock(ctx context.Context) Seen {
	d, ok := p.Directory.(timed)
	if !ok {
		return Skip(compare, "the directory's time can't be read over this connection")
	}
	before := p.Now()
	at, err := d.Time(ctx)
	switch {
	case errors.Is(err, onprem.ErrNoClock):
		return Skip(compare, "%s does not tell its time: only Active Directory does", p.Name)
	case err != nil:
		return Skip("do what dc.bind says", "%v", err)
	}
	seen := clocks(p.Name, at, before.Add(p.Ahead-time.Second), p.Now().Add(p.Ahead))
	if p.Ahead > 0 {
		seen.finding += fmt.Sprintf("; it shows policy time, which was moved %s ahead of real time", p.Ahead)
	}
	return seen
}

// rule compares the two lockouts (Microsoft: smart lockout with pass-through authentication): the gateway's threshold is
// less than the directory's, which is two to three times as large, and the gateway's lock lasts longer.
func (p Premises) rule(ctx context.Context) Seen {
	if p.Threshold == 0 {
		return Skip("", "the gateway's threshold is not known here")
	}
	q := onprem.Query{BaseDN: p.Base, Filter: "(objectClass=domainDNS)", Attributes: []string{"lockoutThreshold", "lockoutDuration"}}
	for e, err := range p.Directory.Read(ctx, q) {
		if err != nil {
			return Skip("give the service account read access to "+p.Base, "the directory's policy can't be read: %v", err)
		}
		there, err := strconv.Atoi(e.First("lockoutThreshold"))
		if err != nil {
			return Skip("", "the directory shows no lockoutThreshold")
		}
		ticks, _ := strconv.ParseInt(e.First("lockoutDuration"), 10, 64) // absent or unreadable: for ever, as 0 is
		return lockouts(p.Threshold, p.Duration, there, time.Duration(-ticks)*100)
	}
	return Skip("", "the directory shows no entry of its domain at %s", p.Base)
}

// lockouts judges the rule; a directory's threshold of 0 never locks, a lasting of 0 lasts until an administrator ends it.
func lockouts(here int, lasts time.Duration, there int, lastsThere time.Duration) Seen {
	says := fmt.Sprintf("%d wrong passwords lock here, %d there", here, there)
	switch {
	case there == 0:
		return OK("the directory locks nobody")
	case here >= there:
		return Fail(fmt.Sprintf("set lockout.threshold to %d or less", max(1, there/2)), "%s: a stranger at this door can lock people out at their desks", says)
	case 2*here > there:
		return Warn(fmt.Sprintf("set lockout.threshold to %d or less: Microsoft wants the directory's two to three times as large", max(1, there/2)), "%s", says)
	case lastsThere > 0 && lasts <= lastsThere:
		return Warn("set lockout.duration to more than "+lastsThere.String(), "%s, but the lock lasts %s here and %s there: Microsoft wants ours to last longer", says, lasts, lastsThere)
	}
	return OK("%s", says)
}
