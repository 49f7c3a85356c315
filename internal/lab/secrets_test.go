package lab

import (
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/fourways-id/fourways/internal/lab/world"
	"github.com/fourways-id/fourways/internal/onprem"
)

func TestAnotherProcessReadsTheForestAsTheSynchronisationDoes(t *testing.T) {
	dir := t.TempDir()
	if _, err := Reader(dir, "ldap://127.0.0.1:1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no lab yet: %v", err)
	}
	if all, err := os.ReadDir(dir); err != nil || len(all) > 0 {
		t.Errorf("looking for a lab made %v, %v", all, err)
	}
	l, err := startIn(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cfg, err := Reader(dir, l.Premises().URL())
	if err != nil {
		t.Fatal(err)
	}
	d, err := onprem.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if world.BaseDN != l.forest().BaseDN() || cfg.BindDN != l.forest().SyncReaderDN() {
		t.Errorf("the forest is %s and is read by %s", l.forest().BaseDN(), l.forest().SyncReaderDN())
	}
}
