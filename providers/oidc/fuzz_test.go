package oidc

import (
	"encoding/json"
	"net/url"
	"testing"
)

// FuzzParams: whatever a browser brings, what is taken from it came exactly once.
func FuzzParams(f *testing.F) {
	for _, seed := range []string{"code=c&state=s", "code=c&code=d&state=s", "error=access_denied&state=s", "state=s&iss=", "code=%zz", "", "code=c&state=s&id_token=x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		values, _ := url.ParseQuery(query)
		p, err := parseParams(values)
		if err != nil {
			return
		}
		if p.state == "" || (p.code == "") == (p.failure == "") {
			t.Fatalf("taken: %+v", p)
		}
		for name, got := range map[string]string{"code": p.code, "state": p.state, "error": p.failure, "iss": p.iss} {
			if v := values[name]; len(v) > 1 || len(v) == 1 && v[0] != got || len(v) == 0 && got != "" {
				t.Fatalf("%s is %q of %q", name, got, v)
			}
		}
	})
}

// FuzzClaims: what parseObject takes means the same to a decoder that ignores case, as go-oidc's does.
func FuzzClaims(f *testing.F) {
	for _, seed := range []string{
		`{"iss":"a","sub":"b"}`, `{"sub":"a","SUB":"b"}`, `{"sub":"a","sub":"b"}`, `{"Sub":"a"}`, `{"` + "\u017f" + `ub":"a"}`, `{"x":[{"a":1},{"a":2}]}`,
		`{"sub":null}`, `{}`, `[]`, `{"sub":"a"}{"sub":"b"}`, `{"aud":["a","b"],"exp":1e3}`, "{\"sub\":\"\\u0000\"}", `{"\u0073ub":"a","sub":"b"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data string) {
		all, err := parseObject([]byte(data), claimSubject, claimIssuer)
		if err != nil {
			return
		}
		var lax struct {
			Subject any `json:"sub"`
			Issuer  any `json:"iss"`
		}
		if err := json.Unmarshal([]byte(data), &lax); err != nil {
			t.Fatalf("taken, but not JSON to others: %v", err)
		}
		for name, theirs := range map[string]any{claimSubject: lax.Subject, claimIssuer: lax.Issuer} {
			var ours any
			if raw, there := all[name]; there {
				if err := json.Unmarshal(raw, &ours); err != nil {
					t.Fatal(err)
				}
			}
			a, _ := json.Marshal(ours)
			b, _ := json.Marshal(theirs)
			if string(a) != string(b) {
				t.Fatalf("%s is %s to us and %s to others in %q", name, a, b, data)
			}
		}
		c := claims{all: all}
		if s := c.text(claimSubject); len(s) > longestValue {
			t.Fatalf("a text of %d bytes", len(s))
		}
		_, _ = c.instant(claimExpiry)
		_ = c.texts(claimAudience)
	})
}

// FuzzKeys: the filter lets no key through that must not verify.
func FuzzKeys(f *testing.F) {
	f.Add(`{"keys":[{"kty":"EC","crv":"P-256"},{"kty":"oct","k":"x"},{"kty":"RSA","use":"enc"},{"kty":"OKP","d":"x"}]}`)
	f.Add(`{"keys":null}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, set string) {
		out, err := filterKeys([]byte(set), asymmetric())
		if err != nil {
			return
		}
		var kept struct{ Keys []map[string]any }
		if err := json.Unmarshal(out, &kept); err != nil {
			t.Fatal(err)
		}
		for _, k := range kept.Keys {
			if k["kty"] == "oct" || k["use"] == "enc" || k["d"] != nil && k["d"] != "" {
				t.Fatalf("kept %v", k)
			}
		}
	})
}
