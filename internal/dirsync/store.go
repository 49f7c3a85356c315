package dirsync

import (
	"context"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// Store is where the connector space and the tenant are. Every write of a run carries the epoch of its lease and is
// directory.ErrLeaseLost when that was lost.
type Store interface {
	leases
	cursors
	imports
	dues
	settlements
	tenant
	hashStore
	hashNotes
}

type leases interface {
	TakeSync(ctx context.Context, l directory.Lease) (taken, before directory.Lease, err error)
	KeepSync(ctx context.Context, epoch int64, until time.Time) error
	EndSync(ctx context.Context, epoch int64) error
}

type cursors interface {
	SyncCursor(ctx context.Context, kind string) (directory.Cursor, error)
	SaveRun(ctx context.Context, r directory.Run) error
}

type imports interface {
	BeginImport(ctx context.Context, epoch int64) (generation int64, err error)
	Import(ctx context.Context, part directory.Import) error
	AdoptOrphans(ctx context.Context, epoch int64) error
}

type dues interface {
	Due(ctx context.Context, kind, after string, most int) ([]directory.Imported, error)
	DueRenames(ctx context.Context, most int) ([]directory.Imported, error)
	DueGone(ctx context.Context, after string, most int) ([]directory.Imported, error)
}

type settlements interface {
	CountGone(ctx context.Context) (gone, had int, err error)
	Claims(ctx context.Context, anchors, upns []string) ([]directory.Imported, error)
	Settle(ctx context.Context, epoch int64, all []directory.Settled) error
}

type tenant interface {
	// Concerned is what the tenant has of these anchors, names and addresses.
	Concerned(ctx context.Context, anchors, upns, mails []string) (directory.Objects, error)
	// ApplySync leaves out what conflicts (directory.Refusal in the joined error) and does the rest.
	ApplySync(ctx context.Context, c directory.Changes) error
	ApplyMembers(ctx context.Context, epoch int64, groups []directory.Group) error
}

type hashStore interface {
	HashesDue(ctx context.Context, domains []string, most int) (ids []string, err error)
	ApplyHashes(ctx context.Context, epoch int64, all []directory.HashUpdate, cursor *directory.Cursor) error
	Credentialed(ctx context.Context, scheme string, accounts []authn.AccountID) (map[authn.AccountID]string, error)
}

type hashNotes interface {
	StaleGroups(ctx context.Context, most int) (ids []string, err error)
	ImportedMembers(ctx context.Context, id string) ([]directory.ImportedMember, error)
	NotePasswords(ctx context.Context, at map[string]time.Time) error
}
