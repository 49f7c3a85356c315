package dc_test

import (
	"net"
	"testing"
)

func TestAfterAnOutageItIsTheSameDomainAtTheSameAddress(t *testing.T) {
	l := start(t)
	conn, err := net.Dial("tcp", l.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	l.Outage()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("a connection outlived the outage")
	}
	if c, err := net.Dial("tcp", l.Addr()); err == nil {
		_ = c.Close()
		t.Error("it was reached during the outage")
	}
	for range 2 { // the second finds nothing to do
		if err := l.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	c, err := net.Dial("tcp", l.Addr())
	if err != nil {
		t.Fatalf("not reached after the outage: %v", err)
	}
	_ = c.Close()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Recover(t.Context()); err == nil {
		t.Error("a closed one listened again")
	}
}
