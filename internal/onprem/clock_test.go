package onprem

import (
	"testing"
	"time"
)

func TestTimesOfADirectoryAreRead(t *testing.T) {
	want := time.Date(2025, 4, 2, 10, 30, 5, 0, time.UTC)
	for _, s := range []string{"20250402103005.0Z", "20250402103005Z", "20250402123005+0200"} {
		if got, err := parseTime(s); err != nil || !got.Equal(want) {
			t.Errorf("%s is %s, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "2025", "20251302103005.0Z", "2025-04-02T10:30:05Z", "20250402103005"} {
		if got, err := parseTime(s); err == nil {
			t.Errorf("%q is taken for %s", s, got)
		}
	}
}

func FuzzTime(f *testing.F) {
	f.Add("20250402103005.0Z")
	f.Fuzz(func(t *testing.T, s string) {
		if got, err := parseTime(s); err == nil && got.Location() != time.UTC {
			t.Errorf("%q is in %s", s, got.Location())
		}
	})
}
