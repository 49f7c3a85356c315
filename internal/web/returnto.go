package web

import (
	"net/url"
	"path"
	"strings"
)

// longestReturnTo bounds what travels in forms and in the pending cookie, in bytes.
const longestReturnTo = 512

// LocalPath is s when it is a plain path (and query) on this very site, else "/". It is the one gate against open
// redirects: whatever a browser could read as another site, or two parsers could read differently, is dropped.
func LocalPath(s string) string {
	if !plainPath(s) {
		return "/"
	}
	return s
}

func plainPath(s string) bool {
	if s == "" || len(s) > longestReturnTo || s[0] != '/' {
		return false
	}
	for _, c := range []byte(s) {
		// Browsers read a backslash as a slash and skip tabs and line ends; a fragment stays in the browser anyhow.
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`\<>"#^`+"`{|}", c) >= 0 {
			return false
		}
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return false
	}
	// The decoded path must mean what it says: no dot segments, no empty ones ("//host"), nothing encoded twice.
	if strings.ContainsAny(u.Path, "%\\") || hasControl(u.Path) || strings.Contains(strings.ToLower(u.EscapedPath()), "%2f") {
		return false
	}
	clean := path.Clean(u.Path)
	return clean == u.Path || clean+"/" == u.Path
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
