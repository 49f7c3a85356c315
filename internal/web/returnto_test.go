package web

import (
	"net/url"
	"strings"
	"testing"
)

func TestLocalPath(t *testing.T) {
	for _, good := range []string{"/", "/app/", "/session", "/app/inbox?folder=sent&x=%20y", "/a%20b", "/a.b/c-d_~", "/x?next=https%3A%2F%2Felsewhere.test", "/x?a=b:c"} {
		if got := LocalPath(good); got != good {
			t.Errorf("%q became %q", good, got)
		}
	}
	for _, bad := range []string{
		"", "app", "//evil.test", "///evil.test", `/\evil.test`, `\\evil.test`, `/app\..\x`, "https://evil.test", "HTTPS:/evil.test", "javascript:alert(1)",
		"//user@evil.test", "/\t/evil.test", "/\n/evil.test", " /app", "/app ", "/%2f/evil.test", "/%2F%2Fevil.test", "/%5cevil.test", "/%5c%5cevil.test",
		"/%252f%252fevil.test", "/%00", "/%0d%0aSet-Cookie:x", "/app/../..//evil.test", "/./evil", "/app//x", "/.//evil.test", "/%2e%2e/x", "/x#y", "/é", "/\u2215evil",
		"/<script>", "/%zz", "/" + strings.Repeat("a", longestReturnTo),
	} {
		if got := LocalPath(bad); got != "/" {
			t.Errorf("%q was let through as %q", bad, got)
		}
	}
}

func FuzzLocalPath(f *testing.F) {
	for _, s := range []string{"/app/", "//evil.test", `/\evil.test`, "/%2f/x", "/a?b=//c", "http:/x", "/\t/x", "/..//x", "/x;y"} {
		f.Add(s)
	}
	base := &url.URL{Scheme: "https", Host: "login.example.com", Path: "/signin"}
	f.Fuzz(func(t *testing.T, s string) {
		got := LocalPath(s)
		if got != "/" && got != s {
			t.Fatalf("%q was changed to %q", s, got)
		}
		// Read it as a browser does (WHATWG URL): tabs and line ends vanish, a backslash is a slash. Then once decoded more.
		asBrowser := strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(strings.TrimSpace(got))
		for range 2 {
			u, err := base.Parse(asBrowser)
			if err != nil || u.Scheme != "https" || u.Host != "login.example.com" || u.User != nil || strings.HasPrefix(asBrowser, "//") {
				t.Fatalf("%q leaves the site: %v %v", got, u, err)
			}
			path, _, _ := strings.Cut(asBrowser, "?")
			decoded, err := url.PathUnescape(path)
			if err != nil {
				t.Fatalf("%q can't be decoded: %v", got, err)
			}
			asBrowser = (&url.URL{Path: strings.ReplaceAll(decoded, `\`, "/")}).String()
			if !strings.HasPrefix(decoded, "/") || strings.HasPrefix(decoded, "//") {
				t.Fatalf("%q decodes to %q", got, decoded)
			}
		}
	})
}
