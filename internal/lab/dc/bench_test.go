package dc

import (
	"fmt"
	"testing"
)

// What a synchronisation of a hundred thousand people asks.
func BenchmarkAmongAHundredThousand(b *testing.B) {
	s := crowd(b, 100_000)
	for i, text := range filters(s.dom)[:4] {
		f, err := decodeFilter(packet(b, text))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint("search ", i), func(b *testing.B) {
			for b.Loop() {
				if found, err := s.dom.lookup(query{base: s.BaseDN(), scope: 2, filter: f}, view{}); err != nil || len(found) == 0 {
					b.Fatal(len(found), err)
				}
			}
		})
	}
	everybody := filter{op: filterPresent, attr: "objectClass"}
	b.Run("everybody", func(b *testing.B) {
		for b.Loop() {
			if found, err := s.dom.lookup(query{base: s.BaseDN(), scope: 2, filter: everybody}, view{}); err != nil || len(found) < 100_000 {
				b.Fatal(len(found), err)
			}
		}
	})
	b.Run("DirSync delta", func(b *testing.B) {
		for b.Loop() {
			found, end := s.dom.changedSince(s.dom.usn-1, query{filter: everybody}, dirSyncRequest{flags: dirSyncAncestorsFirst}, view{deleted: true})
			if len(found) != 1 || end.more {
				b.Fatal(len(found), end)
			}
		}
	})
}
