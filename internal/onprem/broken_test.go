package onprem_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/onprem"
)

// behave listens on loopback and gives every connection to serve; all end with the test.
func behave(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	addr, _ := listen(t, "127.0.0.1:0", serve)
	return "ldap://" + addr
}

// listen is behave at an address, and a way to end it before the test does.
func listen(t *testing.T, addr string, serve func(net.Conn)) (string, func()) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			work.Go(func() { defer c.Close(); serve(c) })
		}
	})
	end := func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		work.Wait()
	}
	t.Cleanup(end)
	return l.Addr().String(), end
}

// guard fails a test that hangs; it measures nothing.
func guard(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("still waiting")
	}
}

func silent(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

func TestASilentServerEndsWithTheContext(t *testing.T) {
	url := behave(t, silent)
	for _, mode := range []string{onprem.Plain, onprem.StartTLS} {
		d := client(t, onprem.Config{URLs: []string{url}, TLS: mode, Timeout: time.Hour})
		guard(t, func() {
			ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
			defer cancel()
			if v := d.Bind(ctx, "alice@pta.example.test", secret(password)); v.Reason != authn.AgentTimeout || v.Cause == nil {
				t.Errorf("%s: %+v, want agent_timeout", mode, v)
			}
		})
	}
	d := client(t, onprem.Config{URLs: []string{strings.Replace(url, "ldap:", "ldaps:", 1)}, Timeout: time.Hour})
	guard(t, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		if v := d.Bind(ctx, "alice@pta.example.test", secret(password)); v.Reason != authn.AgentTimeout {
			t.Errorf("ldaps: %+v, want agent_timeout", v)
		}
	})
}

func TestASilentServerEndsWithTheTimeout(t *testing.T) {
	d := client(t, onprem.Config{
		URLs: []string{behave(t, silent)}, TLS: onprem.Plain, Timeout: 100 * time.Millisecond,
		BindDN: "cn=svc", BindPassword: secret("x"), BaseDN: base,
	})
	guard(t, func() {
		if v := d.Bind(context.Background(), "alice@pta.example.test", secret(password)); v.Reason != authn.AgentTimeout {
			t.Errorf("bind: %+v, want agent_timeout", v)
		}
		if err := d.Check(context.Background()); err == nil {
			t.Error("check: no error from a silent server")
		}
		for _, err := range d.Read(context.Background(), onprem.Query{}) {
			if err == nil {
				t.Error("read: an entry from a silent server")
			}
		}
	})
}

func TestAServerThatSpeaksNoLDAPIsAnErrorNotAnAnswer(t *testing.T) {
	for name, octets := range map[string]string{
		"http":     "HTTP/1.1 400 Bad Request\r\n\r\n",
		"huge":     "\x30\x84\x7f\xff\xff\xff",
		"endless":  "\x30\x80",
		"zeros":    strings.Repeat("\x00", 64),
		"bad body": "\x30\x05\xff\xff\xff\xff\xff",
	} {
		url := behave(t, func(c net.Conn) {
			_, _ = c.Read(make([]byte, 1))
			_, _ = io.WriteString(c, octets)
			if name == "bad body" {
				return
			}
			silent(c)
		})
		for _, mode := range []string{onprem.Plain, onprem.StartTLS} {
			d := client(t, onprem.Config{URLs: []string{url}, TLS: mode, Timeout: 20 * time.Second})
			guard(t, func() {
				v := d.Bind(context.Background(), "alice@pta.example.test", secret(password))
				if v.Reason != authn.AgentError && !(name == "bad body" && v.Reason == authn.ADUnreachable) {
					t.Errorf("%s, %s: %+v, want agent_error", name, mode, v)
				}
			})
		}
	}
}

// answer serves binds by reply: the response's tag, its code, and what comes after the LDAPResult in the message.
func answer(t *testing.T, reply func(name string) (ber.Tag, int, *ber.Packet)) string {
	return behave(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		for {
			req, err := ber.ReadPacket(r)
			if err != nil {
				return
			}
			op := req.Children[1]
			name := ""
			if op.Tag == 0 {
				name = op.Children[1].Data.String()
			}
			tag, code, controls := reply(name)
			p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
			p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(code), ""))
			p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
			p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
			m := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
			m.AppendChild(req.Children[0])
			m.AppendChild(p)
			if controls != nil {
				m.AppendChild(controls)
			}
			if _, err := c.Write(m.Bytes()); err != nil {
				return
			}
		}
	})
}

