package passpolicy

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // the lists of leaked passwords are made of it; nothing is protected by it
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/fourways-id/fourways/internal/passhash"
)

// ErrBreachedFile says that a breached file can't be used.
var ErrBreachedFile = errors.New("the breached file can't be used")

// longestLine bounds a line of the file, in bytes: 40 hexadecimal digits, a colon and a count.
const longestLine = 128

// probes is how many places of a file are sampled when it is named: damage elsewhere is found when it is met.
const probes = 64

// breached is a file of hashes of leaked passwords, sorted by hash, one a line: HASH or HASH:COUNT. It is opened for each
// look-up, so that a newer one can be moved into its place.
type breached struct{ path string }

// CheckBreachedFile judges the file without reading all of it: its format, and whether it is sorted at sampled places.
func CheckBreachedFile(path string) error { return (&breached{path}).probe() }

// list is an open file with what its first line told.
type list struct {
	from io.ReaderAt
	size int64
	hash func([]byte) []byte
	len  int // of a hash, in bytes
}

func openList(from io.ReaderAt, size int64) (list, error) {
	l := list{from: from, size: size, len: sha1.Size}
	head := make([]byte, 2*sha1.Size)
	n, err := from.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return l, err
	}
	digits := 0
	for digits < n && isHex(head[digits]) {
		digits++
	}
	switch digits {
	case 2 * sha1.Size:
		l.hash = func(pw []byte) []byte { h := sha1.Sum(pw); return h[:] } //nolint:gosec // see the import
	case 32:
		l.len = 16
		l.hash = func(pw []byte) []byte { h := passhash.NTHash(pw); return h[:] }
	default:
		return l, fmt.Errorf("%w: its first line begins with %d hexadecimal digits, and SHA-1 has 40, NT 32", ErrBreachedFile, digits)
	}
	return l, nil
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func (b *breached) open(do func(list) error) (err error) {
	f, err := os.Open(b.path)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBreachedFile, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: %s is not a file", ErrBreachedFile, b.path)
	}
	l, err := openList(f, info.Size())
	if err == nil {
		err = do(l)
	}
	if err != nil {
		return fmt.Errorf("%s: %w: get it again, or sort it with `LC_ALL=C sort`", b.path, err)
	}
	return nil
}

func (b *breached) probe() error { return b.open(list.probe) }

// has reports that the password stands in the file.
func (b *breached) has(pw []byte) (found bool, err error) {
	err = b.open(func(l list) error {
		key := l.hash(pw)
		defer clear(key)
		found, err = l.search(key)
		return err
	})
	return found, err
}

// probe reads lines from places all over the file: each must be well-formed and come after the one before.
func (l list) probe() error {
	var last []byte
	var lastAt int64 = -1
	for i := range int64(probes) {
		start, err := l.lineAt(l.size / probes * i)
		if err != nil {
			return err
		}
		for range 2 { // and its neighbour
			if start >= l.size {
				break
			}
			hash, next, err := l.read(start)
			if err != nil {
				return err
			}
			if start > lastAt {
				if last != nil && bytes.Compare(last, hash) >= 0 {
					return fmt.Errorf("%w: it is not sorted (near byte %d)", ErrBreachedFile, start)
				}
				last, lastAt = hash, start
			}
			start = next
		}
	}
	return nil
}

// search looks for a hash by halving. A line that is out of order between those around it is an error: the answer "it is
// not there" would be worth nothing.
func (l list) search(key []byte) (bool, error) {
	var below, above []byte
	for low, high := int64(0), l.size; low < high; {
		start, err := l.lineAt(low + (high-low)/2)
		if err != nil {
			return false, err
		}
		hash, next, err := l.read(start)
		if err != nil {
			return false, err
		}
		if below != nil && bytes.Compare(hash, below) <= 0 || above != nil && bytes.Compare(hash, above) >= 0 {
			return false, fmt.Errorf("%w: it is not sorted (near byte %d)", ErrBreachedFile, start)
		}
		switch bytes.Compare(key, hash) {
		case 0:
			return true, nil
		case -1:
			high, above = start, hash
		default:
			low, below = next, hash
		}
	}
	return false, nil
}

// lineAt is where the line begins that the byte at belongs to.
func (l list) lineAt(at int64) (int64, error) {
	from := max(0, at-longestLine)
	before := make([]byte, at-from)
	if n, err := l.from.ReadAt(before, from); n < len(before) {
		return 0, fmt.Errorf("%w: it ends before its size says: %w", ErrBreachedFile, err)
	}
	if i := bytes.LastIndexByte(before, '\n'); i >= 0 {
		return from + int64(i) + 1, nil
	}
	if from > 0 {
		return 0, fmt.Errorf("%w: a line is longer than %d bytes (near byte %d)", ErrBreachedFile, longestLine, at)
	}
	return 0, nil
}

// read takes the line that begins at start apart; next is where the following one begins.
func (l list) read(start int64) (hash []byte, next int64, err error) {
	line := make([]byte, min(longestLine, l.size-start))
	if n, err := l.from.ReadAt(line, start); n < len(line) {
		return nil, 0, fmt.Errorf("%w: it ends before its size says: %w", ErrBreachedFile, err)
	}
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i+1]
	} else if start+int64(len(line)) < l.size {
		return nil, 0, fmt.Errorf("%w: a line is longer than %d bytes (near byte %d)", ErrBreachedFile, longestLine, start)
	}
	next = start + int64(len(line))
	text, count, counted := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(":"))
	hash = make([]byte, l.len)
	if len(text) != 2*l.len || counted && !isCount(count) {
		return nil, 0, fmt.Errorf("%w: a line is not %d hexadecimal digits and a count (near byte %d)", ErrBreachedFile, 2*l.len, start)
	}
	if _, err := hex.Decode(hash, text); err != nil {
		return nil, 0, fmt.Errorf("%w: a line is not %d hexadecimal digits and a count (near byte %d)", ErrBreachedFile, 2*l.len, start)
	}
	return hash, next, nil
}

func isCount(b []byte) bool {
	return len(b) > 0 && len(bytes.Trim(b, "0123456789")) == 0
}
