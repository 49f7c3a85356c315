package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/keyring"
)

// files are the names, sizes and contents of a folder.
func files(t *testing.T, dir string) string {
	t.Helper()
	all, err := os.ReadDir(dir)
	must(t, err)
	var b strings.Builder
	for _, e := range all {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		must(t, err)
		b.WriteString(e.Name() + "\n" + string(text) + "\n")
	}
	return b.String()
}

// closed is a store that was made and closed, apart from others in its folder.
func closed(t *testing.T, lab bool) Options {
	t.Helper()
	ring, err := keyring.Create(filepath.Join(t.TempDir(), "root.key"))
	must(t, err)
	o := Options{Path: filepath.Join(t.TempDir(), "store.db"), Ring: ring, Lab: lab, Clock: authntest.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))}
	db, err := Open(t.Context(), o)
	must(t, err)
	must(t, db.Close())
	return o
}

func TestALookAtAClosedStoreTellsWhatOpenWouldAndChangesNothing(t *testing.T) {
	o := closed(t, false)
	other, err := keyring.Create(filepath.Join(t.TempDir(), "root.key"))
	must(t, err)
	dir := filepath.Dir(o.Path)
	before := files(t, dir)
	look := func(change func(*Options)) error {
		mine := o
		change(&mine)
		_, err := Look(t.Context(), mine)
		return err
	}
	must(t, look(func(*Options) {}))
	if err := look(func(o *Options) { o.Ring = other }); !errors.Is(err, ErrOtherKey) {
		t.Errorf("another key: %v", err)
	}
	if err := look(func(o *Options) { o.Lab = true }); !errors.Is(err, ErrOtherMark) {
		t.Errorf("another mark: %v", err)
	}
	if err := look(func(o *Options) { o.Path = filepath.Join(dir, "none.db") }); err == nil {
		t.Error("there is no file, and nothing was said")
	}
	if files(t, dir) != before {
		t.Error("looking left something behind")
	}
	behind := raw(t, o.Path)
	_, err = behind.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)`)
	must(t, err)
	_, err = behind.ExecContext(t.Context(), `PRAGMA wal_checkpoint(TRUNCATE)`)
	must(t, err)
	if err := look(func(*Options) {}); !errors.Is(err, ErrNewer) {
		t.Errorf("a newer schema: %v", err)
	}
}

func TestALookAtAnOpenStoreWhoseMarksAreInTheLogSaysSo(t *testing.T) {
	db, path := newSQLite(t)
	before := files(t, filepath.Dir(path))
	if _, err := Look(t.Context(), Options{Path: path, Ring: db.ring}); !errors.Is(err, ErrUnsettled) {
		t.Errorf("got %v", err)
	}
	if files(t, filepath.Dir(path)) != before {
		t.Error("looking left something behind")
	}
	_, err := raw(t, path).ExecContext(t.Context(), `PRAGMA wal_checkpoint(FULL)`)
	must(t, err)
	if _, err := Look(t.Context(), Options{Path: path, Ring: db.ring}); err != nil {
		t.Errorf("once they are in the file: %v", err)
	}
}

func TestADamagedStoreIsFound(t *testing.T) {
	o := closed(t, false)
	db, err := Open(t.Context(), o)
	must(t, err)
	var users []directory.User
	for i := range 200 { // the last page is theirs, and not the schema's
		name := fmt.Sprintf("u%d", i)
		users = append(users, directory.User{ID: authn.AccountID(name), UPN: name + "@one.test", DisplayName: strings.Repeat("x", 200)})
	}
	must(t, db.LoadUsers(t.Context(), users, nil))
	must(t, db.Close())
	text, err := os.ReadFile(o.Path)
	must(t, err)
	const page = 4096
	if _, err := InspectFile(t.Context(), o.Path); err != nil {
		t.Fatalf("control, closed: %v", err)
	}
	db, err = Open(t.Context(), o)
	must(t, err)
	must(t, db.SetMeta(t.Context(), "k", "v"))
	if _, err := InspectFile(t.Context(), o.Path); !errors.Is(err, ErrUnsettled) {
		t.Errorf("open: %v", err)
	}
	if _, err := db.Inspect(t.Context()); err != nil {
		t.Fatalf("control: %v", err)
	}
	must(t, db.Close())
	for at := len(text) - page; at < len(text); at++ {
		text[at] = 0xff
	}
	must(t, os.WriteFile(o.Path, text, 0o600))
	if _, err := InspectFile(t.Context(), o.Path); !errors.Is(err, ErrDamaged) {
		t.Errorf("closed: %v", err)
	}
	db, err = Open(t.Context(), o)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	if _, err := db.Inspect(t.Context()); !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v", err)
	}
}
