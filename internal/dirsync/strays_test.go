package dirsync_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/internal/dirsync"
)

func TestWhoMovesToADomainWithHashesGetsOneThoughTheHashRunCameFirst(t *testing.T) {
	alice := person("alice")
	alice.UPN = "alice@other.example"
	s := newSite(t, newPremises(alice, person("bob")))
	s.domains["other.example"] = false
	s.hashes[id("alice")], s.hashes[id("bob")] = record("a"), record("b")
	s.sync()
	if r := s.run(dirsync.Wish{Kind: dirsync.KindHash}); r.Hashes != 1 {
		t.Fatalf("bob's hash: %+v", r)
	}
	s.put(person("alice")) // has her new name there, and not yet here
	if r := s.run(dirsync.Wish{Kind: dirsync.KindHash}); r.Hashes != 0 {
		t.Fatalf("nobody's hash: %+v", r)
	}
	s.sync()
	if r := s.run(dirsync.Wish{Kind: dirsync.KindHash}); r.Hashes != 1 {
		t.Errorf("alice's hash: %+v", r)
	}
	if r := s.run(dirsync.Wish{Kind: dirsync.KindHash}); r.Read != 0 {
		t.Errorf("it was asked for once more: %+v", r)
	}
}

func TestWhoseAnchorChangesLeavesNoAccountBehind(t *testing.T) {
	s := newSite(t, newPremises(person("alice"), person("bob"), person("carol")))
	s.sync()
	alice := person("alice")
	alice.Anchor, alice.Enabled = anchorOf("another"), false
	s.put(alice)
	if r := s.sync(); r.Mode != dirsync.Delta || r.Deleted != 1 || r.Added != 1 {
		t.Errorf("%+v", r)
	}
	if text := s.tenant(); strings.Count(text, "alice@phs.example") != 1 || strings.Contains(text, anchorOf("alice")+`"`) {
		t.Errorf("the tenant is\n%s", text)
	}
}

func TestTheGuardCountsWhoseAnchorChanges(t *testing.T) {
	s := newSite(t, newPremises(person("alice"), person("bob"), person("carol")))
	s.settings.Limits = dirsync.Limits{MaxDeletes: 1, MaxRatio: 1}
	s.sync()
	before := s.tenant()
	for _, name := range []string{"alice", "bob"} {
		o := person(name)
		o.Anchor = anchorOf("another " + name)
		s.put(o)
	}
	if _, err := s.engine.Run(t.Context(), dirsync.Wish{Kind: dirsync.KindDirectory}); err == nil || s.tenant() != before {
		t.Fatalf("%v", err)
	}
	s.put(person("alice"), person("bob")) // it was a mistake
	if r := s.sync(); r.Added+r.Deleted != 0 || s.tenant() != before {
		t.Errorf("%+v\n%s", r, s.tenant())
	}
}

func TestAPersonWhoIsAContactNowIsNoPersonAnyMore(t *testing.T) {
	for name, key := range map[string]string{"under the same id": "alice", "under another": "zoe"} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, newPremises(person("alice"), person("bob"), person("carol")))
			s.sync()
			if key != "alice" {
				s.remove("alice")
			}
			s.put(dirsync.Object{Kind: dirsync.Contact, ID: id(key), Anchor: anchorOf("alice"), DN: "cn=alice", DisplayName: "Alice"})
			if r := s.sync(); r.Deleted != 1 || r.Added != 1 {
				t.Errorf("%+v", r)
			}
			if strings.Contains(s.tenant(), "alice@phs.example") {
				t.Errorf("the tenant is\n%s", s.tenant())
			}
			if r := s.sync(); r.Deleted+r.Added+r.Updated != 0 {
				t.Errorf("there was more to do: %+v", r)
			}
		})
	}
}

func TestAClockThatWasWrongDelaysNoFullRead(t *testing.T) {
	s := newSite(t, newPremises(person("alice"), person("bob")))
	s.clock.Advance(10 * 365 * 24 * time.Hour)
	s.sync()
	s.clock.Advance(-10 * 365 * 24 * time.Hour)
	if r := s.sync(); r.Mode != dirsync.Full {
		t.Errorf("%+v", r)
	}
	if r := s.sync(); r.Mode != dirsync.Delta {
		t.Errorf("%+v", r)
	}
}

func TestARunRemembersABoundedNumberOfThoseThatWereLeftOut(t *testing.T) {
	p := newPremises(person("alice"))
	for i := range 3000 {
		p.put(dirsync.Object{Kind: "printer", ID: id(fmt.Sprint(i))})
	}
	p.page = 500
	s := newSite(t, p)
	s.broken = func(part int) error {
		if part == 7 {
			return errKilled
		}
		return nil
	}
	run, err := s.engine.Run(t.Context(), dirsync.Wish{Kind: dirsync.KindDirectory})
	if err == nil || len(run.Skipped) == 0 || len(run.Skipped) > 1000 {
		t.Errorf("%v: %d lines", err, len(run.Skipped))
	}
}
