package onprem_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/internal/onprem"
)

// hear collects pages as text, and the positions behind them.
func hear(t *testing.T, d *onprem.Directory, from onprem.Position) (pages []string, at []onprem.Position, err error) {
	t.Helper()
	guard(t, func() {
		err = d.Changes(t.Context(), from, func(c onprem.Changes) error {
			var page strings.Builder
			for _, one := range c.Changed {
				fmt.Fprintf(&page, "%s deleted:%t container:%t same:%t;", one.ID, one.Deleted, one.Container, one.Same)
			}
			pages, at = append(pages, page.String()), append(at, c.Position)
			return nil
		})
	})
	return pages, at, err
}

func TestChangesThatBreakOffAreAnErrorAndNeverAWrongPosition(t *testing.T) {
	for mode, f := range fakes() {
		t.Run(mode, func(t *testing.T) { t.Parallel(); breakOff(t, mode, f.from, f.answers) })
	}
}

func breakOff(t *testing.T, mode string, from onprem.Position, answers map[string][]reply) {
	whole := &fake{answers: answers}
	pages, at, err := hear(t, talk(t, whole, mode, 20*time.Second), from)
	if err != nil || len(pages) == 0 || bytes.Equal(at[len(at)-1], from) || !strings.Contains(strings.Join(pages, ""), idA) || !strings.Contains(strings.Join(pages, ""), idB) {
		t.Errorf("%s: control: %q %s %v", mode, pages, at, err)
	}
	for how, breaking := range breaks() {
		for n := range whole.requests.Load() {
			broken := &fake{answers: answers, breakAt: n + 1, breaking: breaking}
			got, places, err := hear(t, talk(t, broken, mode, 100*time.Millisecond), from)
			if err == nil || errors.Is(err, onprem.ErrPosition) {
				t.Errorf("%s %s at request %d: %v, want an error that lets the same position be tried again", mode, how, n+1, err)
			}
			for i := range places {
				if i >= len(pages) || got[i] != pages[i] || !bytes.Equal(places[i], at[i]) || bytes.Equal(places[i], at[len(at)-1]) {
					t.Errorf("%s %s at request %d: page %d is %q, %s", mode, how, n+1, i, got[i], places[i])
				}
			}
		}
	}
}

func TestAReaderWhoHasEnoughEndsTheReading(t *testing.T) {
	enough := errors.New("enough")
	for mode, f := range fakes() {
		d, n := talk(t, &fake{answers: f.answers}, mode, 20*time.Second), 0
		err := d.Changes(t.Context(), f.from, func(onprem.Changes) error { n++; return enough })
		if !errors.Is(err, enough) || n != 1 {
			t.Errorf("%s: %d pages, %v", mode, n, err)
		}
	}
}

func TestAnswersThatCannotBeTrusted(t *testing.T) {
	ad := func(r reply) func(map[string][]reply) {
		return func(a map[string][]reply) { a[base] = append(a[base][:1:1], r) }
	}
	sync := func(r reply) func(map[string][]reply) {
		return func(a map[string][]reply) { a[base] = append(a[base][:2:2], r) }
	}
	at := func(name string, r reply) func(map[string][]reply) {
		return func(a map[string][]reply) { a[name] = []reply{r} }
	}
	begun := object(base)
	begun.controls = packets(state(1, idRoot))
	one := []message{object("CN=a", "objectGUID", idA)}
	for name, c := range map[string]struct {
		mode     string
		change   func(map[string][]reply)
		nowhere  bool // ErrPosition
		contains string
	}{
		"DirSync without a cookie":        {onprem.DirSync, ad(reply{messages: one}), false, "no DirSync cookie"},
		"DirSync for ever":                {onprem.DirSync, ad(reply{0, one, packets(dirSynced(1, "A"))}), false, "gives the same again"},
		"DirSync without ids":             {onprem.DirSync, ad(reply{0, []message{object("CN=a")}, packets(dirSynced(0, "A"))}), false, "without its objectGUID"},
		"DirSync no longer allowed":       {onprem.DirSync, ad(reply{code: 50}), true, "was a right taken"},
		"DirSync of a busy server":        {onprem.DirSync, ad(reply{code: 51}), false, "Busy"},
		"numbers of another server":       {onprem.USN, at("CN=NTDS", reply{messages: []message{object("CN=NTDS", "invocationId", idA)}}), true, "another domain controller"},
		"numbers of nobody":               {onprem.USN, at("CN=NTDS", reply{messages: []message{object("CN=NTDS")}}), false, "invocationId"},
		"deleted objects are hidden":      {onprem.USN, at("CN=Deleted Objects,"+base, reply{messages: []message{object("CN=Deleted Objects")}}), true, "deletions would be missed"},
		"deleted objects are refused":     {onprem.USN, at("CN=Deleted Objects,"+base, reply{code: 32}), true, "deletions would be missed"},
		"too many by number":              {onprem.USN, ad(reply{code: 4}), false, "Size Limit"},
		"refresh required":                {onprem.Syncrepl, sync(reply{code: 4096}), true, "doesn't go on"},
		"no overlay":                      {onprem.Syncrepl, sync(reply{code: 12}), true, "syncprov"},
		"too many at once":                {onprem.Syncrepl, sync(reply{code: 4}), false, "raise the limits"},
		"no end of the refresh":           {onprem.Syncrepl, sync(reply{messages: []message{idSet(true, idB)}}), false, "in the middle"},
		"an entry without a state":        {onprem.Syncrepl, sync(reply{0, one, packets(synced("B", true))}), false, "without its sync state"},
		"a database without contextCSN":   {onprem.Syncrepl, ad(reply{messages: []message{object(base, "cn", "x")}}), true, "no contextCSN"},
		"a contextCSN that is none":       {onprem.Syncrepl, ad(reply{messages: []message{object(base, "contextCSN", "yesterday")}}), false, "no change sequence number"},
		"the changes of another provider": {onprem.Syncrepl, ad(reply{messages: []message{object(base, "contextCSN", strings.Replace(csnNow, "#001#", "#002#", 1))}}), true, "server 001"},
		"all from the beginning":          {onprem.Syncrepl, sync(reply{0, []message{begun}, packets(synced("B", true))}), true, "begin anew"},
		"nobody is present":               {onprem.Syncrepl, sync(reply{0, nil, packets(synced("B", false))}), true, "nobody is taken for deleted"},
		"a listing of nobody":             {onprem.CSN, ad(reply{}), true, "no entryCSN"},
		"a listing without ids":           {onprem.CSN, ad(reply{messages: []message{object("cn=a", "entryCSN", csnNow)}}), false, "without its entryUUID"},
		"a listing refused":               {onprem.CSN, ad(reply{code: 50}), false, "isn't allowed"},
		"another domain":                  {onprem.USN, at(base, reply{messages: []message{object(base, "objectGUID", idB)}}), true, "another directory"},
		"no domain":                       {onprem.USN, at("", reply{messages: []message{object("")}}), false, "isn't in the domain"},
		"no root":                         {onprem.CSN, at("", reply{code: 32}), false, "no such entry"},
	} {
		f := fakes()[c.mode]
		c.change(f.answers)
		pages, places, err := hear(t, talk(t, &fake{answers: f.answers}, c.mode, 20*time.Second), f.from)
		if err == nil || errors.Is(err, onprem.ErrPosition) != c.nowhere || !strings.Contains(err.Error(), c.contains) {
			t.Errorf("%s: %v, want %q, ErrPosition %t", name, err, c.contains, c.nowhere)
		}
		if len(pages) > 1 || len(places) == 1 && !strings.Contains(name, "for ever") {
			t.Errorf("%s: %q at %s was yielded before the error", name, pages, places)
		}
	}
}

