package gateway

import (
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
)

// A flood that was turned away is one row a path, not one a request, and no sign-in counter takes it for a sign-in.
func TestAFloodLeavesOneRowForEachPath(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", "<garbage")
	for range 500 {
		h.turnAway(authn.PathCloud)
	}
	h.turnAway(authn.PathNone)
	h.writeShed(t.Context())
	h.writeShed(t.Context()) // nothing new: nothing more to write
	rows, err := h.SignIns(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	turned := map[authn.Path]int{}
	for _, r := range rows {
		turned[r.Fourways.Path] += r.Fourways.Shed
		if r.Fourways.Reason != "overloaded" || r.Status.ErrorCode != 90055 {
			t.Errorf("%+v", r)
		}
	}
	if len(rows) != 2 || turned[authn.PathCloud] != 500 || turned[authn.PathNone] != 1 {
		t.Errorf("%d rows: %v", len(rows), turned)
	}
}

func TestAStoreThatCannotBeWrittenIsNotReady(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", "<garbage")
	h.noteWriting(authntest.ErrDown)
	if code, body := readyz(t, h); code != 503 || !strings.Contains(body, "could not be written down") {
		t.Errorf("while nothing can be written: %d %s", code, body)
	}
	h.noteWriting(nil)
	if code, body := readyz(t, h); code != 200 {
		t.Errorf("once it can: %d %s", code, body)
	}
}
