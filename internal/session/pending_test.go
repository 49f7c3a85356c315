package session

import (
	"bytes"
	"encoding/base64"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
)

func pending() authn.Pending {
	return authn.Pending{
		ID: "6f1e0c5e-0000-4000-8000-000000000000", Seq: 1, Typed: "alice@fed.test",
		Realm: authn.Realm{Domain: "fed.test", Path: authn.PathFederated, Rule: "domain fed.test", IdP: "harbour", Protocol: "oidc", Issuer: "https://idp.test", Match: authn.MatchAnchor},
		Want:  authn.Want{Fresh: true, MaxAge: time.Minute, Context: []string{"mfa"}, LoginHint: "alice", ReturnTo: "/app"},
		Kept:  []byte("nonce and verifier"), Began: start(),
	}
}

func TestAPendingSignInComesBackAsItWas(t *testing.T) {
	f := newFixture(t)
	for name, change := range map[string]func(*authn.Pending){
		"whole":           func(*authn.Pending) {},
		"nothing kept":    func(p *authn.Pending) { p.Kept = nil },
		"all of MaxKeep":  func(p *authn.Pending) { p.Kept = bytes.Repeat([]byte{0xff}, authn.MaxKeep) },
		"a zero Pending":  func(p *authn.Pending) { *p = authn.Pending{} },
		"JSON in what is": func(p *authn.Pending) { p.Kept, p.Typed = []byte(`{"id":"x"}`), `"}{` },
	} {
		want := pending()
		change(&want)
		cookie, err := f.SealPending(want)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(cookie) > 3800 || strings.Trim(cookie, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Errorf("%s: %d bytes do not fit a cookie: %s", name, len(cookie), cookie)
		}
		got, err := f.OpenPending(cookie)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, want)
		}
	}
	long := pending()
	long.Want.ReturnTo = "/" + strings.Repeat("a", 4096)
	if _, err := f.SealPending(long); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("what fits no cookie: %v", err)
	}
	long.Want.ReturnTo = "/" + strings.Repeat("a", 1<<17)
	if _, err := f.SealPending(long); err == nil {
		t.Error("what fits no length was sealed")
	}
}

func TestAPendingSignInIsGoodForTenMinutesHereOnly(t *testing.T) {
	f := newFixture(t)
	cookie, err := f.SealPending(pending())
	if err != nil {
		t.Fatal(err)
	}
	open := func(what string, m fixture, cookie string, want error) {
		t.Helper()
		p, err := m.OpenPending(cookie)
		if err != want || err != nil && p.ID != "" { //nolint:errorlint // no more than this may be told
			t.Errorf("%s: got %+v, %v, want %v", what, p, err, want)
		}
	}
	open("now", f, cookie, nil)
	open("another root key", newFixture(t), cookie, ErrNone)
	other := base64.RawURLEncoding.EncodeToString(f.o.Ring.Seal("another label", nil, []byte("\x00\x02{}")))
	open("another label", f, other, ErrNone)
	raw, _ := base64.RawURLEncoding.DecodeString(cookie)
	for i := range raw {
		changed := bytes.Clone(raw)
		changed[i] ^= 0x80
		open("a changed byte", f, base64.RawURLEncoding.EncodeToString(changed), ErrNone)
	}
	for _, s := range []string{"", "A", cookie[:len(cookie)-1], cookie + "A", cookie + "=", strings.Repeat("A", 1<<20)} {
		open("what is no cookie of ours", f, s, ErrNone)
	}
	for _, plain := range []string{"", "\x00", "\xff\xff{}", "\x00\x01{", "\x00\x02[]"} { // sealed by us, and malformed all the same
		open("malformed "+plain, f, base64.RawURLEncoding.EncodeToString(f.o.Ring.Seal(pendingLabel, nil, []byte(plain))), ErrNone)
	}
	f.clock.Advance(10*time.Minute - time.Nanosecond)
	open("just in time", f, cookie, nil)
	f.clock.Advance(time.Nanosecond)
	open("too late", f, cookie, ErrNone)
	f.clock.Advance(-30 * time.Minute)
	open("after the clock went back", f, cookie, ErrNone)
}

func FuzzOpenPending(f *testing.F) {
	x := newFixture(f)
	cookie, err := x.SealPending(pending())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(cookie)
	f.Add(cookie[1:])
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := x.OpenPending(s)
		if s != cookie && err == nil {
			t.Fatalf("opened what nobody sealed: %+v", p)
		}
		if err != nil && (!errors.Is(err, ErrNone) || !reflect.DeepEqual(p, authn.Pending{})) {
			t.Fatalf("%+v, %v", p, err)
		}
	})
}

func FuzzPendingPlain(f *testing.F) {
	x := newFixture(f)
	f.Add([]byte("\x00\x02{}kept"))
	f.Add([]byte("\x00\x10{\"sealed\":\"2026\"}"))
	f.Fuzz(func(t *testing.T, plain []byte) { // what the right key sealed must not break the reader either
		_, err := x.OpenPending(base64.RawURLEncoding.EncodeToString(x.o.Ring.Seal(pendingLabel, nil, plain)))
		if err != nil && !errors.Is(err, ErrNone) {
			t.Fatal(err)
		}
	})
}
