package web

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseJSONReadsWhatIsMeant(t *testing.T) {
	f, err := parseJSON([]byte(" {\n\t\"username\" : \"a\\u0040b\" ,\"password\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\ud83d\\ude00é\"} \n"), "username", "password")
	if err != nil {
		t.Fatal(err)
	}
	if got := string(f["username"]); got != "a@b" {
		t.Errorf("username %q", got)
	}
	if got, want := string(f["password"]), "\"\\/\b\f\n\r\t\x00😀é"; got != want {
		t.Errorf("password %q, want %q", got, want)
	}
	if f, err := parseJSON([]byte(`{}`)); err != nil || len(f) != 0 {
		t.Errorf("empty object: %v %v", f, err)
	}
}

// Whatever is accepted must mean the same to encoding/json; what that refuses must be refused.
func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{`{"a":"b"}`, `{"a":"b","a":"c"}`, `{"a":{"a":"b"}}`, `{"a":"\u0041\ud83d\ude00"}`, `{"a":"\ud800"}`, `{"b":"","a":"\\"}`, `{}`, `[]`, ` {"a" : "x"} x`, "{\"a\":\"\xff\"}", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		got, err := parseJSON(raw, "a", "b")
		if !bytes.Equal(raw, before) {
			t.Fatal("the body was changed")
		}
		if err != nil {
			return
		}
		var want map[string]string
		if err := json.Unmarshal(raw, &want); err != nil || want == nil || len(want) != len(got) {
			t.Fatalf("%q was read as %q, encoding/json says %q %v", raw, got, want, err)
		}
		for k, v := range want {
			if string(got[k]) != v || !utf8.ValidString(v) {
				t.Fatalf("%q: field %q is %q, encoding/json says %q", raw, k, got[k], v)
			}
		}
	})
}

func FuzzParseForm(f *testing.F) {
	for _, s := range []string{"a=b&b=c", "a=b&a=c", "a", "a=%41+%2b", "a=%zz", "a=b;b=c", "&&a=1&", "a=%ff", "%61=x"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := parseForm(raw, "a", "b")
		if err != nil {
			return
		}
		want, err := url.ParseQuery(string(raw))
		if err != nil || len(want) != len(got) {
			t.Fatalf("%q was read as %q, net/url says %q %v", raw, got, want, err)
		}
		for k, v := range want {
			if len(v) != 1 || string(got[k]) != v[0] {
				t.Fatalf("%q: field %q is %q, net/url says %q", raw, k, got[k], v)
			}
		}
	})
}

func TestParseFormIsStrict(t *testing.T) {
	if f, err := parseForm([]byte("a=b%40c+d"), "a"); err != nil || string(f["a"]) != "b@c d" {
		t.Fatalf("%q %v", f, err)
	}
	for _, bad := range []string{"a=1&a=2", "c=1", "a=%f", "a=%", "a=%zz", "a=1;b=2", "a=%ff"} {
		if f, err := parseForm([]byte(bad), "a", "b"); err == nil {
			t.Errorf("%s was read as %q", bad, f)
		}
	}
}

func TestErrorsNeverQuoteAValue(t *testing.T) {
	const canary = "canary-5f1e"
	for _, body := range []string{
		`{"username":"a","password":"` + canary + `","x":"` + canary + `"}`,
		`{"password":"` + canary + `","password":"` + canary + `"}`,
		`{"password":["` + canary + `"]}`,
		`{"password":"` + canary,
		`{"password":"` + canary + `\ud800"}`,
	} {
		if _, err := parseJSON([]byte(body), "username", "password"); err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v", body, err)
		}
	}
	if _, err := parseForm([]byte("password="+canary+"&password="+canary), "password"); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("form: %v", err)
	}
}
