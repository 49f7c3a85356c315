package load

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestBucketIsNeverTooLowAndAtMostOneThirtySecondTooHigh(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, int64(2*time.Hour/time.Microsecond)).Draw(t, "us")) * time.Microsecond
		up := upper(bucketOf(d))
		if up < d || up > d+d/32 {
			t.Fatalf("%s lies in the bucket up to %s", d, up)
		}
		if next := bucketOf(up + time.Microsecond); next != bucketOf(d)+1 && up < exact*time.Microsecond || next <= bucketOf(d) {
			t.Fatalf("the bucket after the one of %s has number %d, not above %d", d, next, bucketOf(d))
		}
	})
}

func TestQuantilesAreThoseOfTheSortedList(t *testing.T) {
	var h histogram
	for ms := range 1000 {
		h.add(time.Duration(ms+1) * time.Millisecond)
	}
	for q, want := range map[float64]time.Duration{.5: 500 * time.Millisecond, .9: 900 * time.Millisecond, .99: 990 * time.Millisecond, 1: time.Second} {
		if got := h.quantile(q); got < want || got > want+want/32 {
			t.Errorf("%g: %s, want %s", q, got, want)
		}
	}
	var none histogram
	if none.quantile(.5) != 0 || none.timing().Buckets == nil {
		t.Error("nothing at all is no empty distribution")
	}
}

// The value that at least the share q of all does not pass is the one at place ceil(q*n) of the sorted list.
func TestQuantilesAgreeWithAnyList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		us := rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(0, 200), rapid.Int64Range(0, int64(time.Hour/time.Microsecond))), 1, 500).Draw(t, "us")
		var h histogram
		for _, n := range us {
			h.add(time.Duration(n) * time.Microsecond)
		}
		slices.Sort(us)
		timing := h.timing()
		for percent, got := range map[int]Milliseconds{50: timing.P50, 90: timing.P90, 95: timing.P95, 99: timing.P99} {
			want := Milliseconds(time.Duration(us[(len(us)*percent+99)/100-1]) * time.Microsecond)
			if got < want || got > want+want/32 {
				t.Fatalf("p%d of %d is %s, and the list says %s", percent, len(us), time.Duration(got), time.Duration(want))
			}
		}
		counted := 0
		for _, b := range timing.Buckets {
			counted += b.Count
		}
		if last := us[len(us)-1]; timing.Max != Milliseconds(time.Duration(last)*time.Microsecond) || counted != len(us) || timing.Count != len(us) {
			t.Fatalf("max %s, %d in the buckets of %d", time.Duration(timing.Max), counted, len(us))
		}
	})
}

func TestTimingSurvivesJSON(t *testing.T) {
	var h histogram
	h.add(1234567 * time.Nanosecond)
	raw, err := json.Marshal(h.timing())
	if err != nil {
		t.Fatal(err)
	}
	var back Timing
	if err := json.Unmarshal(raw, &back); err != nil || back.Max != Milliseconds(1234*time.Microsecond) || len(back.Buckets) != 1 {
		t.Errorf("%s came back as %+v, %v", raw, back, err)
	}
}
