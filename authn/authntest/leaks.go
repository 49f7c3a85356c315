package authntest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"unicode/utf16"
)

// Leaks names the forms in which secret occurs in data: raw, base64 (any alignment), hex, percent, UTF-16LE, JSON-escaped.
// An empty secret occurs nowhere.
func Leaks(data []byte, secret string) []string {
	if secret == "" {
		return nil
	}
	var found []string
	lower := bytes.ToLower(data)
	for name, form := range forms(secret) {
		if bytes.Contains(data, form) || (name == "hex" || name == "hex of UTF-16LE") && bytes.Contains(lower, form) {
			found = append(found, name)
		}
	}
	return found
}

func forms(secret string) map[string][]byte {
	wide := make([]byte, 0, 2*len(secret))
	for _, u := range utf16.Encode([]rune(secret)) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	quoted, _ := json.Marshal(secret) // a string always marshals
	all := map[string][]byte{
		"raw":                 []byte(secret),
		"hex":                 []byte(hex.EncodeToString([]byte(secret))),
		"UTF-16LE":            wide,
		"hex of UTF-16LE":     []byte(hex.EncodeToString(wide)),
		"base64 of UTF-16LE":  []byte(base64.StdEncoding.EncodeToString(wide)[:len(wide)*4/3-3]),
		"JSON-escaped":        quoted[1 : len(quoted)-1],
		"percent-encoded":     []byte(url.QueryEscape(secret)),
		"percent-encoded all": percentAll(secret),
	}
	for shift := range 3 {
		// Base64 of the secret inside a longer text has three alignments; the first and last characters mix with its neighbours.
		enc := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), secret...))
		skip := []int{0, 2, 3}[shift]
		if body := enc[skip : len(enc)-2]; len(body) >= 8 {
			all["base64 "+string(rune('0'+shift))] = []byte(body)
		}
	}
	return all
}

func percentAll(s string) []byte {
	var b bytes.Buffer
	for _, c := range []byte(s) {
		b.WriteByte('%')
		b.WriteString(hex.EncodeToString([]byte{c}))
	}
	return b.Bytes()
}
