// Package leak looks for a canary, a random password that was typed at the door, in everything that a gateway keeps.
//
// In come places to read, the canary and the ids of the sign-ins that carried it; out comes one finding a place. A place
// counts as looked at only when it holds what those sign-ins must have left there: a search of the wrong folder is told as
// such, never as clean. The canary stands in no finding.
package leak

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/doctor"
	"github.com/fourways-id/fourways/internal/passhash"
)

// patience bounds the search of one place.
const patience = 2 * time.Minute

// Canary makes a password of one run alone, with characters that each encoding writes in its own way.
func Canary() authn.Secret {
	return authn.NewSecret([]byte(`Kanari <"&+%/é ` + rand.Text()))
}

// tail is the canary's random end: letters and digits, which every way of quoting leaves as they are.
func tail(clear []byte) []byte { return clear[bytes.LastIndexByte(clear, ' ')+1:] }

// Place is something that is searched. Open gives its parts by name; each is closed after it was read.
type Place struct {
	ID, Title string
	Marks     []string // what must be found in it, or it is the wrong place
	Open      func(ctx context.Context, each func(part string, r io.Reader) error) error
}

// Check searches one place for the canary.
func Check(p Place, canary authn.Secret) doctor.Check {
	return doctor.Check{ID: p.ID, Title: p.Title, Within: patience, Run: func(ctx context.Context) doctor.Seen { return see(ctx, p, canary) }}
}

func see(ctx context.Context, p Place, canary authn.Secret) doctor.Seen {
	if len(p.Marks) == 0 {
		return doctor.Fail("see leak.attempts", "nothing is known of the sign-ins that would have to be found here, so finding nothing proves nothing")
	}
	words := forms(canary)
	marked := map[string]bool{}
	var leaks []string
	parts := 0
	err := p.Open(ctx, func(part string, r io.Reader) error {
		parts++
		found, err := search(r, words, p.Marks)
		for _, form := range found.forms {
			leaks = append(leaks, part+" ("+form+")")
		}
		for _, m := range found.marks {
			marked[m] = true
		}
		return err
	})
	switch {
	case len(leaks) > 0:
		return doctor.Fail("keep what was found away from others, and report it as docs/security.md says", "a password that was typed at the door is kept: %s", strings.Join(leaks, ", "))
	case err != nil:
		return doctor.Skip("run the doctor as the user that runs fourways", "not everything could be read: %v", err)
	case len(marked) < len(p.Marks):
		return doctor.Fail("name the gateway's own folder, or its log", "looked at the wrong place: of %d things that these sign-ins must have left there %d were found", len(p.Marks), len(marked))
	}
	return doctor.OK("%d parts searched, what the sign-ins left was found, the password was not", parts)
}

// Folder reads every file below the folders and files named. A file that goes away meanwhile is none.
func Folder(paths ...string) func(context.Context, func(string, io.Reader) error) error {
	return func(ctx context.Context, each func(string, io.Reader) error) error {
		for _, root := range paths {
			err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
				if err == nil {
					err = ctx.Err()
				}
				if err != nil || !d.Type().IsRegular() {
					return gone(err)
				}
				f, err := os.Open(path) //nolint:gosec // the operator's own folder
				if err != nil {
					return gone(err)
				}
				defer f.Close()
				return each(filepath.Base(path), f)
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
}

func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// found is what a search saw.
type found struct{ forms, marks []string }

// window is how much is searched at once, in bytes.
const window = 1 << 20

// search reads r to its end, window by window; each begins with the end of the one before, so that nothing is cut in two.
func search(r io.Reader, words []form, marks []string) (found, error) {
	var f found
	overlap := 0
	for _, w := range words {
		overlap = max(overlap, len(w.bytes))
	}
	for _, m := range marks {
		overlap = max(overlap, len(m))
	}
	buf := make([]byte, 0, window+overlap)
	for {
		n, err := io.ReadFull(r, buf[len(buf):min(cap(buf), len(buf)+window)])
		buf = buf[:len(buf)+n]
		f.look(buf, words, marks)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return f, nil
		case err != nil:
			return f, err
		}
		keep := min(len(buf), overlap)
		buf = append(buf[:0], buf[len(buf)-keep:]...)
	}
}

func (f *found) look(text []byte, words []form, marks []string) {
	lower := bytes.ToLower(text)
	for _, w := range words {
		in := text
		if w.folded {
			in = lower
		}
		if bytes.Contains(in, w.bytes) && !slices.Contains(f.forms, w.name) {
			f.forms = append(f.forms, w.name)
		}
	}
	for _, m := range marks {
		if bytes.Contains(text, []byte(m)) && !slices.Contains(f.marks, m) {
			f.marks = append(f.marks, m)
		}
	}
}

// form is one way in which a password may be written down; a folded one is compared in lower case.
type form struct {
	name   string
	bytes  []byte
	folded bool
}

// forms writes the password down in every way that a program might.
func forms(canary authn.Secret) []form {
	clear := canary.Reveal()
	var wide []byte
	for _, u := range utf16.Encode([]rune(string(clear))) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	nt := passhash.NTHash(clear)
	quoted, _ := json.Marshal(string(clear)) // a string always marshals
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	_ = e.Encode(string(clear)) // so does this one
	all := []form{
		{"clear", clear, false},
		{"its random part", bytes.ToLower(tail(clear)), true},
		{"UTF-16LE", wide, false},
		{"JSON", quoted[1 : len(quoted)-1], false},
		{"JSON, HTML left as it is", bytes.Trim(plain.Bytes(), "\"\n"), false},
		{"URL-encoded", []byte(strings.ToLower(url.QueryEscape(string(clear)))), true},
		{"URL-encoded, for a path", []byte(strings.ToLower(url.PathEscape(string(clear)))), true},
		{"hex", []byte(hex.EncodeToString(clear)), true},
		{"hex of UTF-16LE", []byte(hex.EncodeToString(wide)), true},
		{"NT hash", nt[:], false},
		{"NT hash in hex", []byte(hex.EncodeToString(nt[:])), true},
	}
	for _, raw := range []struct {
		name string
		text []byte
	}{{"base64", clear}, {"base64 of UTF-16LE", wide}, {"base64 of the NT hash", nt[:]}} {
		all = append(all, inBase64(raw.name, raw.text)...)
	}
	return all
}

// inBase64 gives the three alignments of a text inside a longer one, in both alphabets. The characters at the ends, which
// mix with the neighbours, are left out (RFC 4648, section 4: three octets make four characters).
func inBase64(name string, text []byte) []form {
	var all []form
	for shift, skip := range []int{0, 2, 3} {
		padded := append(make([]byte, shift), text...)
		whole := len(padded) / 3 * 4
		for alphabet, enc := range map[string]*base64.Encoding{"": base64.RawStdEncoding, ", URL alphabet": base64.RawURLEncoding} {
			all = append(all, form{name + alphabet, []byte(enc.EncodeToString(padded)[skip:whole]), false})
		}
	}
	return all
}
