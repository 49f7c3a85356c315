package keyring

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// header is the first line of a key file; the second is the key in base64.
const header = "fourways root key, version 1"

// maxFile bounds what is read of a key file, in bytes.
const maxFile = 4096

// Create makes a new root key and writes it to path with mode 0600, whole or not at all. It refuses a path that exists:
// whatever was sealed with a key that is written over is lost.
func Create(path string) (*Ring, error) {
	root := make([]byte, rootLen)
	_, _ = rand.Read(root) // never fails since Go 1.24
	if err := writeNew(path, encode(root)); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("create root key %s: the file exists; a root key is never written over, so move it away first if you really want a new one: %w", path, err)
		}
		return nil, fmt.Errorf("create root key %s: %w", path, err)
	}
	return newRing(root), nil
}

// Open reads the root key at path. It refuses a file that is missing, that others than its owner can read, or that isn't
// a root key.
func Open(path string) (*Ring, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open root key: %w; restore the key file that belongs to the store, or create one for a new store", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, fmt.Errorf("open root key %s: not a root key file", path)
	}
	if open := info.Mode().Perm() & 0o077; open != 0 && runtime.GOOS != "windows" { // Windows has no such bits
		return nil, fmt.Errorf("open root key %s: its mode is %04o, so others can use it; run: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	data, err := os.ReadFile(path) //nolint:gosec // the path is the operator's
	if err != nil {
		return nil, fmt.Errorf("open root key: %w", err)
	}
	root, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("open root key %s: %w", path, err)
	}
	return newRing(root), nil
}

func encode(root []byte) []byte {
	return []byte(header + "\n" + base64.StdEncoding.EncodeToString(root) + "\n")
}

// decode never puts what it read into an error: it may be a key.
func decode(data []byte) ([]byte, error) {
	first, rest, _ := bytes.Cut(data, []byte("\n"))
	if string(bytes.TrimRight(first, "\r")) != header {
		return nil, fmt.Errorf("its first line isn't %q", header)
	}
	root, err := base64.StdEncoding.Strict().DecodeString(string(bytes.TrimSpace(rest)))
	if err != nil || len(root) != rootLen {
		return nil, fmt.Errorf("its second line isn't a key of %d bytes in base64", rootLen)
	}
	return root, nil
}

// writeNew writes a file of mode 0600 whole and on disk, or not at all. The link fails when path exists, which a rename would not.
func writeNew(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, ".root-key-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(tmp.Name())) }()
	if _, err = tmp.Write(data); err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	if err = os.Link(tmp.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes the new name durable, where the system can.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir) //nolint:gosec // the path is the operator's
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
