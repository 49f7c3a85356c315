package passpolicy

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/passhash"
)

func sha(pw string) string {
	h := sha1.Sum([]byte(pw)) //nolint:gosec // as the lists have it
	return strings.ToUpper(hex.EncodeToString(h[:]))
}

func nt(pw string) string {
	h := passhash.NTHash([]byte(pw))
	return hex.EncodeToString(h[:])
}

// leaks is a sorted list of n hashes with counts of all lengths.
func leaks(hash func(string) string, n int, end string) string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf("%s:%d%s", hash(fmt.Sprintf("leaked-%d", i)), rand.IntN(1<<rand.IntN(30)+1), end)
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func asList(t testing.TB, text string) list {
	t.Helper()
	l, err := openList(strings.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestEveryLeakedPasswordIsFoundAndNoOther(t *testing.T) {
	for name, text := range map[string]string{
		"SHA-1": leaks(sha, 500, "\n"), "SHA-1 of Windows": leaks(sha, 500, "\r\n"), "NT": leaks(nt, 500, "\n"), "one line": leaks(sha, 1, "\n"),
		"no last line end": strings.TrimSuffix(leaks(nt, 500, "\n"), "\n"), "bare": sha("leaked-0") + "\n",
	} {
		l := asList(t, text)
		if err := l.probe(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i := range strings.Count(text+"\n", "\n") - 1 {
			if found, err := l.search(l.hash(fmt.Appendf(nil, "leaked-%d", i))); !found || err != nil {
				t.Errorf("%s: leaked-%d: %v %v", name, i, found, err)
			}
			if found, err := l.search(l.hash(fmt.Appendf(nil, "kept-%d", i))); found || err != nil {
				t.Errorf("%s: kept-%d: %v %v", name, i, found, err)
			}
		}
	}
}

func TestADamagedFileIsRefused(t *testing.T) {
	sorted := leaks(sha, 200, "\n")
	reversed := strings.SplitAfter(strings.TrimSuffix(sorted, "\n"), "\n")
	slices.Reverse(reversed)
	for name, text := range map[string]string{
		"empty": "", "words": "password\nletmein\n", "MD5 in disguise": strings.Repeat("a", 31) + "\n", "unsorted": strings.Join(reversed, "\n"),
		"no lines": strings.Repeat("A", 4096), "SHA-1 then NT": sha("a") + ":1\n" + nt("b") + ":1\n", "a count of words": sha("a") + ":many\n",
		"SHA-256": strings.Repeat("ab", 32) + "\n", "cut off": sorted[:len(sorted)-len("\n")-45], "the same line twice": sha("a") + "\n" + sha("a") + "\n",
	} {
		file := filepath.Join(t.TempDir(), "breached.txt")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := CheckBreachedFile(file)
		if name == "cut off" { // only its last line is broken: found when it is met, or by the sample
			if err == nil {
				err = errors.Join(ErrBreachedFile, asList(t, text).probe())
			}
		}
		if !errors.Is(err, ErrBreachedFile) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), sha("a")) {
			t.Errorf("%s: the error shows a hash", name)
		}
	}
	for name, path := range map[string]string{"missing": filepath.Join(t.TempDir(), "none"), "a directory": t.TempDir()} {
		if _, err := New(Options{BreachedFile: path}); !errors.Is(err, ErrBreachedFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestALeakedPasswordIsRefused(t *testing.T) {
	for name, hash := range map[string]func(string) string{"SHA-1": sha, "NT": nt} {
		lines := []string{hash("Pflaumenmus9") + ":3", hash("another"), hash("one more") + ":17"}
		slices.Sort(lines)
		file := filepath.Join(t.TempDir(), "breached.txt")
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := New(Options{BreachedFile: file})
		if err != nil {
			t.Fatal(err)
		}
		ask := func(pw string) error { return p.Check(context.Background(), authn.NewSecret([]byte(pw)), Person{}) }
		if err := ask("Pflaumenmus9"); !errors.Is(err, Leaked) {
			t.Errorf("%s: %v", name, err)
		}
		if err := ask("Pflaumenmus8"); err != nil {
			t.Errorf("%s, control: %v", name, err)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		if err, no := ask("Pflaumenmus8"), Refusal(""); !errors.Is(err, ErrBreachedFile) || errors.As(err, &no) {
			t.Errorf("%s, file gone: %v, want an error that is no refusal", name, err)
		}
	}
}

// Whatever stands in the file, a search ends, and what it finds is there.
func FuzzBreachedFile(f *testing.F) {
	f.Add([]byte(leaks(sha, 5, "\n")), []byte("leaked-3"))
	f.Add([]byte(leaks(nt, 5, "\r\n")), []byte("leaked-3"))
	f.Add([]byte(sha("a")+"\n\n\n"+sha("b")), []byte("b"))
	f.Add(bytes.Repeat([]byte("a"), 300), []byte(""))
	f.Fuzz(func(t *testing.T, file, pw []byte) {
		l, err := openList(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		_ = l.probe() // must end
		key := l.hash(pw)
		found, err := l.search(key)
		if there := bytes.Contains(bytes.ToLower(file), []byte(hex.EncodeToString(key))); found && (!there || err != nil) {
			t.Errorf("found what is not there: %v", err)
		}
	})
}
