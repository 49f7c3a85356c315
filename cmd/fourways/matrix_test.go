package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/lab/matrix"
)

// The premises of this lab have a rule broken: bob, who was disabled, is enabled again. The cells that ask the premises
// about him turn red, and no other: password hash synchronisation does not ask.
func TestABrokenRuleTurnsTheRightCellsRed(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	s, err := openSockets(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	w, err := openWorkshop(ctx, dir, 1, s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	for _, upn := range []string{"bob@pta.example.test", "bob@saml.example.test"} {
		if err := w.lab.Premises().OnpremChange(ctx, upn, api.OnpremChange{Do: "enable"}); err != nil {
			t.Fatal(err)
		}
	}
	report, err := matrix.Run(ctx, shown(w), "saml", w.clock)
	if err != nil {
		t.Fatal(err)
	}
	const state = "disabled on-premises"
	for _, c := range report.Cells {
		want := matrix.MarkOf(c)
		switch {
		case c.State == state && (c.Path == authn.PathPTA || c.Path == authn.PathFederated):
			want = matrix.Red
		case c.State == state && c.Path == authn.PathPHS:
			want = matrix.Amber
		case want == matrix.Red:
			want = matrix.OK
		}
		if got := matrix.MarkOf(c); got != want {
			t.Errorf("%s on %s is %s, want %s: expected %s, saw %s", c.State, c.Path, got, want, c.Expected, c.Saw)
		}
	}
	var f failure
	if err := judgeMatrix(report); !errors.As(err, &f) || f.code != exitUnexpected {
		t.Fatalf("the command would end with %v, want exit code %d", err, exitUnexpected)
	}
	for _, want := range []string{"pta / " + state + ": expected 50057, saw success", "federated / " + state + ": expected fails at the IdP, saw success", "; trace "} {
		if !strings.Contains(f.why, want) {
			t.Errorf("the failure does not say %q:\n%s", want, f.why)
		}
	}
}

// copiesOf makes copies of a lab that has but a folder.
func copiesOf(t *testing.T) (c *copies, left func() int) {
	t.Helper()
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	c = newCopies(&workshop{dir: t.TempDir(), config: &config.Config{Lab: &config.Lab{Seed: 1}}})
	return c, func() int {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
}

func TestACopyIsRemovedWhenItsLabStopsInTheMiddle(t *testing.T) {
	c, left := copiesOf(t)
	began, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- c.with(t.Context(), 1, func(ctx context.Context, _ *workshop) error {
			close(began)
			<-ctx.Done()
			return ctx.Err()
		})
	}()
	select {
	case <-began:
	case err := <-ended:
		t.Fatal(err)
	}
	if left() == 0 {
		t.Error("the copy has no folder of its own")
	}
	err := c.with(t.Context(), 1, func(context.Context, *workshop) error { return nil })
	if !errors.Is(err, directory.ErrConflict) {
		t.Errorf("a second run got %v at the same time, want a conflict", err)
	}
	c.close()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "stopped in the middle") {
		t.Errorf("the run ended with %v", err)
	}
	if n := left(); n > 0 {
		t.Errorf("%d folders are left behind", n)
	}
}

func TestACopyThatFailsToStartLeavesNothing(t *testing.T) {
	c, left := copiesOf(t)
	if err := os.WriteFile(c.of.dir+"/"+labConfig, []byte("[serverr]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := c.with(t.Context(), 1, func(context.Context, *workshop) error { t.Error("the copy started"); return nil })
	if err == nil || left() > 0 {
		t.Errorf("error %v, %d folders left", err, left())
	}
	if err := os.Remove(c.of.dir + "/" + labConfig); err != nil {
		t.Fatal(err)
	}
	ran := false
	if err := c.with(t.Context(), 1, func(context.Context, *workshop) error { ran = true; return nil }); err != nil || !ran {
		t.Errorf("after that no copy starts: %v", err)
	}
	if left() > 0 {
		t.Error("a copy that ended well left its folder")
	}
}

func TestColoursAddNothingButColours(t *testing.T) {
	const table = "STATE  CLOUD  PHS\nhealthy  ok success  AMBER success\nred  n/a  RED 50126\n"
	got := coloured(table)
	if !strings.Contains(got, "\x1b[33mAMBER \x1b[0m") || !strings.Contains(got, "\x1b[1;31mRED \x1b[0m") {
		t.Errorf("there is no colour: %q", got)
	}
	if plain := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(got, ""); plain != table {
		t.Errorf("without its colours it says %q, want %q", plain, table)
	}
}
