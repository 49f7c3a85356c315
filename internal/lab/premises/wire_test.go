package premises

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"
)

// echoes is a server that says everything back.
func echoes(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	return l.Addr().String()
}

func TestAWireCarriesHoldsBackAndIsCut(t *testing.T) {
	t.Parallel()
	w, err := openWire(t.Context(), echoes(t))
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.dial("tcp", "wherever:1")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	back := bufio.NewReader(c)
	say := func(c net.Conn, what string) {
		if _, err := io.WriteString(c, what+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	hear := func(r *bufio.Reader, want string) {
		t.Helper()
		if got, err := r.ReadString('\n'); err != nil || got != want+"\n" {
			t.Errorf("heard %q, %v, want %q", got, err, want)
		}
	}
	say(c, "one")
	hear(back, "one")
	w.stall(true)
	w.stall(true)
	say(c, "two")
	late, err := w.dial("tcp", "") // who connects in a partition hears nothing
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	say(late, "three")
	for _, c := range []net.Conn{c, late} {
		_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("%d octets passed a partition, %v", n, err)
		}
		_ = c.SetReadDeadline(time.Time{})
	}
	w.stall(false)
	hear(back, "two")
	hear(bufio.NewReader(late), "three")
	w.drop()
	if _, err := back.ReadByte(); err == nil {
		t.Error("a connection outlived the cut")
	}
	again, err := w.dial("tcp", "")
	if err != nil {
		t.Fatalf("nobody may come back after a cut: %v", err)
	}
	defer again.Close()
	say(again, "four")
	hear(bufio.NewReader(again), "four")
	w.stall(true)
	w.close() // in a partition too
	if _, err := w.dial("tcp", ""); err == nil {
		t.Error("a closed wire was connected over")
	}
}
