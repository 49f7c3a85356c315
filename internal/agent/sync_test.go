package agent_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/agent/agenttest"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/dirsync"
)

// made is a source with these objects, and an error at its end.
type made struct {
	parts [][]dirsync.Object
	err   error
}

func (m made) Read(_ context.Context, _ dirsync.Ask, yield func(dirsync.Part) error) error {
	for _, p := range m.parts {
		if err := yield(dirsync.Part{Objects: p, Full: true, Cursor: []byte("here")}); err != nil {
			return err
		}
	}
	return m.err
}

func people(n int) []dirsync.Object {
	all := make([]dirsync.Object, n)
	for i := range all {
		all[i] = dirsync.Object{Kind: dirsync.User, Anchor: fmt.Sprintf("anchor-%05d", i), UPN: fmt.Sprintf("user%05d@phs.example.test", i), Enabled: true}
	}
	return all
}

func collect(t *testing.T, w *agenttest.World, run string, kind dirsync.Kind) ([]dirsync.Batch, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), agenttest.Hang)
	defer cancel()
	var got []dirsync.Batch
	err := w.Link.Sync(ctx, run, dirsync.Ask{Kind: kind}, func(b dirsync.Batch) error { got = append(got, b); return nil })
	return got, err
}

func TestSynchronisationArrivesWholeAndInOrder(t *testing.T) {
	w := agenttest.Start(t)
	big := dirsync.Object{Kind: dirsync.Group, Anchor: "big", DisplayName: "Everybody"} // larger than one frame
	for i := range 60_000 {
		big.Members = append(big.Members, fmt.Sprintf("anchor-%05d", i))
	}
	w.Run(t, agent.Options{Identity: w.Enrol(t, "one", agentlink.RoleSync), Source: made{parts: [][]dirsync.Object{people(1234), {big}}}})
	got, err := collect(t, w, "run-1", dirsync.KindDirectory)
	if err != nil {
		t.Fatal(err)
	}
	var objects []dirsync.Object
	for i, b := range got {
		if b.Seq != i || b.Run != "run-1" || b.Agent != "one" || b.Kind != dirsync.KindDirectory || b.Last != (i == len(got)-1) {
			t.Errorf("batch %d: seq %d, run %s, agent %s, last %t", i, b.Seq, b.Run, b.Agent, b.Last)
		}
		objects = append(objects, b.Objects...)
	}
	if len(objects) != 1235 || objects[1233].UPN != "user01233@phs.example.test" || len(objects[1234].Members) != 60_000 {
		t.Errorf("%d objects arrived", len(objects))
	}
	if again, err := collect(t, w, "run-2", dirsync.KindDirectory); err != nil || len(again) != len(got) {
		t.Errorf("a second run: %d batches, %v", len(again), err)
	}
}

