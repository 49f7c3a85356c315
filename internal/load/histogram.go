package load

import (
	"encoding/json"
	"math"
	"math/bits"
	"slices"
	"time"
)

// histogram counts durations in log-linear buckets: 1 microsecond wide below 64, then 32 to each doubling, so a bucket's
// upper edge is at most 1/32 (3.2 %) above what lies in it.
type histogram struct {
	counts map[int]int
	total  int
	max    time.Duration
}

// exact is the first value, in microseconds, that shares its bucket.
const exact = 64

func bucketOf(d time.Duration) int {
	us := uint64(max(0, d.Microseconds()))
	if us < exact {
		return int(us)
	}
	shift := bits.Len64(us) - 6
	return shift<<5 + int(us>>shift)
}

// upper is the largest duration of a bucket.
func upper(bucket int) time.Duration {
	if bucket < exact {
		return time.Duration(bucket) * time.Microsecond
	}
	shift := bucket>>5 - 1
	return time.Duration((bucket-shift<<5+1)<<shift-1) * time.Microsecond
}

func (h *histogram) add(d time.Duration) {
	if h.counts == nil {
		h.counts = map[int]int{}
	}
	h.counts[bucketOf(d)]++
	h.total++
	h.max = max(h.max, d)
}

// quantile is a duration that the share q of all did not pass, by the upper edge of its bucket.
func (h *histogram) quantile(q float64) time.Duration {
	rank, seen := int(math.Ceil(q*float64(h.total))), 0
	for _, b := range h.buckets() {
		if seen += h.counts[b]; seen >= rank {
			return min(upper(b), h.max)
		}
	}
	return h.max
}

func (h *histogram) buckets() []int {
	all := make([]int, 0, len(h.counts))
	for b := range h.counts {
		all = append(all, b)
	}
	slices.Sort(all)
	return all
}

// Milliseconds is a duration as the result writes it: a number with three places.
type Milliseconds time.Duration

// MarshalJSON implements json.Marshaler.
func (m Milliseconds) MarshalJSON() ([]byte, error) {
	return json.Marshal(float64(time.Duration(m).Microseconds()) / 1000)
}

// UnmarshalJSON implements json.Unmarshaler.
func (m *Milliseconds) UnmarshalJSON(raw []byte) error {
	var ms float64
	err := json.Unmarshal(raw, &ms)
	*m = Milliseconds(time.Duration(math.Round(ms*1000)) * time.Microsecond)
	return err
}

// Timing is a distribution of durations. A percentile is the upper edge of its bucket: at most 1/32 too high, never too
// low; Max is exact to the microsecond.
type Timing struct {
	Count   int          `json:"count"`
	P50     Milliseconds `json:"p50"`
	P90     Milliseconds `json:"p90"`
	P95     Milliseconds `json:"p95"`
	P99     Milliseconds `json:"p99"`
	Max     Milliseconds `json:"max"`
	Buckets []Bucket     `json:"buckets"` // those with anything in them, in rising order
}

// Bucket counts the durations up to its edge and above the one of the bucket before.
type Bucket struct {
	UpTo  Milliseconds `json:"upTo"`
	Count int          `json:"count"`
}

func (h *histogram) timing() Timing {
	at := func(q float64) Milliseconds { return Milliseconds(h.quantile(q)) }
	t := Timing{Count: h.total, P50: at(.50), P90: at(.90), P95: at(.95), P99: at(.99), Max: Milliseconds(h.max), Buckets: []Bucket{}}
	for _, b := range h.buckets() {
		t.Buckets = append(t.Buckets, Bucket{UpTo: Milliseconds(upper(b)), Count: h.counts[b]})
	}
	return t
}
