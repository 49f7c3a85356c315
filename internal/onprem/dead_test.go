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

func TestWhetherThePasswordWasSentIsKnown(t *testing.T) {
	_, cfg := lab(t, user("alice", nil))
	closed := cfg
	closed.URLs = []string{closedPort(t)}
	untrusted := cfg
	untrusted.RootCAs = nil
	service := cfg
	service.BindPassword, service.UserFilter = secret("wrong"), "(userPrincipalName=%s)"
	hangsUp := cfg
	hangsUp.TLS, hangsUp.URLs = onprem.Plain, []string{behave(t, func(c net.Conn) { _, _ = ber.ReadPacket(c) })}
	for name, c := range map[string]struct {
		cfg     onprem.Config
		want    authn.Reason
		unasked bool
	}{
		"good":                    {cfg, authn.None, false},
		"port closed":             {closed, authn.ADUnreachable, true},
		"certificate not trusted": {untrusted, authn.ADUnreachable, true},
		"service account wrong":   {service, authn.AgentError, true},
		"hung up on the bind":     {hangsUp, authn.ADUnreachable, false},
	} {
		v := client(t, c.cfg).Bind(t.Context(), "alice@pta.example.test", secret(password))
		if v.Reason != c.want || v.Unasked != c.unasked {
			t.Errorf("%s: %+v, want %v, unasked %t", name, v, c.want, c.unasked)
		}
	}
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "ldap://" + l.Addr().String()
}

func TestAnEntryWithoutANameIsNobody(t *testing.T) {
	for dn, want := range map[string]authn.Reason{"": authn.AgentError, "cn=alice": authn.None} {
		url := behave(t, func(c net.Conn) {
			for {
				req, err := ber.ReadPacket(c)
				if err != nil {
					return
				}
				id := string([]byte{byte(req.Children[0].Value.(int64))})
				if req.Children[1].Tag == 3 { // a search: one entry without attributes, then done
					n := byte(len(dn))
					_, _ = io.WriteString(c, "\x30"+string([]byte{9 + n})+"\x02\x01"+id+"\x64"+string([]byte{4 + n})+"\x04"+string([]byte{n})+dn+"\x30\x00")
					_, _ = io.WriteString(c, "\x30\x0c\x02\x01"+id+"\x65\x07\x0a\x01\x00\x04\x00\x04\x00")
					continue
				}
				_, _ = io.WriteString(c, "\x30\x0c\x02\x01"+id+"\x61\x07\x0a\x01\x00\x04\x00\x04\x00")
			}
		})
		d := client(t, onprem.Config{
			URLs: []string{url}, TLS: onprem.Plain, Timeout: 20 * time.Second, Kind: onprem.LDAP,
			BindDN: "cn=svc", BindPassword: secret("x"), BaseDN: base,
		})
		if v := d.Bind(t.Context(), "alice@pta.example.test", secret(password)); v.Reason != want {
			t.Errorf("entry %q: %+v, want %v", dn, v, want)
		}
	}
}

func TestReadingOutlivesADeadKeptConnection(t *testing.T) {
	srv, cfg := lab(t, user("alice", nil))
	d := client(t, cfg)
	read := func() (n int, last error) {
		for _, err := range d.Read(t.Context(), onprem.Query{Filter: "(userPrincipalName=alice@pta.example.test)"}) {
			if last = err; err == nil {
				n++
			}
		}
		return n, last
	}
	for _, when := range []string{"on a new connection", "on a kept one", "after everybody was hung up on"} {
		if when[0] == 'a' {
			srv.Drop()
		}
		if n, err := read(); n != 1 || err != nil {
			t.Errorf("%s: %d entries, %v", when, n, err)
		}
	}
	srv.Outage()
	if n, err := read(); n != 0 || err == nil {
		t.Errorf("during an outage: %d entries, %v", n, err)
	}
}
