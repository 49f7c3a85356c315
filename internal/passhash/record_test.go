package passhash_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/passhash"
)

// The vectors: bcrypt's are those of John the Ripper and OpenBSD, SHA-crypt's of its specification, scrypt's of RFC 7914,
// section 12, Argon2's of its reference implementation; the PBKDF2 ones were computed with another implementation.
func vectors() map[string]struct{ record, password, scheme, params string } {
	return map[string]struct{ record, password, scheme, params string }{
		"bcrypt 2a":     {"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U", "bcrypt", "cost=5"},
		"bcrypt 2b":     {"$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U", "bcrypt", "cost=5"},
		"bcrypt 2y":     {"$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U", "bcrypt", "cost=5"},
		"sha256-crypt":  {"$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!", "sha256-crypt", "rounds=5000"},
		"with rounds":   {"$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA", "Hello world!", "sha256-crypt", "rounds=10000"},
		"sha512-crypt":  {"$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1", "Hello world!", "sha512-crypt", "rounds=5000"},
		"scrypt":        {"$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw", "pleaseletmein", "scrypt", "ln=14,r=8,p=1"},
		"pbkdf2-sha256": {"$pbkdf2-sha256$29000$MDEyMzQ1Njc4OWFiY2RlZg$G/O7bynZBig0xpI9OJ2.zH5iXh/vIAuDcj9JVCTUa3k", "password", "pbkdf2-sha256", "rounds=29000"},
		"pbkdf2-sha512": {"$pbkdf2-sha512$25000$MDEyMzQ1Njc4OWFiY2RlZg$uxdHU.JH8vyHyz/DeXpgS7H6Tjz9A.lBWgSoOvvbH2iwTOWkhoRip9yMdB0AZCvZtIdBg46qUM3yPQkKDTKUSg", "password", "pbkdf2-sha512", "rounds=25000"},
		"argon2i":       {"$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA", "password", "argon2i", "m=65536,t=2,p=1"},
		"argon2id":      {"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password", "argon2id", "m=65536,t=2,p=1"},
		"django":        {"pbkdf2_sha256$1000$seasalt$JgZryXe2Ga8ysg6XbzkLpTdyPQrHqsinbL9BnnhgX4A=", "lètmein", "pbkdf2-sha256", "rounds=1000"},
	}
}

func TestRecordsFromElsewhereVerify(t *testing.T) {
	for name, v := range vectors() {
		t.Run(name, func(t *testing.T) {
			r, err := passhash.Parse(v.record)
			if err != nil {
				t.Fatal(err)
			}
			if r.Scheme() != v.scheme || r.Params() != v.params || r.Current(passhash.DefaultArgon2id()) {
				t.Errorf("%s %s, current %v; want %s %s, not current", r.Scheme(), r.Params(), r.Current(passhash.DefaultArgon2id()), v.scheme, v.params)
			}
			if !r.Match([]byte(v.password)) || r.Match([]byte(v.password+"x")) || r.Match(nil) {
				t.Error("it does not keep to its password")
			}
		})
	}
}

func TestOurOwnRecordIsCurrentUntilTheCostChanges(t *testing.T) {
	record, err := cheap.Hash([]byte("Spring-2025!"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := passhash.Parse(record)
	if err != nil || r.Scheme() != "argon2id" || !r.Current(cheap) || r.Current(passhash.DefaultArgon2id()) || !r.Match([]byte("Spring-2025!")) {
		t.Errorf("%+v, %v", r, err)
	}
}

// bcrypt knows 72 bytes of a password; whoever has a longer one signed in by them where the record comes from.
func TestALongPasswordMatchesItsBcryptRecord(t *testing.T) {
	const record = "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui" // OpenBSD: 72 bytes 0xff and some more
	r, err := passhash.Parse(record)
	if err != nil {
		t.Fatal(err)
	}
	long := []byte("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	if r.Match(long[:10]) || r.Match([]byte(strings.Repeat("x", 200))) {
		t.Error("another password matches")
	}
	if !r.Match([]byte("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored")) {
		t.Error("the password doesn't match")
	}
}

func TestRecordsThatWouldTakeTheMachineDownAreRefused(t *testing.T) {
	for _, bad := range []string{
		"", "$", "plain", "$9$x$y", "$2a$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "$2a$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
		"$2a$05$short", "$scrypt$ln=30,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9", "$scrypt$ln=14,r=0,p=1$U29kaXVtQ2hsb3JpZGU$cCO9", "$scrypt$ln=1,r=999999,p=999999$YQ$YQ",
		"$pbkdf2-sha256$0$MDEy$G/O7", "$pbkdf2-sha256$-1$MDEy$G/O7", "$pbkdf2-sha256$99999999999$MDEy$G/O7", "pbkdf2_sha256$x$seasalt$JgZ=", "pbkdf2_md5$1000$seasalt$JgZ=",
		"$5$rounds=999999999$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "$6$", "$argon2id$v=19$m=9999999,t=1,p=1$c2FsdHNhbHRzYWx0$aGFzaA", "$argon2id$v=16$m=64,t=1,p=1$c2FsdHNhbHRzYWx0$aGFzaA",
		strings.Repeat("$", 600), "$argon2id$v=19$m=64,t=1,p=1$" + strings.Repeat("A", 600),
	} {
		if _, err := passhash.Parse(bad); !errors.Is(err, passhash.ErrRecord) {
			t.Errorf("%q was accepted (%v)", bad, err)
		} else if len(bad) > 20 && strings.Contains(err.Error(), bad[len(bad)-12:]) {
			t.Errorf("the error shows the record: %v", err)
		}
	}
}

// A record that was cut off would be opened by one password in a few hundred.
func TestCutOffRecordsAreRefused(t *testing.T) {
	for name, v := range vectors() {
		at := strings.LastIndexByte(v.record, '$') + 1
		cuts := []string{v.record[:at], v.record[:at+2], v.record[:at+21]}
		if strings.HasPrefix(v.scheme, "bcrypt") || strings.HasPrefix(v.scheme, "sha") { // of the others a digest may have any length that is long enough
			cuts = append(cuts, v.record[:len(v.record)-1], v.record+"x")
		}
		for _, record := range cuts {
			if _, err := passhash.Parse(record); !errors.Is(err, passhash.ErrRecord) {
				t.Errorf("%s: a digest of %d characters is taken: %v", name, len(record)-at, err)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, v := range vectors() {
		f.Add(v.record)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := passhash.Parse(s)
		if err == nil && (r.Scheme() == "" || r.Params() == "") {
			t.Errorf("%q has no scheme or cost", s)
		}
	})
}
