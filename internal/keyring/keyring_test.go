package keyring

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func create(t testing.TB) (*Ring, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "root.key")
	r, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	return r, path
}

func TestTheKeyFileOpensAsTheSameKey(t *testing.T) {
	r, path := create(t)
	again, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if again.ID() != r.ID() || !bytes.Equal(again.Derive("x", 32), r.Derive("x", 32)) {
		t.Error("reopened, it is another key")
	}
	other, _ := create(t)
	if other.ID() == r.ID() {
		t.Error("two keys have one id")
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	hidden, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*"))
	if len(left)+len(hidden) != 1 {
		t.Errorf("left behind: %v %v", left, hidden)
	}
}

func TestAKeyFileIsNeverWrittenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "root.key")
	var made atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := Create(path); err == nil {
				made.Add(1)
			} else if !errors.Is(err, os.ErrExist) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if made.Load() != 1 {
		t.Errorf("%d keys were made at one path", made.Load())
	}
	if _, err := Create(filepath.Join(t.TempDir(), "missing", "root.key")); err == nil {
		t.Error("a key was made where there is no directory")
	}
}

func TestOpenRefusesWhatIsNoPrivateKeyFile(t *testing.T) {
	good := string(encode(make([]byte, rootLen)))
	line := strings.TrimSpace(strings.TrimPrefix(good, header+"\n"))
	for name, f := range map[string]struct {
		text string
		mode os.FileMode
		says string // "" when it must open
	}{
		"as written":          {good, 0o600, ""},
		"read-only":           {good, 0o400, ""},
		"with CRLF":           {header + "\r\n" + line + "\r\n", 0o600, ""},
		"empty":               {"", 0o600, "first line"},
		"another header":      {"fourways root key, version 2\n" + line, 0o600, "first line"},
		"no key":              {header + "\n", 0o600, "second line"},
		"a short key":         {header + "\nAAAA\n", 0o600, "second line"},
		"no base64":           {header + "\n" + strings.Repeat("!", 44), 0o600, "second line"},
		"more than one key":   {good + line, 0o600, "second line"},
		"much more":           {good + strings.Repeat("\n", maxFile), 0o600, "not a root key file"},
		"readable by a group": {good, 0o640, "chmod 600"},
		"readable by all":     {good, 0o604, "chmod 600"},
	} {
		if runtime.GOOS == "windows" && f.says == "chmod 600" {
			continue
		}
		path := filepath.Join(t.TempDir(), "root.key")
		if err := os.WriteFile(path, []byte(f.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, f.mode); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path)
		switch {
		case f.says == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case f.says != "" && (err == nil || !strings.Contains(err.Error(), f.says)):
			t.Errorf("%s: got %v, want an error that says %q", name, err, f.says)
		case err != nil && strings.Contains(err.Error(), line):
			t.Errorf("%s: the error tells the key", name)
		}
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("a directory was opened")
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// The vector is of another implementation of RFC 5869: HKDF-SHA256, no salt, info "fourways x", over 32 zero bytes.
func TestDeriveSeparatesLabels(t *testing.T) {
	r := newRing(make([]byte, rootLen))
	if bytes.Equal(r.Derive("a", 32), r.Derive("b", 32)) {
		t.Error("two labels have one key")
	}
	if got := hex.EncodeToString(r.Derive("x", 32)); got != "07b757fa146e2b21ffe304f368d89acbea24be49d2cb48739d03d08994588248" {
		t.Errorf("got %s", got)
	}
	if bytes.Contains(r.Derive("key id", 32), r.root) {
		t.Error("the root key is handed out")
	}
}

func TestSealedOpensOnlyWhereItBelongs(t *testing.T) {
	r, _ := create(t)
	other, _ := create(t)
	sealed := r.Seal("label", []byte("row 1"), []byte("plain"))
	if bytes.Contains(sealed, []byte("plain")) || bytes.Equal(sealed, r.Seal("label", []byte("row 1"), []byte("plain"))) {
		t.Error("sealing shows the text, or that it is the same again")
	}
	if got, err := r.Unseal("label", []byte("row 1"), sealed); err != nil || string(got) != "plain" {
		t.Fatalf("got %q, %v", got, err)
	}
	for name, try := range map[string]struct {
		ring       *Ring
		label, aad string
		sealed     []byte
		want       error
	}{
		"another key":   {other, "label", "row 1", sealed, ErrOtherKey},
		"another label": {r, "level", "row 1", sealed, ErrBroken},
		"another row":   {r, "label", "row 2", sealed, ErrBroken},
		"cut short":     {r, "label", "row 1", sealed[:len(sealed)-1], ErrBroken},
		"only an id":    {r, "label", "row 1", sealed[:idLen], ErrBroken},
		"half an id":    {r, "label", "row 1", sealed[:idLen/2], ErrBroken},
		"nothing":       {r, "label", "row 1", nil, ErrBroken},
	} {
		if got, err := try.ring.Unseal(try.label, []byte(try.aad), try.sealed); !errors.Is(err, try.want) || got != nil {
			t.Errorf("%s: got %q, %v, want %v", name, got, err, try.want)
		}
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := r.Unseal("label", []byte("row 1"), changed); err == nil {
			t.Errorf("byte %d can be changed", i)
		}
	}
}

func FuzzUnseal(f *testing.F) {
	r := newRing(make([]byte, rootLen))
	f.Add([]byte("aad"), r.Seal("fuzz", []byte("aad"), []byte("plain")))
	f.Add([]byte(""), r.id)
	f.Add([]byte(""), []byte{})
	f.Fuzz(func(t *testing.T, aad, sealed []byte) {
		plain, err := r.Unseal("fuzz", aad, sealed)
		if err != nil {
			if plain != nil || !errors.Is(err, ErrBroken) && !errors.Is(err, ErrOtherKey) {
				t.Fatalf("%q, %v", plain, err)
			}
			return
		}
		if string(aad) != "aad" || string(plain) != "plain" {
			t.Fatalf("opened what nobody sealed: %q with %q", plain, aad)
		}
	})
}

func FuzzKeyFile(f *testing.F) {
	f.Add(encode(make([]byte, rootLen)))
	f.Add([]byte(header))
	f.Fuzz(func(t *testing.T, data []byte) {
		if root, err := decode(data); err == nil && len(root) != rootLen {
			t.Fatalf("a key of %d bytes", len(root))
		}
	})
}
