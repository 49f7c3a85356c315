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
	"time"

	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/keyring"
	"github.com/fourways-id/fourways/internal/store"
)

// Store is where a configuration's store is: what it is opened with, but for key and clock. It reads the connection URL of
// a store in PostgreSQL from its file.
func Store(c *config.Config) (o store.Options, err error) {
	if c.Store.Driver != config.DriverPostgres {
		return store.Options{Path: c.Store.Path}, nil
	}
	o.URL, err = store.URLFile(c.Store.URLFile)
	return o, err
}

// StoreFile looks at the store and its root key without opening the store, which would change both. In PostgreSQL the
// store has no file, and its pages are the server's to guard.
func StoreFile(c *config.Config) []Check {
	key := Check{ID: "store.key", Title: "The root key", Run: func(ctx context.Context) Seen { return rootKey(ctx, c) }}
	if c.Store.Driver == config.DriverPostgres {
		return []Check{key}
	}
	return []Check{
		{ID: "store.file", Title: "The store's file", Run: func(context.Context) Seen { return storeFile(c.Store.Path) }},
		{ID: "store.schema", Title: "Every page of the store is sound", Run: func(ctx context.Context) Seen { return storePages(ctx, c.Store.Path) }},
		key,
	}
}

func storePages(ctx context.Context, path string) Seen {
	if _, err := os.Stat(path); err != nil {
		return Skip("", "there is no store yet")
	}
	return Pages(ctx, path, func(ctx context.Context) (int64, error) { return store.InspectFile(ctx, path) })
}

// wholeStore is less than a check may take: that a store is too large to be read whole is no failure.
const wholeStore = usual - time.Second

// Pages judges an inspection of the store at path, which gives the version of its schema.
func Pages(ctx context.Context, path string, inspect func(context.Context) (int64, error)) Seen {
	ctx, cancel := context.WithTimeout(ctx, wholeStore)
	defer cancel()
	schema, err := inspect(ctx)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return Skip("run `sqlite3 COPY 'PRAGMA quick_check'` on a backup of "+path, "the store was not read whole within %s", wholeStore)
	case errors.Is(err, store.ErrUnsettled):
		return Skip("give --server and a token, if its gateway runs", "%v: only its gateway can read all of it", err)
	case err != nil:
		return Fail(restore, "%v", err)
	}
	return OK("every page is sound; the schema has version %d", schema)
}

func rootKey(ctx context.Context, c *config.Config) Seen {
	o, err := Store(c)
	if err != nil {
		return Fail("correct store.url_file", "%v", err)
	}
	made, err := store.Made(ctx, o)
	if err != nil {
		return Fail("start the database, or correct the URL in "+c.Store.URLFile, "the store can't be reached: %v", err)
	}
	o.Lab = c.Lab != nil
	o.Ring, err = keyring.Open(c.Store.RootKeyFile)
	switch {
	case err == nil && !made:
		return OK("%s holds the key %.8s; there is no store yet", c.Store.RootKeyFile, o.Ring.ID())
	case err == nil:
		return keyOfStore(ctx, c.Store.RootKeyFile, o)
	case errors.Is(err, fs.ErrNotExist) && !made:
		return Skip("", "%s is not there yet: the first start makes it", c.Store.RootKeyFile)
	case errors.Is(err, fs.ErrNotExist):
		return Fail("put the key file back from your backup", "there is %s but no root key at %s", place(o), c.Store.RootKeyFile)
	}
	return Fail("do what the sentence says, or put the key file back from your backup", "%v", err)
}

// place names a store without its connection URL, which holds a password.
func place(o store.Options) string {
	if o.URL != "" {
		return "a store in PostgreSQL"
	}
	return "a store at " + o.Path
}

// keyOfStore says whether a start with this key would open the store that is there.
func keyOfStore(ctx context.Context, file string, o store.Options) Seen {
	key, at := fmt.Sprintf("%s holds the key %.8s", file, o.Ring.ID()), place(o)
	schema, err := store.Look(ctx, o)
	switch {
	case errors.Is(err, store.ErrOtherKey):
		return Fail("point store.root_key_file to the key that belongs to the store, or put store and key back from one backup", "%s, but %s was sealed with another: the gateway would not start", key, at)
	case errors.Is(err, store.ErrOtherMark):
		return Fail("give lab and gateway a store of their own (store.path)", "%s: %v: the gateway would not start", at, err)
	case errors.Is(err, store.ErrNewer):
		return Fail("use the newer program", "%s: %v: the gateway would not start", at, err)
	case errors.Is(err, store.ErrUnsettled):
		return Skip("give --server and a token, if its gateway runs; else start it", "%s; whether it opens %s can't be told without opening that: %v", key, at, err)
	case err != nil:
		return Fail(restore, "%s can't be read: %v", at, err)
	}
	return OK("%s, and it opens the store (schema %d)", key, schema)
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
