package endtoend_test

import (
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/onprem"
	"github.com/fourways-id/fourways/internal/realtest"
)

// fails fails unless the next run of the directory does, says why in these words, and leaves everybody where they are.
func (p *production) fails(what string, words ...string) directory.Run {
	p.t.Helper()
	before := p.people(corp)
	r, err := p.failsToSync()
	if r.Result != "failed" || r.Added+r.Updated+r.Deleted != 0 {
		p.t.Errorf("%s: the run %s with %s", what, r.Result, outcome(r))
	}
	for _, word := range words {
		if !strings.Contains(r.Error, word) || !strings.Contains(err.Error(), word) {
			p.t.Errorf("%s: neither may lack %q: the record says %q, the command %v", what, word, r.Error, err)
		}
	}
	if now := p.people(corp); now != before {
		p.t.Errorf("%s: the domain had %q, and has %q", what, before, now)
	}
	return r
}

func TestARunThatCannotReadTheDirectoryDeletesNobodyAndSaysWhy(t *testing.T) {
	dc := realtest.NewSamba(t)
	dc.LetSeeDeleted(t, dc.Service)
	wire := newHop(t, strings.TrimPrefix(dc.LDAPS, "ldaps://"))
	p := openCorp(t, dc, func(at *premises) {
		at.URLs, at.ServerName, at.Timeout = []string{"ldaps://" + wire.at}, "localhost", quick
	})
	p.does("the first run", "full: 6 read, 6 added, 0 updated, 0 deleted")

	t.Run("the service account has another password", func(t *testing.T) {
		p.door.t = t
		for _, other := range []string{"Other-Pw-1!", "Other-Pw-2!"} { // the one before goes on working for an hour
			dc.SetPassword(t, dc.Service.DN, other)
		}
		wire.mend() // who is connected stays so
		p.fails("a wrong bind password", "binding the service account", "LDAP Result Code 49")
		dc.SetPassword(t, dc.Service.DN, dc.Service.Password)
	})
	t.Run("the service account is disabled", func(t *testing.T) {
		p.door.t = t
		dc.Disable(t, dc.Service.DN)
		wire.mend()
		p.fails("a disabled account", "binding the service account", "LDAP Result Code 49")
		dc.Modify(t, dc.Service.DN, "userAccountControl", "66048")
	})
	t.Run("another server answers in its place", func(t *testing.T) {
		p.door.t = t
		other := realtest.Samba(t) // the same domain, with the certificate of another authority
		wire.cut()
		to := wire.to
		wire.to = strings.TrimPrefix(other.LDAPS, "ldaps://")
		wire.mend()
		p.fails("a certificate of an unknown authority", "certificate")
		wire.cut()
		wire.to = to
		wire.mend()
	})
	t.Run("nobody answers", func(t *testing.T) {
		p.door.t = t
		wire.cut()
		p.fails("no server", wire.at)
		wire.mend()
	})
	t.Run("it hangs", func(t *testing.T) {
		p.door.t = t
		wire.hush()
		p.fails("a server that hangs", wire.at)
		wire.mend()
	})
	p.door.t = t
	dc.Modify(t, dc.DN("dora"), "displayName", "Dora")
	if r := p.syncsDirectory(); r.Updated != 1 || r.Added+r.Deleted != 0 {
		t.Errorf("when all is well again: %s", outcome(r))
	}
}

func TestAnAccountWithoutRightsReadsAllEachTimeAndTheRunSaysWhichRightIsMissing(t *testing.T) {
	dc := realtest.Samba(t)
	for _, changes := range []string{"", onprem.DirSync, onprem.USN} {
		t.Run("changes by "+changes, func(t *testing.T) {
			p := openCorp(t, dc, func(at *premises) {
				nobody := dc.Who(t, "bob")
				at.Changes, at.BindDN, at.BindPassword = changes, nobody.DN, authn.NewSecret([]byte(nobody.Password))
			})
			for range 2 {
				r := p.syncsDirectory()
				if r.Mode != "full" || r.Read != 6 || r.Deleted != 0 || !strings.Contains(r.Note, "changes can't be followed") {
					t.Errorf("%s, note: %s", outcome(r), r.Note)
				}
			}
		})
	}
}

