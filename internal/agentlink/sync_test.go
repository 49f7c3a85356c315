package agentlink

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/fourways-id/fourways/internal/dirsync"
)

// sealedFrame is one batch in one frame, as the agent makes it.
func sealedFrame(t *testing.T, gateway *GatewayKeys, agent string, seq int, b dirsync.Batch) frame {
	t.Helper()
	key, err := newSealer(&fixedClock{time.Now()}).key(gateway.public.Box, labelUp(agent))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	f := frame{Agent: agent, Run: b.Run, Seq: seq, Enc: key.enc}
	f.Sealed = key.seal(plain, f.aad())
	return f
}

func TestOnlyTheNextBatchOfTheRunIsTaken(t *testing.T) {
	gateway := testGateway(t, 0)
	agent, other := newID(), newID()
	batch := func(run string, kind dirsync.Kind, seq int) dirsync.Batch {
		return dirsync.Batch{Run: run, Kind: kind, Seq: seq, Part: dirsync.Part{Objects: []dirsync.Object{{Anchor: "a"}}}}
	}
	first := sealedFrame(t, gateway, agent, 0, batch("run", dirsync.KindDirectory, 0))
	moved := sealedFrame(t, gateway, agent, 0, batch("run", dirsync.KindDirectory, 1))
	moved.Seq = 1
	for name, c := range map[string]struct {
		second frame
		taken  bool
	}{
		"the next":           {sealedFrame(t, gateway, agent, 1, batch("run", dirsync.KindDirectory, 1)), true},
		"the first again":    {first, false},
		"the one after next": {sealedFrame(t, gateway, agent, 2, batch("run", dirsync.KindDirectory, 2)), false},
		"renumbered":         {moved, false},
		"an old batch":       {sealedFrame(t, gateway, agent, 1, batch("run", dirsync.KindDirectory, 0)), false},
		"of another run":     {sealedFrame(t, gateway, agent, 1, batch("run before", dirsync.KindDirectory, 1)), false},
		"of another kind":    {sealedFrame(t, gateway, agent, 1, batch("run", dirsync.KindHash, 1)), false},
		"of another agent":   {sealedFrame(t, gateway, other, 1, batch("run", dirsync.KindDirectory, 1)), false},
	} {
		t.Run(name, func(t *testing.T) {
			in := &assembly{link: &Link{unseal: newUnsealer(gateway.box)}, member: Member{ID: agent}, run: "run", kind: dirsync.KindDirectory}
			taken := 0
			take := func(dirsync.Batch) error { taken++; return nil }
			if err := in.take(first, take); err != nil || taken != 1 {
				t.Fatalf("positive control: %v", err)
			}
			if err := in.take(c.second, take); (err == nil) != c.taken || (taken == 2) != c.taken {
				t.Errorf("%d batches were taken: %v", taken, err)
			}
		})
	}
}
