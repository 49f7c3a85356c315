package passhash_test

import (
	"context"
	"encoding/hex"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/fourways-id/fourways/internal/passhash"
)

// Vectors 1, 2 and 3 are those of DSInternals (OrgIdHashTester and its documentation); 4 and 5 were computed with another
// implementation for non-ASCII input and intermediate values.
var orgIDVectors = []struct{ password, salt, hash string }{
	{"Pa$$w0rd", "181a3024085fcee2f70e", "b39525c3bc72a1136fcf7c8a338e0c14313d0450d1a4c98ef0a6ddada3bc5b0a"},
	{"", "01cda06eceb9d9bc2621", "9d4fc778add44776555d3fa6ccb4f9637f25e34a62dbc5fa0f782ef8c762c902"},
	{"Pa$$w0rd", "60eaffd2c886b419df7a", "ab9c532104713157395a70da85cc8a1b418508753c6997f02341d541328ef16b"},
	{"password", "00112233445566778899", "9ffb6cdb25b9bf88f869082fcb5bc58a7ec0c5d317b126a8ab4ec316c053cd11"},
	{"Pässwörd-€", "0102030405060708090a", "57ee5fde94668b7ed7e5a908687eb72eaf2b77dea5515487d3d93c6eb22d2583"},
}

func TestOrgIDReproducesThePublishedVectors(t *testing.T) {
	for _, v := range orgIDVectors {
		want := "v1;PPH1_MD4," + v.salt + ",1000," + v.hash + ";"
		stored, err := passhash.ParseOrgID(want)
		if err != nil {
			t.Fatal(err)
		}
		got := passhash.HashOrgID(passhash.Expand(passhash.NTHash([]byte(v.password))), stored.Salt, stored.Rounds)
		if got.String() != want || !got.Match(stored) {
			t.Errorf("%q: got %s, want %s", v.password, got, want)
		}
	}
}

func TestNTHashAndExpandReproduceTheVectors(t *testing.T) {
	for password, want := range map[string]string{
		"": "31d6cfe0d16ae931b73c59d7e0c089c0", "Pa$$w0rd": "92937945b518814341de3f726500d4ff",
		"password": "8846f7eaee8fb117ad06bdd830b7586c", "Pässwörd-€": "f5ef9a1288032f0d02706461f7760b7e",
	} {
		if nt := passhash.NTHash([]byte(password)); hex.EncodeToString(nt[:]) != want {
			t.Errorf("NT hash of %q is %x, want %s", password, nt, want)
		}
	}
	expanded := passhash.Expand(passhash.NTHash([]byte("password")))
	if got := hex.EncodeToString(expanded[:16]); got != "38003800340036004600370045004100" {
		t.Errorf("the 64 bytes begin with %s", got)
	}
}

func TestTheHashItselfIsNoPassword(t *testing.T) {
	stored := passhash.NewOrgID(passhash.NTHash([]byte("Spring-2025!")))
	nt := passhash.NTHash([]byte("Spring-2025!"))
	for _, try := range []string{hex.EncodeToString(nt[:]), strings.ToUpper(hex.EncodeToString(nt[:])), string(nt[:]), stored.String()} {
		if passhash.HashOrgID(passhash.Expand(passhash.NTHash([]byte(try))), stored.Salt, stored.Rounds).Match(stored) {
			t.Errorf("the hash %q opened the door", try)
		}
	}
	if !passhash.HashOrgID(passhash.Expand(nt), stored.Salt, stored.Rounds).Match(stored) {
		t.Error("the password itself did not")
	}
}