func TestAnOrganisationalUnitThatIsEmptiedStopsAtTheGuard(t *testing.T) {
	dc := realtest.NewSamba(t)
	dc.LetSeeDeleted(t, dc.Service)
	p := openCorp(t, dc, nil)
	p.does("the first run", "full: 6 read, 6 added, 0 updated, 0 deleted")
	everybody := p.people(corp)
	var moved []string
	for _, dn := range []string{dc.DN("dora"), dc.DN("emil"), dc.DN("frida"), "CN=crew," + dc.Synced(), "CN=Grete Guest," + dc.Synced(), "CN=company,OU=Berlin," + dc.Synced()} {
		moved = append(moved, dc.Move(t, dn, dc.NotSynced()))
	}
	for _, full := range []bool{false, true} {
		preview, err := p.console.SyncPreview(t.Context(), api.SyncPreviewRequest{Full: full})
		why, gone := "too many deletions", 6
		if full {
			why, gone = "the source is empty", 0
		}
		if err != nil || !strings.Contains(preview.Stopped, why) || len(preview.Deletes) != gone {
			t.Errorf("the preview, of all: %t: %v %+v", full, err, preview)
		}
		_, err = p.console.Sync(t.Context(), api.SyncRequest{Kinds: []string{"directory"}, Full: full})
		last, e := p.console.SyncHistory(t.Context(), 1)
		if err == nil || e != nil || last[0].Result != "stopped" || last[0].Deleted != 0 {
			t.Fatalf("the run, of all: %t: %v, %v %+v", full, err, e, last)
		}
		if now := p.people(corp); now != everybody {
			t.Errorf("the domain had %q, and has %q", everybody, now)
		}
	}
	dc.Move(t, moved[0], dc.Synced())
	dc.Move(t, moved[3], dc.Synced())
	most := 4
	r := p.syncs(api.SyncRequest{Kinds: []string{"directory"}, MaxDeletes: &most})
	if r.Deleted != 4 || p.people(corp) != "dora" {
		t.Errorf("four were meant: %s; the domain has %q", outcome(r), p.people(corp))
	}
}

// breaker is a wire that does something when so many bytes came from the server, and then lets nothing more through.
type breaker struct {
	net.Listener
	to   string
	mu   sync.Mutex
	left int // bytes; below 0: it isn't armed
	trip func()
}

func newBreaker(t *testing.T, to string) *breaker {
	t.Helper()
	b := &breaker{Listener: listen(t), to: to, left: -1}
	go func() {
		for {
			in, err := b.Accept()
			if err != nil {
				return
			}
			out, err := new(net.Dialer).Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			go b.carry(out, in, false)
			go b.carry(in, out, true)
		}
	}()
	return b
}

// disarm waits until what was tripped is over, and has nothing trip it.
func (b *breaker) disarm() { b.arm(-1, nil) }

// arm has the next read of more than so many bytes trip it.
func (b *breaker) arm(bytes int, trip func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left, b.trip = bytes, trip
}

func (b *breaker) carry(to, from net.Conn, counts bool) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buffer := make([]byte, 4<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil || counts && b.tripped(n) {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (b *breaker) tripped(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left < 0 {
		return false
	}
	if b.left -= n; b.left >= 0 {
		return false
	}
	b.left = -1
	b.trip()
	return true
}

const manyPartners = 3000

func TestADomainControllerKilledInTheMiddleOfAFullReadDeletesNobody(t *testing.T) {
	dc := realtest.NewSamba(t)
	dc.LetSeeDeleted(t, dc.Service)
	dc.AddPartners(t, manyPartners)
	wire := newBreaker(t, strings.TrimPrefix(dc.LDAPS, "ldaps://"))
	p := openCorp(t, dc, func(at *premises) { at.URLs, at.ServerName = []string{"ldaps://" + wire.Addr().String()}, "localhost" })
	// First in the middle of the very first read, then of one that finds all of it here already.
	for _, bytes := range []int{100_000, 300_000} {
		wire.arm(bytes, dc.Kill)
		_, err := p.console.Sync(t.Context(), api.SyncRequest{Kinds: []string{"directory"}, Full: true})
		last, e := p.console.SyncHistory(t.Context(), 1)
		if err == nil || e != nil || last[0].Result != "failed" || last[0].Added+last[0].Updated+last[0].Deleted != 0 || last[0].Error == "" {
			t.Fatalf("with the domain controller killed after %d bytes: %v, %v %+v", bytes, err, e, last)
		}
		wire.disarm()
		dc.Start(t)
		r := p.syncsDirectory()
		if want := "dora emil frida"; r.Deleted != 0 || p.people(corp) != want || p.countMembers("partners") != manyPartners {
			t.Errorf("the next run: %s; the domain has %q, the group %d members", outcome(r), p.people(corp), p.countMembers("partners"))
		}
	}
	if r := p.syncsDirectory(); r.Mode != "delta" || r.Read != 0 {
		t.Errorf("in the end: %s (%s)", outcome(r), r.Note)
	}
}

// countMembers pages through a group.
func (p *production) countMembers(group string) (count int) {
	p.t.Helper()
	for after := ""; ; {
		page, err := p.console.Members(p.t.Context(), group, directory.MemberQuery{After: after, Limit: 999})
		if err != nil {
			p.t.Fatal(err)
		}
		count += len(page.Items)
		if after = page.Next; after == "" {
			return count
		}
	}
}
