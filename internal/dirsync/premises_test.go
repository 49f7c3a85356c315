package dirsync_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/keyring"
	"github.com/fourways-id/fourways/internal/store"
)

// premises is an on-premises directory with its agent: it knows the order of its changes, and so what came after a cursor.
type premises struct {
	objects map[string]dirsync.Object
	changed []string // ids, in the order of the changes
	page    int      // objects in a part
	broken  func(part int) error
	asked   []dirsync.Ask
	orders  map[string]bool
	written map[string]string
	refuses bool              // to be written to
	hashes  map[string]string // NT hash records by id
}

func newPremises(objects ...dirsync.Object) *premises {
	p := &premises{objects: map[string]dirsync.Object{}, page: 2, written: map[string]string{}, orders: map[string]bool{}, hashes: map[string]string{}}
	p.put(objects...)
	return p
}

func (p *premises) put(objects ...dirsync.Object) {
	for _, o := range objects {
		p.objects[o.ID] = o
		p.changed = append(p.changed, o.ID)
	}
}

func (p *premises) remove(names ...string) {
	for _, n := range names {
		delete(p.objects, id(n))
		p.changed = append(p.changed, id(n))
	}
}

// Sync implements dirsync.Agents.
func (p *premises) Sync(_ context.Context, run string, ask dirsync.Ask, take func(dirsync.Batch) error) error {
	p.asked = append(p.asked, ask)
	if p.orders[run] {
		return fmt.Errorf("the order %s was carried out before", run)
	}
	p.orders[run] = true
	full := ask.Cursor == nil && (ask.Kind == dirsync.KindHash || len(ask.IDs) == 0)
	var ids []string
	switch {
	case full:
		ids = slices.Sorted(maps.Keys(p.objects))
	case ask.Cursor == nil:
		ids = ask.IDs
	default:
		from, _ := strconv.Atoi(string(ask.Cursor))
		ids = append(slices.Clone(p.changed[from:]), ask.IDs...)
		slices.Sort(ids)
		ids = slices.Compact(ids)
	}
	if ask.Kind == dirsync.KindWriteBack {
		return take(dirsync.Batch{Run: run, Kind: ask.Kind, Last: true, Part: dirsync.Part{Objects: p.write(ask.Writes)}})
	}
	seq := 0
	send := func(b dirsync.Batch) error {
		if p.broken != nil {
			if err := p.broken(seq); err != nil {
				return err
			}
		}
		b.Run, b.Kind, b.Seq, b.Agent = run, ask.Kind, seq, "agent-1"
		seq++
		return take(b)
	}
	for some := range slices.Chunk(ids, p.page) {
		if err := send(dirsync.Batch{Part: dirsync.Part{Full: full, Objects: p.of(ask.Kind, some), Writable: []string{dirsync.CloudID}}}); err != nil {
			return err
		}
	}
	if end := (dirsync.Batch{Part: dirsync.Part{Full: full, Cursor: []byte(strconv.Itoa(len(p.changed))), Writable: []string{dirsync.CloudID}}}); full || ask.Cursor != nil {
		if err := send(end); err != nil {
			return err
		}
	}
	return send(dirsync.Batch{Last: true})
}

// write keeps what is written, or says why not.
func (p *premises) write(all []dirsync.Write) (refused []dirsync.Object) {
	for _, w := range all {
		if p.refuses {
			refused = append(refused, dirsync.Object{ID: w.ID, Error: "insufficient access rights"})
			continue
		}
		p.written[w.ID] = w.Value
	}
	return refused
}

func (p *premises) of(kind dirsync.Kind, ids []string) []dirsync.Object {
	var all []dirsync.Object
	for _, key := range ids {
		o, there := p.objects[key]
		switch {
		case kind == dirsync.KindHash && there && o.Kind == dirsync.User:
			all = append(all, dirsync.Object{Kind: o.Kind, ID: o.ID, Anchor: o.Anchor, PasswordAt: o.PasswordAt, Hash: p.hashes[key], Withheld: o.Withheld})
		case kind == dirsync.KindHash:
		case there:
			all = append(all, o)
		default:
			all = append(all, dirsync.Object{ID: key, Gone: true, Reason: "deleted"})
		}
	}
	return all
}

