package onprem_test

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/onprem"
)

func TestAPasswordIsSentAtMostTwiceWhenKeptConnectionsDie(t *testing.T) {
	const kept = 6
	var together sync.WaitGroup
	together.Add(kept)
	var dying atomic.Bool
	var read atomic.Int32
	// Answers the first bind on each connection once all are there; later it reads a bind, which a directory would have
	// counted, and resets.
	url := behave(t, func(c net.Conn) {
		for {
			if _, err := ber.ReadPacket(c); err != nil {
				return
			}
			if dying.Load() {
				read.Add(1)
				return
			}
			together.Done()
			together.Wait()
			_, _ = io.WriteString(c, "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00")
		}
	})
	d := client(t, onprem.Config{URLs: []string{url}, TLS: onprem.Plain, Timeout: 20 * time.Second})
	var work sync.WaitGroup
	for range kept {
		work.Go(func() {
			if v := d.Bind(t.Context(), "alice@pta.example.test", secret(password)); v.Reason != authn.None {
				t.Errorf("positive control: %+v", v)
			}
		})
	}
	work.Wait()
	dying.Store(true)
	if v := d.Bind(t.Context(), "alice@pta.example.test", secret(password)); v.Reason != authn.ADUnreachable {
		t.Errorf("%+v, want ad_unreachable", v)
	}
	if n := read.Load(); n > 2 {
		t.Errorf("the directory read the password %d times: a wrong one would be counted as often", n)
	}
}
