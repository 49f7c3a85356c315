package agentlink

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fourways-id/fourways/authn"
)

type fixedClock struct{ now time.Time }

func (c *fixedClock) Now() time.Time { return c.now }

func testIdentity(t testing.TB, gateway *GatewayKeys) *Identity {
	t.Helper()
	keys, err := NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	return &Identity{keys: keys, EnrolResponse: EnrolResponse{AgentID: newID(), Gateway: gateway.Public()}}
}

func testGateway(t testing.TB, generation uint32) *GatewayKeys {
	t.Helper()
	k, err := NewGatewayKeys(bytes.Repeat([]byte{7}, 32), generation)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sealedRequest(t testing.TB, gateway *GatewayKeys, id *Identity, secret string, decoy bool) (*Request, []byte) {
	t.Helper()
	public, err := id.keys.Public()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	key, err := newSealer(&fixedClock{now}).key(public.Box, labelDown(id.AgentID))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := packPassword(authn.NewSecret([]byte(secret)), decoy)
	if err != nil {
		t.Fatal(err)
	}
	r := &Request{ID: newID(), Agent: id.AgentID, User: "alice@corp.example.test", Issued: now, Deadline: now.Add(time.Second), Enc: key.enc}
	r.Sealed = key.seal(plain, r.aad())
	msg, err := signMessage(gateway.sign, kindBind, r)
	if err != nil {
		t.Fatal(err)
	}
	return r, msg
}

func TestOnlyTheAgentAskedCanOpenThePassword(t *testing.T) {
	gateway := testGateway(t, 0)
	id, other := testIdentity(t, gateway), testIdentity(t, gateway)
	_, msg := sealedRequest(t, gateway, id, "Spring-2025!", false)
	q, err := NewReceiver(id).Request(msg)
	if err != nil {
		t.Fatal(err)
	}
	secret, decoy, err := NewReceiver(id).Password(q)
	if err != nil || decoy || string(secret.Reveal()) != "Spring-2025!" {
		t.Fatalf("%d bytes, decoy %t, %v", secret.Len(), decoy, err)
	}
	if _, err := NewReceiver(other).Request(msg); !errors.Is(err, ErrForged) {
		t.Errorf("another agent read the request: %v", err)
	}
	if s, _, err := NewReceiver(other).Password(q); err == nil {
		t.Errorf("another agent opened %d bytes", s.Len())
	}
	for name, change := range map[string]func(*Request){
		"user":     func(r *Request) { r.User = "mallory@corp.example.test" },
		"request":  func(r *Request) { r.ID = newID() },
		"issued":   func(r *Request) { r.Issued = r.Issued.Add(time.Nanosecond) },
		"deadline": func(r *Request) { r.Deadline = r.Deadline.Add(time.Hour) },
		"sealed": func(r *Request) {
			r.Sealed = append(bytes.Clone(r.Sealed[:len(r.Sealed)-1]), r.Sealed[len(r.Sealed)-1]^1)
		},
		"short": func(r *Request) { r.Sealed = r.Sealed[:3] },
	} {
		moved := *q
		change(&moved)
		if _, _, err := NewReceiver(id).Password(&moved); !errors.Is(err, ErrSealed) {
			t.Errorf("opened with another %s: %v", name, err)
		}
	}
}

func TestPasswordLengthsAreNotToBeSeen(t *testing.T) {
	gateway := testGateway(t, 0)
	id := testIdentity(t, gateway)
	size := func(secret string, decoy bool) int {
		r, _ := sealedRequest(t, gateway, id, secret, decoy)
		return len(r.Sealed)
	}
	short, long := size("a", false), size(string(bytes.Repeat([]byte("a"), 256)), false)
	if short != long || short != size("bb", true) {
		t.Errorf("sealed sizes differ: %d, %d, %d", short, long, size("bb", true))
	}
	if size(string(bytes.Repeat([]byte("a"), 257)), false) != size(string(bytes.Repeat([]byte("a"), 1024)), true) {
		t.Error("sealed sizes of long passwords differ")
	}
	if _, err := packPassword(authn.NewSecret(make([]byte, 1025)), false); err == nil {
		t.Error("a password was cut")
	}
}

func TestDecoyCarriesNothingOfThePassword(t *testing.T) {
	b, err := packPassword(authn.NewSecret([]byte("Spring-2025!")), true)
	if err != nil || bytes.ContainsFunc(b[1:], func(r rune) bool { return r != 0 }) {
		t.Errorf("%x, %v", b, err)
	}
}

func TestPackedPasswordsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.SliceOfN(rapid.Byte(), 1, 1024).Draw(t, "secret")
		b, err := packPassword(authn.NewSecret(bytes.Clone(secret)), false)
		if err != nil {
			t.Fatal(err)
		}
		got, decoy, err := unpackPassword(b)
		if err != nil || decoy || !bytes.Equal(got.Reveal(), secret) {
			t.Fatalf("%d bytes, decoy %t, %v", got.Len(), decoy, err)
		}
		if bytes.ContainsFunc(b, func(r rune) bool { return r != 0 }) {
			t.Fatal("the packed form was not wiped")
		}
	})
}

