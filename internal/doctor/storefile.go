package doctor

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/keyring"
)

// StoreFile looks at the store's file and its root key without opening the store, which would change both.
func StoreFile(c *config.Config) []Check {
	return []Check{
		{ID: "store.file", Title: "The store's file", Run: func(context.Context) Seen { return storeFile(c.Store.Path) }},
		{ID: "store.key", Title: "The root key", Run: func(context.Context) Seen { return rootKey(c) }},
	}
}

func rootKey(c *config.Config) Seen {
	_, noStore := os.Stat(c.Store.Path)
	ring, err := keyring.Open(c.Store.RootKeyFile)
	switch {
	case err == nil:
		return OK("%s holds the key %.8s", c.Store.RootKeyFile, ring.ID())
	case errors.Is(err, fs.ErrNotExist) && noStore != nil:
		return Skip("", "%s is not there yet: the first start makes it", c.Store.RootKeyFile)
	case errors.Is(err, fs.ErrNotExist):
		return Fail("put the key file back from your backup", "there is a store at %s but no root key at %s", c.Store.Path, c.Store.RootKeyFile)
	}
	return Fail("do what the sentence says, or put the key file back from your backup", "%v", err)
}

// The header of an SQLite file (sqlite.org/fileformat2.html, section 1.3).
const (
	headerSize = 100
	magic      = "SQLite format 3\x00"
)

// storeFile finds files that are no database, are cut off, or whose header contradicts itself. It reads the header alone:
// whether every page is sound only SQLite can say.
func storeFile(path string) Seen {
	f, err := os.Open(path) //nolint:gosec // the operator's own file
	if errors.Is(err, fs.ErrNotExist) {
		return Skip("", "%s is not there yet: the first start makes it", path)
	}
	if err != nil {
		return Fail("let the user that runs fourways read it", "%v", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Fail("", "%v", err)
	}
	head := make([]byte, headerSize)
	if _, err := io.ReadFull(f, head); err != nil {
		return Fail(restore, "%s is %d bytes long, which is no database", path, info.Size())
	}
	if err := header(head, info.Size()); err != nil {
		return Fail(restore, "%s %v", path, err)
	}
	return OK("%s is a database of %d KiB, whole by its header", path, info.Size()>>10)
}

const restore = "stop the gateway, keep a copy of the file, and put store and key back from one backup"

func header(head []byte, size int64) error {
	if !bytes.HasPrefix(head, []byte(magic)) {
		return errors.New("does not begin as an SQLite database does")
	}
	page := int64(binary.BigEndian.Uint16(head[16:]))
	if page == 1 {
		page = 65536
	}
	if page < 512 || page&(page-1) != 0 {
		return fmt.Errorf("names a page size of %d", page)
	}
	// The count of pages is good only when these two agree (section 1.3.7).
	pages := int64(binary.BigEndian.Uint32(head[28:]))
	if !bytes.Equal(head[24:28], head[92:96]) {
		pages = 0
	}
	if size < pages*page || size%page != 0 {
		return fmt.Errorf("is cut off: %d bytes, and its header speaks of %d pages of %d", size, pages, page)
	}
	return nil
}
