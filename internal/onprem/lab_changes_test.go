package onprem_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/fourways-id/fourways/internal/lab/dc"
	"github.com/fourways-id/fourways/internal/onprem"
)

func TestTheLabTellsEachChangeOnceInEveryWay(t *testing.T) {
	srv, cfg := lab(t, dc.Entry{DN: "OU=Staff," + base, Attrs: map[string][]string{"objectClass": {"organizationalUnit"}}})
	admin := client(t, cfg)
	sync := cfg
	sync.BindDN, sync.BindPassword = srv.SyncReaderDN(), secret(syncPw)
	byNumber, watching := sync, sync
	byNumber.Changes, watching.Watch = onprem.USN, []string{"displayName", "pwdLastSet", "member"}
	for name, c := range map[string]onprem.Config{"administrator": cfg, "sync reader": sync, "by number": byNumber, "named attributes alone": watching} {
		t.Run(name, func(t *testing.T) { tellAD(t, admin, follow(t, client(t, c)), base) })
	}
}

func TestAReaderThatBrokeOffGoesOnFromItsLastPage(t *testing.T) {
	srv, cfg := lab(t)
	const people = 2500
	byNumber := cfg
	byNumber.Changes = onprem.USN
	readers := map[string]*reader{onprem.DirSync: follow(t, client(t, cfg)), onprem.USN: follow(t, client(t, byNumber))}
	var entries []dc.Entry
	for i := range people {
		entries = append(entries, user(fmt.Sprintf("u%04d", i), nil))
	}
	must(t, srv.Seed(entries))
	enough := errors.New("enough")
	for mode, r := range readers {
		seen := map[string]int{}
		pages := 0
		take := func(stop bool) func(onprem.Changes) error {
			return func(c onprem.Changes) error {
				for _, one := range c.Changed {
					seen[string(one.ID)]++
				}
				if pages++; stop {
					r.at = c.Position
					return enough
				}
				return nil
			}
		}
		if err := r.Changes(t.Context(), r.at, take(true)); !errors.Is(err, enough) {
			t.Fatal(err)
		}
		first := len(seen)
		must(t, r.Changes(t.Context(), r.at, take(false)))
		twice := 0
		for _, n := range seen {
			twice += n - 1
		}
		// A page of DirSync stands for itself; pages by number have no order, so that the whole comes again.
		again := map[string]int{onprem.DirSync: 0, onprem.USN: first}[mode]
		if len(seen) != people || first == 0 || first == people || pages < 3 || twice != again {
			t.Errorf("%s: %d people in %d pages, %d of them before the break; %d came twice, want %d", mode, len(seen), pages, first, twice, again)
		}
	}
}
