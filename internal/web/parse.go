package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// parseJSON reads one flat JSON object of strings, strictly: known names in their exact case, each once, nothing after it.
// encoding/json would take a doubled key's last value, match names in any case, and leave a password in a string that
// can't be wiped.
func parseJSON(raw []byte, known ...string) (fields, error) {
	if !utf8.Valid(raw) || !json.Valid(raw) {
		return nil, malformed("The body is not one JSON value in UTF-8.")
	}
	s := scanner{rest: raw}
	if s.next() != '{' {
		return nil, malformed(`The body must be a JSON object, such as {"username":"alice@example.com"}.`)
	}
	f := fields{}
	// json.Valid has seen to the grammar; what is left is to find the strings.
	for c := s.next(); c != '}'; c = s.next() {
		if c == ',' {
			_ = s.next() // the quotation mark
		}
		name, err := s.unquote()
		if err != nil {
			return f, err
		}
		s.next() // the colon
		if s.next() != '"' {
			return f, malformed(fmt.Sprintf("The field %s must be a string.", quoteShort(string(name))))
		}
		value, err := s.unquote()
		if err != nil {
			return f, err
		}
		if err := f.put(string(name), value, known); err != nil {
			clear(value)
			return f, err
		}
	}
	return f, nil
}

// scanner walks over JSON that is known to be valid.
type scanner struct{ rest []byte }

// next skips white space and takes one byte.
func (s *scanner) next() byte {
	s.rest = bytes.TrimLeft(s.rest, " \t\r\n")
	c := s.rest[0]
	s.rest = s.rest[1:]
	return c
}

// unescape is what a backslash and c stand for (RFC 8259, section 7).
func unescape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c // quote, backslash, slash
}

// unquote takes a string whose opening quote was taken. The result is no longer than the source, so the buffer never
// moves and leaves no copy behind.
func (s *scanner) unquote() ([]byte, error) {
	end := 0
	for s.rest[end] != '"' {
		if s.rest[end] == '\\' {
			end++
		}
		end++
	}
	src, out := s.rest[:end], make([]byte, 0, end)
	s.rest = s.rest[end+1:]
	for len(src) > 0 {
		if src[0] != '\\' {
			out, src = append(out, src[0]), src[1:]
			continue
		}
		if src[1] != 'u' {
			out, src = append(out, unescape(src[1])), src[2:]
			continue
		}
		r, n := hexRune(src)
		if n == 0 {
			clear(out)
			return nil, malformed("A string in the body holds half a surrogate pair.")
		}
		out, src = utf8.AppendRune(out, r), src[n:]
	}
	return out, nil
}

// hexRune reads \uXXXX or a pair of them; 0 bytes when a surrogate has no partner.
func hexRune(src []byte) (rune, int) {
	unit := func(b []byte) rune {
		v, _ := strconv.ParseUint(string(b), 16, 16)
		return rune(v)
	}
	r := unit(src[2:6])
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(src) >= 12 && src[6] == '\\' && src[7] == 'u' {
		if pair := utf16.DecodeRune(r, unit(src[8:12])); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return 0, 0
}

// parseForm reads a URL-encoded form as strictly as parseJSON reads JSON, for the same reasons.
func parseForm(raw []byte, known ...string) (fields, error) {
	f := fields{}
	for pair := range bytes.SplitSeq(raw, []byte("&")) {
		if len(pair) == 0 {
			continue
		}
		k, v, _ := bytes.Cut(pair, []byte("="))
		name, ok := percentDecode(k)
		value, ok2 := percentDecode(v)
		if !ok || !ok2 {
			clear(value)
			return f, malformed("The form is not URL-encoded UTF-8.")
		}
		if err := f.put(string(name), value, known); err != nil {
			clear(value)
			return f, err
		}
	}
	return f, nil
}

func percentDecode(s []byte) ([]byte, bool) {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '+':
			out = append(out, ' ')
		case ';': // some read it as a separator: two readers, two forms
			return out, false
		case '%':
			if i+2 >= len(s) {
				return out, false
			}
			v, err := strconv.ParseUint(string(s[i+1:i+3]), 16, 8)
			if err != nil {
				return out, false
			}
			out, i = append(out, byte(v)), i+2
		default:
			out = append(out, c)
		}
	}
	return out, utf8.Valid(out)
}
