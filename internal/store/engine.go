package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// readerConns bounds the concurrent readers.
const readerConns = 8

// engine is what one database does in its own way.
type engine struct {
	name    string // of its sections in the migrations
	dialect goose.Dialect
	options []goose.ProviderOption
	reword  *strings.Replacer // of the migrations; nil: they are understood as they are

	begin   string                                      // opens the writer's transaction
	claim   string                                      // a query: waits until no other program writes, and names the transaction; "": begin does
	outcome string                                      // a query: what became of the transaction of that name; "": a failed commit stored nothing
	lost    func(*sql.Conn) bool                        // the connection is of no use any more
	sound   func(ctx context.Context, db *sql.DB) error // for Inspect: what is stored can be read
}

// pools are an engine's connections.
type pools struct {
	writing *sql.DB // one connection: the writer's
	reading *sql.DB
	keeper  *sql.DB // copies the store; its connection may write to other files than the store's. nil: the engine can't

	settler *checkpointer // nil: the engine needs none
}

func (p pools) close() error {
	var all []error
	if p.settler != nil {
		all = append(all, p.settler.close())
	}
	for _, db := range []*sql.DB{p.reading, p.keeper, p.writing} { // the last one may write: it empties SQLite's log
		if db != nil {
			all = append(all, db.Close())
		}
	}
	return errors.Join(all...)
}

// migrate brings the schema up to date. Each migration is a transaction; a newer schema than ours is refused.
func (e *engine) migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	options := append([]goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}, e.options...)
	p, err := goose.NewProvider(e.dialect, db, reworded{files, e}, options...)
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	now, newest, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if now > newest {
		return fmt.Errorf("its schema has version %d and this program knows up to %d: use the newer program that it was last opened with", now, newest)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate the schema: %w", err)
	}
	return nil
}

// reworded gives the migrations as the engine understands them.
type reworded struct {
	fs.FS
	engine *engine
}

// Open opens a file; of a migration it gives what dialect makes of it.
func (r reworded) Open(name string) (fs.File, error) {
	file, err := r.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".sql") {
		return file, err
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return migration{file, strings.NewReader(r.engine.dialectOf(string(text)))}, nil
}

// migration is an open file with another text.
type migration struct {
	fs.File
	text io.Reader
}

func (m migration) Read(p []byte) (int, error) { return m.text.Read(p) }

// sectionMark begins the part of a migration that one engine reads ("-- engine: postgres"), or again all ("-- engine: any").
const sectionMark = "-- engine: "

// dialectOf leaves out the sections of other engines and puts the rest into this engine's words.
func (e *engine) dialectOf(text string) string {
	var b strings.Builder
	ours := true
	for line := range strings.Lines(text) {
		if of, is := strings.CutPrefix(strings.TrimSpace(line), sectionMark); is {
			ours = of == e.name || of == "any"
			continue
		}
		if !ours {
			continue
		}
		if e.reword != nil && !strings.HasPrefix(strings.TrimSpace(line), "--") {
			line = e.reword.Replace(line)
		}
		b.WriteString(line)
	}
	return b.String()
}
