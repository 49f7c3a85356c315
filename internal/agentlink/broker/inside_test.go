package broker

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

func TestOwnUsersComeFromInsideOnly(t *testing.T) {
	authority, err := NewAuthority(bytes.Repeat([]byte{3}, 32), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := authority.TLS("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	b, err := Start(t.Context(), Options{
		Listen: "127.0.0.1:0", TLS: cfg, Auth: func(string) (string, bool) { return "", false }, Log: slog.New(slog.DiscardHandler), Inspect: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(authority.PEM()))
	for _, user := range []string{gatewayUser, observerUser, inspectUser} {
		inside, err := b.connect(user)
		if err != nil {
			t.Errorf("%s from inside: %v", user, err)
			continue
		}
		inside.Close()
		outside, err := nats.Connect("tls://"+b.Addr().String(), nats.Secure(&tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots}),
			nats.TLSHandshakeFirst(), nats.NoReconnect(), nats.UserInfo(user, b.secret))
		if err == nil {
			outside.Close()
		}
		if !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("%s from outside, with the right secret: %v, want an authorization violation", user, err)
		}
	}
	if c, err := b.connect("somebody"); err == nil {
		c.Close()
		t.Error("a name that is nobody's was taken from inside")
	}
}