func TestOneKeyAMinute(t *testing.T) {
	clock := &fixedClock{time.Now()}
	s := newSealer(clock)
	id := testIdentity(t, testGateway(t, 0))
	public, _ := id.keys.Public()
	first, err := s.key(public.Box, "a")
	if err != nil {
		t.Fatal(err)
	}
	same, _ := s.key(public.Box, "a")
	label, _ := s.key(public.Box, "b")
	clock.now = clock.now.Add(keyLifetime)
	next, _ := s.key(public.Box, "a")
	if !bytes.Equal(first.enc, same.enc) || bytes.Equal(first.enc, label.enc) || bytes.Equal(first.enc, next.enc) {
		t.Error("keys are not one per label and minute")
	}
	if len(s.keys) != 1 {
		t.Errorf("%d keys are kept, want the current one", len(s.keys))
	}
}

func TestNextGatewayKeyIsPinned(t *testing.T) {
	id := testIdentity(t, testGateway(t, 0))
	for generation, want := range map[uint32]bool{0: true, 1: true, 2: false} {
		_, msg := sealedRequest(t, testGateway(t, generation), id, "x", false)
		if _, err := NewReceiver(id).Request(msg); (err == nil) != want {
			t.Errorf("generation %d: %v", generation, err)
		}
	}
}

func TestOneKindProvesNothingAboutAnother(t *testing.T) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	public := [][]byte{key.Public().(ed25519.PublicKey)}
	msg, err := signMessage(key, kindTurn, notice{Request: newID(), Agent: newID()})
	if err != nil {
		t.Fatal(err)
	}
	var n notice
	if err := openMessage(public, kindTurn, maxMessage, msg, &n); err != nil {
		t.Errorf("positive control: %v", err)
	}
	if err := openMessage(public, kindBinding, maxMessage, msg, &n); !errors.Is(err, ErrForged) {
		t.Errorf("taken for another kind: %v", err)
	}
	if err := openMessage(public, kindTurn, len(msg)-1, msg, &n); !errors.Is(err, ErrMalformed) {
		t.Errorf("too long: %v", err)
	}
	if err := openMessage(public, kindTurn, maxMessage, append([]byte{2}, msg[1:]...), &n); !errors.Is(err, ErrVersion) {
		t.Errorf("another version: %v", err)
	}
}