func TestTroubleEndsARunAndChangesNothing(t *testing.T) {
	w := agenttest.Start(t)
	if _, err := collect(t, w, "none", dirsync.KindDirectory); err == nil {
		t.Error("nobody to ask, and no error")
	}
	a := w.Run(t, agent.Options{Identity: w.Enrol(t, "one", agentlink.RoleSync), Source: made{parts: [][]dirsync.Object{people(3)}, err: errors.New("the directory hung up")}})
	got, err := collect(t, w, "broken", dirsync.KindDirectory)
	if err != nil || len(got) != 2 || got[1].Last || !strings.Contains(got[1].Error, "hung up") {
		t.Errorf("%+v, %v", got, err)
	}
	refuse := errors.New("refused by the plan")
	err = w.Link.Sync(t.Context(), "refused", dirsync.Ask{Kind: dirsync.KindDirectory}, func(dirsync.Batch) error { return refuse })
	if !errors.Is(err, refuse) {
		t.Errorf("%v, want what the caller said", err)
	}
	w.Until(t, "the agent heard of the refusal", func() bool { return strings.Contains(string(w.Log.Bytes()), "was not taken") })
	a.Stop()
	w.Run(t, agent.Options{Identity: w.Enrol(t, "without a source", agentlink.RoleSync), Directory: &premises{}})
	if got, err := collect(t, w, "sourceless", dirsync.KindHash); err != nil || len(got) != 1 || got[0].Error == "" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAgentThatDiesEndsTheRun(t *testing.T) {
	w := agenttest.Start(t)
	id := w.Enrol(t, "one", agentlink.RoleSync)
	reading := make(chan struct{})
	w.Run(t, agent.Options{Identity: id, Source: blocked{reading}})
	done := make(chan error, 1)
	go func() {
		done <- w.Link.Sync(context.Background(), "run", dirsync.Ask{Kind: dirsync.KindDirectory}, func(dirsync.Batch) error { return nil })
	}()
	<-reading
	w.Broker.Disconnect(id.AgentID)
	if err := <-done; err == nil || !strings.Contains(err.Error(), "gone") {
		t.Errorf("%v", err)
	}
}

// A gateway that was killed in the middle of a run comes back and asks again: it is not told to wait for the run that nobody
// waits for.
func TestANewerRunTakesThePlaceOfTheOneBefore(t *testing.T) {
	w := agenttest.Start(t)
	id := w.Enrol(t, "one", agentlink.RoleSync)
	reading, ended := make(chan struct{}), make(chan error, 1)
	w.Run(t, agent.Options{Identity: id, Source: first{blocked{reading}, ended, made{parts: [][]dirsync.Object{people(1)}}}})
	before := make(chan error, 1)
	go func() {
		before <- w.Link.Sync(context.Background(), "first", dirsync.Ask{Kind: dirsync.KindDirectory}, func(dirsync.Batch) error { return nil })
	}()
	<-reading
	if _, err := collect(t, w, "first", dirsync.KindDirectory); err == nil {
		t.Error("a run of the same name was taken")
	}
	got, err := collect(t, w, "second", dirsync.KindHash)
	if err != nil || len(got) != 1 || !got[0].Last || got[0].Error != "" || len(got[0].Objects) != 1 {
		t.Errorf("a second run: %+v, %v", got, err)
	}
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the first run was not ended")
		}
	default:
		t.Error("two runs went on at once")
	}
	w.Broker.Disconnect(id.AgentID)
	if err := <-before; err == nil {
		t.Error("the first run ended well")
	}
}

// first reads the directory by one source, and says when that ended; hashes by another.
type first struct {
	directory dirsync.Source
	ended     chan error
	hashes    dirsync.Source
}

func (f first) Read(ctx context.Context, ask dirsync.Ask, yield func(dirsync.Part) error) error {
	if ask.Kind == dirsync.KindHash {
		return f.hashes.Read(ctx, ask, yield)
	}
	err := f.directory.Read(ctx, ask, yield)
	f.ended <- err
	return err
}

type blocked struct{ reading chan struct{} }

func (b blocked) Read(ctx context.Context, _ dirsync.Ask, _ func(dirsync.Part) error) error {
	close(b.reading)
	<-ctx.Done()
	return ctx.Err()
}

func TestHashRecordsAreSealedOnTheBroker(t *testing.T) {
	w := agenttest.Start(t)
	tap := w.Tap(t)
	const record = "v1;PPH1_MD4,00112233445566778899,1000,000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f;"
	w.Run(t, agent.Options{Identity: w.Enrol(t, "one", agentlink.RoleSync), Source: made{parts: [][]dirsync.Object{{{Kind: dirsync.User, Anchor: "a", Hash: record}}}}})
	got, err := collect(t, w, "hashes", dirsync.KindHash)
	if err != nil || len(got) != 1 || got[0].Objects[0].Hash != record {
		t.Fatalf("%+v, %v", got, err)
	}
	w.Until(t, "the tap heard the run", func() bool { return strings.Count(string(tap.Bytes()), `"run":"hashes"`) >= 2 })
	for _, form := range authntest.Leaks(tap.Bytes(), record) {
		t.Errorf("the broker shows a hash record: %s", form)
	}
}
