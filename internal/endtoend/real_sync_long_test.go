package endtoend_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/realtest"
)

// TestTenThousandPeopleOfAnActiveDirectory measures what a run takes; figures are printed, and none is asserted. Gateway and
// agent are in the test's process, so its heap is that of both.
func TestTenThousandPeopleOfAnActiveDirectory(t *testing.T) {
	const crowd = 10_000
	dc := realtest.SambaCrowd(t, crowd)
	dc.LetSeeDeleted(t, dc.Service)
	dc.USN(t) // an account's first logon changes it, the administrator's too
	p := openCorp(t, dc, func(at *premises) {
		at.source.Scope = []string{dc.Crowd()}
		at.Timeout = hang // of one operation: Samba answers a page of thousands slowly
	})
	measured := func(what string, ask api.SyncRequest, want string) {
		t.Helper()
		peak, done := make(chan uint64), make(chan struct{})
		go func() { peak <- heapPeak(done) }()
		began := time.Now()
		r := p.syncs(ask)
		took := time.Since(began)
		close(done)
		t.Logf("%-40s %8s  heap at most %4d MiB", what, took.Round(time.Millisecond), <-peak>>20)
		if got := outcome(r); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	all := fmt.Sprintf("full: %d read, ", crowd)
	delta, full := api.SyncRequest{Kinds: []string{"directory"}}, api.SyncRequest{Kinds: []string{"directory"}, Full: true}
	measured("10,000 people arrive", delta, all+fmt.Sprintf("%d added, 0 updated, 0 deleted", crowd))
	measured("nothing has changed", delta, "delta: 0 read, 0 added, 0 updated, 0 deleted")
	dc.Modify(t, "CN=person00042,"+dc.Crowd(), "displayName", "Changed")
	measured("one has changed", delta, "delta: 1 read, 0 added, 1 updated, 0 deleted")
	measured("all are read again", full, all+"0 added, 0 updated, 0 deleted")
	dc.Delete(t, "CN=person00043,"+dc.Crowd())
	measured("one is deleted", delta, "delta: 1 read, 0 added, 0 updated, 1 deleted")
}

// heapPeak looks at the heap until done.
func heapPeak(done <-chan struct{}) (most uint64) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
		select {
		case <-done:
			return most
		case <-tick.C:
		}
	}
}