func TestThePresentPhaseNamesAllThereIs(t *testing.T) {
	f := fakes()[onprem.Syncrepl]
	changed, gone := object("cn=a,"+base, "objectClass", "organizationalUnit"), object("cn=gone,"+base)
	changed.controls, gone.controls = packets(state(2, idA)), packets(state(3, idRoot))
	f.answers[base] = append(f.answers[base][:2:2], reply{0, []message{idSet(false, idA, idB), changed, gone, idSet(false, idA)}, packets(synced("", false))})
	d, n := talk(t, &fake{answers: f.answers}, onprem.Syncrepl, 20*time.Second), 0
	must(t, d.Changes(t.Context(), f.from, func(c onprem.Changes) error {
		n++
		if len(c.Changed) != 3 || !c.Whole || !bytes.Equal(c.Position, f.from) {
			t.Errorf("%+v; a server that gives no new cookie leaves the old one", c)
		}
		for _, one := range c.Changed {
			want := map[string]onprem.Changed{
				idA: {DN: "cn=a," + base, Container: true}, idB: {Same: true}, idRoot: {DN: "cn=gone," + base, Deleted: true},
			}[string(one.ID)]
			if want.ID = one.ID; fmt.Sprint(one) != fmt.Sprint(want) {
				t.Errorf("%+v, want %+v", one, want)
			}
		}
		return nil
	}))
	if n != 1 {
		t.Errorf("%d pages", n)
	}
}

func TestWhatOneServerToldIsNotReadFromAnother(t *testing.T) {
	f := fakes()[onprem.DirSync]
	first, second := &fake{answers: f.answers}, &fake{answers: f.answers}
	addr, end := listen(t, "127.0.0.1:0", first.serve)
	d := client(t, onprem.Config{
		URLs: []string{"ldap://" + addr, behave(t, second.serve)}, TLS: onprem.Plain, Timeout: 20 * time.Second, BindDN: "cn=svc", BindPassword: secret("x"), BaseDN: base,
	})
	read := func() (err error) {
		for _, err = range d.Entries(t.Context(), [][]byte{[]byte(idA)}, "", nil) {
			continue
		}
		return err
	}
	ask := func() onprem.Position {
		t.Helper()
		at, err := d.Position(t.Context())
		must(t, err)
		return at
	}
	ask()
	if err := read(); err != nil || second.requests.Load() > 0 {
		t.Fatalf("control: %v, with %d requests to the second server", err, second.requests.Load())
	}
	end()
	d.Close()
	if err := read(); err == nil || !strings.Contains(err.Error(), "try again") {
		t.Errorf("the server that told is gone: %v", err)
	}
	if err := read(); err != nil || second.requests.Load() == 0 {
		t.Errorf("later: %v", err)
	}
	ask()
	listen(t, addr, first.serve)
	d.Close()
	before := first.requests.Load()
	if ask(); first.requests.Load() != before {
		t.Error("the client went back to the first server, though the numbers of the second count")
	}
}

func TestAnAttributeThatTheSchemaLacksIsNoObstacle(t *testing.T) {
	f := fakes()[onprem.DirSync]
	f.answers[base] = append([]reply{f.answers[base][0], {code: 16}}, f.answers[base][1:]...)
	cfg := onprem.Config{
		URLs: []string{behave(t, (&fake{answers: f.answers}).serve)}, TLS: onprem.Plain, Timeout: 20 * time.Second,
		BindDN: "cn=svc", BindPassword: secret("x"), BaseDN: base, Watch: []string{"noSuchThing"},
	}
	if pages, _, err := hear(t, client(t, cfg), f.from); err != nil || len(pages) != 2 {
		t.Errorf("%q %v", pages, err)
	}
}