// The fuzz targets sign what they are given, so that the parsers behind the signature are reached too.
func fuzzBody(f *testing.F, k kind, seed any, parse func(msg []byte) error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		f.Fatal(err)
	}
	b, err := json.Marshal(seed)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"id":1}`))
	f.Add([]byte(`[[[[`))
	f.Fuzz(func(t *testing.T, body []byte) {
		msg := append([]byte{wireVersion}, ed25519.Sign(key, signed(k, body))...)
		msg = append(msg, body...)
		if err := parse(msg); err == nil {
			t.Error("taken although signed by a stranger")
		}
		if err := parse(body); err == nil {
			t.Error("taken unsigned")
		}
	})
}

func FuzzRequestFromAStranger(f *testing.F) {
	id := testIdentity(f, testGateway(f, 0))
	fuzzBody(f, kindBind, Request{ID: newID()}, func(msg []byte) error { _, err := NewReceiver(id).Request(msg); return err })
}

func FuzzRequest(f *testing.F) {
	gateway := testGateway(f, 0)
	id := testIdentity(f, gateway)
	r, _ := sealedRequest(f, gateway, id, "x", false)
	b, err := json.Marshal(r)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, body []byte) {
		msg := append([]byte{wireVersion}, ed25519.Sign(gateway.sign, signed(kindBind, body))...)
		recv := NewReceiver(id)
		q, err := recv.Request(append(msg, body...))
		if err != nil {
			return
		}
		if q.Agent != id.AgentID || !q.Deadline.After(q.Issued) || q.User == "" {
			t.Errorf("taken: %+v", q)
		}
		if secret, decoy, err := recv.Password(q); err == nil && !decoy && secret.Empty() {
			t.Error("an empty password was opened")
		}
	})
}

func FuzzAnswer(f *testing.F) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		f.Fatal(err)
	}
	c := &call{id: newID(), agent: newID(), key: key.Public().(ed25519.PublicKey)}
	good, err := json.Marshal(Answer{Request: c.id, Agent: c.agent, Hash: c.hash[:], Bound: true, Reason: "none", Steps: []Hop{{ID: authn.P5}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, body []byte) {
		msg := append([]byte{wireVersion}, ed25519.Sign(key, signed(kindAnswer, body))...)
		a, _, err := c.read(append(msg, body...))
		if err != nil {
			return
		}
		if a.Agent != c.agent || a.Request != c.id && (a.Request != noRequest || a.Bound) || len(a.Steps) > maxHops {
			t.Errorf("taken: %+v", a)
		}
		if e := verdict(a); e.reason == authn.None && !a.Bound {
			t.Errorf("yes without a bind: %+v", a)
		}
	})
}

func FuzzFrame(f *testing.F) {
	gateway := testGateway(f, 0)
	f.Add(0, false, []byte("enc"), []byte("sealed"))
	f.Fuzz(func(t *testing.T, seq int, more bool, enc, sealed []byte) {
		fr := frame{Agent: newID(), Run: "r", Seq: seq, More: more, Enc: enc, Sealed: sealed}
		if fr.validate() != nil {
			return
		}
		if _, err := newUnsealer(gateway.box).open(fr.Enc, fr.Sealed, fr.aad(), labelUp(fr.Agent)); err == nil {
			t.Error("opened what nobody sealed")
		}
	})
}

func FuzzEnrolRequest(f *testing.F) {
	keys, err := NewKeys()
	if err != nil {
		f.Fatal(err)
	}
	b, err := enrolBody(keys, "one", "v1", authn.NewSecret([]byte("token")))
	if err != nil {
		f.Fatal(err)
	}
	if _, err := ParseEnrolRequest(b); err != nil {
		f.Fatalf("positive control: %v", err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := ParseEnrolRequest(body)
		if err == nil && (r.Token == "" || !ed25519.Verify(r.Sign, r.proven(), r.Proof)) {
			t.Errorf("taken: %+v", r)
		}
	})
}

func FuzzIdentityFile(f *testing.F) {
	f.Add([]byte(`{"version":1,"agent_id":"","nkey_seed":"SUAA","sign_seed":"","box_key":""}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		id, err := parseIdentity(b)
		if err == nil && (id.keys == nil || !validID(id.AgentID)) {
			t.Errorf("taken: %v", id)
		}
	})
}
