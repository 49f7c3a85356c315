package web

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// The largest bodies that are read, in bytes. A SAML response carries certificates and signatures; nothing else is large.
const (
	maxBody         = 64 << 10
	maxCallbackBody = 128 << 10
)

// The media types that are read.
const (
	typeJSON = "application/json"
	typeForm = "application/x-www-form-urlencoded"
)

// mediaType is the body's type, or "" when it is not one that can be read: JSON is UTF-8 and nothing else.
func mediaType(r *http.Request) string {
	t, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return ""
	}
	return t
}

// readBody reads at most most bytes into one buffer, so that the caller can wipe it: it may hold a password.
func readBody(r *http.Request, most int) ([]byte, error) {
	if r.ContentLength > int64(most) {
		return nil, errTooLarge(most)
	}
	size := most
	if r.ContentLength >= 0 {
		size = int(r.ContentLength)
	}
	buf := make([]byte, size+1)
	for n := 0; n < len(buf); {
		m, err := r.Body.Read(buf[n:])
		n += m
		if errors.Is(err, io.EOF) && n <= most {
			return buf[:n], nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			clear(buf)
			return nil, malformed("The body broke off before its end.")
		}
	}
	clear(buf)
	return nil, errTooLarge(most)
}

// fields are the named values of a body, each in a buffer of its own.
type fields map[string][]byte

// wipe clears every value. Those that were handed on as a Secret are the Secret's own buffer: take deletes them first.
func (f fields) wipe() {
	for _, v := range f {
		clear(v)
	}
}

// take removes a value and returns it; false when there is none.
func (f fields) take(name string) ([]byte, bool) {
	v, ok := f[name]
	delete(f, name)
	return v, ok
}

func (f fields) put(name string, value []byte, known []string) error {
	if !slices.Contains(known, name) {
		return malformed(fmt.Sprintf("There is no field %s here; the fields are %s.", quoteShort(name), strings.Join(known, ", ")))
	}
	if _, twice := f[name]; twice {
		return malformed(fmt.Sprintf("The field %s is there twice.", quoteShort(name)))
	}
	f[name] = value
	return nil
}

func quoteShort(s string) string {
	const longest = 40
	if len(s) > longest {
		s = s[:longest] + "..."
	}
	return strconv.QuoteToASCII(s)
}