func TestMalformedOrgIDRecordsAreRefused(t *testing.T) {
	good := "v1;PPH1_MD4,181a3024085fcee2f70e,1000,b39525c3bc72a1136fcf7c8a338e0c14313d0450d1a4c98ef0a6ddada3bc5b0a;"
	if _, err := passhash.ParseOrgID(good); err != nil {
		t.Fatal("the control record:", err)
	}
	for _, bad := range []string{
		"", ";", strings.TrimSuffix(good, ";"), good + ";", "v2" + good[2:], strings.ToUpper(good),
		strings.Replace(good, ",1000,", ",0,", 1), strings.Replace(good, ",1000,", ",-1,", 1), strings.Replace(good, ",1000,", ",+1000,", 1),
		strings.Replace(good, ",1000,", ",01000,", 1), strings.Replace(good, ",1000,", ",99999999999999999999,", 1),
		strings.Replace(good, ",1000,", ",1000001,", 1), strings.Replace(good, "181a30", "181a", 1), strings.Replace(good, "181a", "zzzz", 1),
		strings.Replace(good, "b395", "B395", 1), strings.Replace(good, "5b0a", "5b", 1), strings.Replace(good, ",1000,", ",1000,,", 1),
	} {
		_, err := passhash.ParseOrgID(bad)
		if !errors.Is(err, passhash.ErrRecord) {
			t.Errorf("%q was accepted (%v)", bad, err)
		}
	}
}

func FuzzParseOrgID(f *testing.F) {
	f.Add("v1;PPH1_MD4,181a3024085fcee2f70e,1000,b39525c3bc72a1136fcf7c8a338e0c14313d0450d1a4c98ef0a6ddada3bc5b0a;")
	f.Fuzz(func(t *testing.T, s string) {
		if o, err := passhash.ParseOrgID(s); err == nil && o.String() != s {
			t.Errorf("%q reads back as %q", s, o)
		}
	})
}

// cheap keeps the tests quick; the default cost is used once.
var cheap = passhash.Argon2id{MemoryKiB: 64, Time: 1, Parallelism: 1}

func TestArgon2idMatchesOnlyItsPassword(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pw, other := rapid.SliceOf(rapid.Byte()).Draw(t, "password"), rapid.SliceOf(rapid.Byte()).Draw(t, "other")
		record, err := cheap.Hash(pw)
		if err != nil {
			t.Fatal(err)
		}
		rec, err := passhash.Parse(record)
		if err != nil {
			t.Fatal(err)
		}
		if !rec.Current(cheap) || !rec.Match(pw) || rec.Match(other) != (string(pw) == string(other)) {
			t.Fatalf("%s does not keep to its password", record)
		}
	})
}

func TestArgon2idDefaultCost(t *testing.T) {
	record, err := passhash.DefaultArgon2id().Hash([]byte("Spring-2025!"))
	if err != nil || !strings.HasPrefix(record, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("%q, %v", record, err)
	}
}

func TestPHCRecordsThatWouldTakeTheMachineDownAreRefused(t *testing.T) {
	for _, bad := range []string{
		"$argon2id$v=19$m=4294967295,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA", "$argon2id$v=19$m=8,t=4000000000,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA",
		"", "$argon2id$",
	} {
		if _, err := passhash.Parse(bad); !errors.Is(err, passhash.ErrRecord) {
			t.Errorf("%q was accepted (%v)", bad, err)
		}
	}
}

func TestPoolBoundsWorkersAndQueue(t *testing.T) {
	p := passhash.NewPool(2, 3)
	release, started := make(chan struct{}), make(chan struct{}, 16)
	var wg sync.WaitGroup
	work := func() {
		defer wg.Done()
		if _, err := p.Do(context.Background(), func() { started <- struct{}{}; <-release }); err != nil {
			t.Error(err)
		}
	}
	wg.Add(5)
	go work()
	go work()
	<-started
	<-started
	for range 3 {
		go work()
	}
	for p.Waiting() < 3 {
		runtime.Gosched() // waits for readiness; the test binary's own timeout is the hang guard
	}
	if _, err := p.Do(context.Background(), func() { t.Error("ran beyond the bound") }); !errors.Is(err, passhash.ErrFull) {
		t.Errorf("a sixth: %v, want ErrFull", err)
	}
	close(release)
	wg.Wait()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Do(ctx, func() { t.Error("ran after the end") }); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

func BenchmarkArgon2idDefault(b *testing.B) {
	for b.Loop() {
		_, _ = passhash.DefaultArgon2id().Hash([]byte("Spring-2025!"))
	}
}

func BenchmarkOrgID(b *testing.B) {
	nt := passhash.NTHash([]byte("Spring-2025!"))
	for b.Loop() {
		passhash.NewOrgID(nt)
	}
}