func TestOnlyABindResponseIsASuccess(t *testing.T) {
	for name, c := range map[string]struct {
		tag  ber.Tag
		code int
		want authn.Reason
	}{
		"bind response":            {1, 0, authn.None},
		"search done in its place": {5, 0, authn.AgentError},
		"extended in its place":    {24, 0, authn.AgentError},
		"referral":                 {1, 10, authn.AgentError},
		"SASL in progress":         {1, 14, authn.AgentError},
		"busy":                     {1, 51, authn.ADUnreachable},
		"wrong":                    {1, 49, authn.BadPassword},
		"a code from nowhere":      {1, 123, authn.AgentError},
	} {
		url := answer(t, func(string) (ber.Tag, int, *ber.Packet) { return c.tag, c.code, nil })
		d := client(t, onprem.Config{URLs: []string{url}, TLS: onprem.Plain, Timeout: 20 * time.Second})
		if v := d.Bind(t.Context(), "alice@pta.example.test", secret(password)); v.Reason != c.want {
			t.Errorf("%s: %+v, want %v", name, v, c.want)
		}
	}
}

// policy is a response control of draft-behera-ldap-password-policy-10 with this error.
func policy(kind byte) *ber.Packet {
	value := "\x30\x03\x81\x01" + string(kind)
	one := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	one.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "1.3.6.1.4.1.42.2.27.8.5.1", ""))
	one.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, value, ""))
	list := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
	list.AppendChild(one)
	return list
}

func TestThePasswordPolicyControlNamesTheState(t *testing.T) {
	for name, c := range map[string]struct {
		code int
		kind byte
		want authn.Reason
	}{
		"expired":                           {49, 0, authn.OnpremPasswordExpired},
		"locked":                            {49, 1, authn.OnpremLocked},
		"must change, though the bind is 0": {0, 2, authn.OnpremMustChange},
		"advice on a wrong password":        {49, 5, authn.BadPassword},
		"advice on a success":               {0, 7, authn.None},
	} {
		url := answer(t, func(string) (ber.Tag, int, *ber.Packet) { return 1, c.code, policy(c.kind) })
		d := client(t, onprem.Config{URLs: []string{url}, TLS: onprem.Plain, Timeout: 20 * time.Second})
		if v := d.Bind(t.Context(), "alice@pta.example.test", secret(password)); v.Reason != c.want || v.Code != c.code {
			t.Errorf("%s: %+v, want %v", name, v, c.want)
		}
	}
}

func TestAKeptConnectionThatDiedIsReplaced(t *testing.T) {
	// Answers one bind on each connection, then reads the next request and hangs up.
	url := behave(t, func(c net.Conn) {
		if _, err := ber.ReadPacket(c); err != nil {
			return
		}
		_, _ = io.WriteString(c, "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00")
		_, _ = ber.ReadPacket(c)
	})
	d := client(t, onprem.Config{URLs: []string{url}, TLS: onprem.Plain, Timeout: 20 * time.Second})
	for i := range 5 {
		if v := d.Bind(t.Context(), "alice@pta.example.test", secret(password)); v.Reason != authn.None {
			t.Errorf("bind %d: %+v", i, v)
		}
	}
}

func TestClearOctetsBehindTheStartTLSAnswerAreNotTakenForTLS(t *testing.T) {
	cert, roots := certificate(t)
	// The answer to StartTLS, and right behind it, in clear, a success for the bind that is still to come.
	injected := "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00" + "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"
	for octets, want := range map[string]authn.Reason{injected: authn.ADUnreachable, injected[:14]: authn.None} {
		url := behave(t, func(c net.Conn) {
			if _, err := ber.ReadPacket(c); err != nil {
				return
			}
			_, _ = io.WriteString(c, octets)
			s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
			if _, err := ber.ReadPacket(s); err == nil {
				_, _ = io.WriteString(s, injected[14:])
				silent(s)
			}
		})
		d := client(t, onprem.Config{URLs: []string{url}, RootCAs: roots, Timeout: 20 * time.Second})
		if v := d.Bind(t.Context(), "alice@pta.example.test", secret(password)); v.Reason != want {
			t.Errorf("%d octets: %+v, want %v", len(octets), v, want)
		}
	}
}

func TestNoPasswordInAVerdictOrAnError(t *testing.T) {
	const canary = "Canary-7f3a!"
	_, cfg := lab(t, user("alice", nil))
	cfg.BindPassword = secret(canary + "svc")
	d := client(t, cfg)
	v := d.Bind(t.Context(), "alice@pta.example.test", secret(canary))
	err := errors.Join(v.Cause, d.Check(t.Context()), d.SetPassword(t.Context(), "CN=alice,"+people, secret(canary)))
	if err == nil || strings.Contains(err.Error(), "Canary") {
		t.Errorf("%v", err)
	}
}