func id(name string) string { return base64.StdEncoding.EncodeToString([]byte("id of " + name)) }

// person is somebody on the premises.
func person(name string) dirsync.Object {
	dn := "cn=" + name
	return dirsync.Object{
		Kind: dirsync.User, ID: id(name), Anchor: anchorOf(name), DN: dn, Ref: dirsync.Ref(dn), UPN: name + "@phs.example", SAM: name,
		DisplayName: name, Enabled: true, PasswordAt: time.Unix(1e9, 0).UTC(),
	}
}

func anchorOf(name string) string { return base64.StdEncoding.EncodeToString([]byte(name)) }

// staff is a group of the premises.
func staff(name string, members ...string) dirsync.Object {
	o := dirsync.Object{Kind: dirsync.Group, ID: id(name), Anchor: anchorOf(name), DN: "cn=" + name, Ref: dirsync.Ref("cn=" + name), SAM: name, DisplayName: name}
	for _, m := range members {
		o.Members = append(o.Members, dirsync.Ref("cn="+m))
	}
	return o
}

// site is a tenant in a real store, the premises, and what synchronises them.
type site struct {
	*premises
	t        *testing.T
	db       *store.DB
	clock    *authntest.Clock
	settings dirsync.Settings
	domains  map[string]bool
	engine   *dirsync.Engine
}

func newSite(t *testing.T, p *premises) *site {
	t.Helper()
	s := &site{premises: p, t: t, clock: authntest.NewClock(time.Unix(2e9, 0)), domains: map[string]bool{"phs.example": true}}
	ring, err := keyring.Create(filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	s.db, err = store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "store.db"), Ring: ring, Clock: s.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.db.Close() })
	s.settings = dirsync.Settings{Limits: dirsync.Limits{MaxDeletes: 500, MaxRatio: 1}, SoftMatch: true, HardMatch: true, FullEvery: 7 * 24 * time.Hour}
	s.engine = s.newEngine(s.db, p)
	return s
}

func (s *site) newEngine(db dirsync.Store, a dirsync.Agents) *dirsync.Engine {
	return &dirsync.Engine{
		Agents: a, Store: db, Clock: s.clock, Holder: "here",
		Domains:  func(context.Context) (dirsync.Domains, error) { return domains(s.domains), nil },
		Settings: func() dirsync.Settings { return s.settings },
	}
}

type domains map[string]bool

func (d domains) Verified(name string) bool { _, ok := d[name]; return ok }
func (d domains) HashSync(name string) bool { return d[name] }
func (d domains) HashSynced() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(d)), func(n string) bool { return !d[n] })
}

func (s *site) run(w dirsync.Wish) directory.Run {
	s.t.Helper()
	run, err := s.engine.Run(s.t.Context(), w)
	if err != nil {
		s.t.Fatalf("%v", err)
	}
	return run
}

func (s *site) sync() directory.Run {
	s.t.Helper()
	return s.run(dirsync.Wish{Kind: dirsync.KindDirectory})
}

// tenant is everything that is synchronised, as text; when it was is no part of it.
func (s *site) tenant() string {
	s.t.Helper()
	all, err := s.db.Synced(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	var text string
	for _, u := range all.Users {
		u.Created, u.Changed, u.Onprem.SyncedAt = time.Time{}, time.Time{}, time.Time{}
		text += line(u)
	}
	for _, g := range all.Groups {
		g.Onprem.SyncedAt = time.Time{}
		text += line(g)
	}
	for _, c := range all.Contacts {
		c.Onprem.SyncedAt = time.Time{}
		text += line(c)
	}
	return text
}

func line(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b) + "\n"
}
