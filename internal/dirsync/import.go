package dirsync

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// importAll brings the connector space to what the agent reads: what changed since the cursor, or all.
func (j *job) importAll(ctx context.Context) error {
	cursor, err := j.Store.SyncCursor(ctx, string(KindDirectory))
	if err != nil {
		return err
	}
	ask := Ask{Kind: KindDirectory}
	if !j.wish.Full && j.recent(cursor) {
		ask.Cursor = cursor.Place
	}
	in := &importing{job: j, asked: ask}
	if err := j.ask(ctx, j.run, ask, func(b Batch) error { return in.take(ctx, b) }); err != nil {
		return err
	}
	if err := j.rereadGroups(ctx); err != nil || !in.full {
		return err
	}
	return j.Store.AdoptOrphans(ctx, j.epoch)
}

// recent reports that all was read not long ago. What lies in the future was written while the clock was wrong.
func (j *job) recent(c directory.Cursor) bool {
	ago := j.Clock.Now().Sub(c.FullAt)
	return ago >= 0 && ago < j.settings.FullEvery
}

// rereadGroups asks for the groups of whom a member has another DN now. Active Directory names members by links: it tells of
// who moved, and not of the groups.
func (j *job) rereadGroups(ctx context.Context) error {
	for before := ""; ; {
		ids, err := j.Store.StaleGroups(ctx, groupsAtOnce)
		if err != nil || len(ids) == 0 || ids[0] == before {
			return err
		}
		before = ids[0]
		ask := Ask{Kind: KindDirectory, IDs: ids}
		in := &importing{job: j, asked: ask}
		if err := j.ask(ctx, j.run, ask, func(b Batch) error { return in.take(ctx, b) }); err != nil {
			return err
		}
	}
}

// importing is one read on its way into the connector space.
type importing struct {
	*job
	asked      Ask
	begun      bool
	full       bool
	generation int64
	place      []byte // where the agent says it is
}

func (in *importing) take(ctx context.Context, b Batch) error {
	ends := b.Last && len(b.Objects) == 0 // it says no more than that
	if !in.begun {
		if ends {
			b.Full = b.Full || in.all()
		}
		if err := in.begin(ctx, b); err != nil {
			return err
		}
	}
	if b.Full != in.full && !ends {
		return fmt.Errorf("batch %d belongs to another kind of read than those before it", b.Seq)
	}
	if b.Note != "" {
		in.run.Note = sentence(b.Note)
	}
	if b.Writable != nil {
		in.writable = b.Writable
	}
	part := directory.Import{Epoch: in.epoch, Generation: in.generation, Again: in.wish.Full, Last: b.Last && in.full}
	for _, o := range b.Objects {
		in.sort(o, &part)
	}
	if part.Last && in.run.Read == 0 {
		return ErrEmptySource
	}
	part.Cursor = in.cursor(b)
	return in.Store.Import(ctx, part)
}

// cursor is where the next read goes on, once that is certain: of a full read at its end. An agent that doesn't say where it
// ended is asked for all the next time.
func (in *importing) cursor(b Batch) *directory.Cursor {
	if len(b.Cursor) > 0 {
		in.place = b.Cursor
	}
	c := &directory.Cursor{Kind: string(KindDirectory), Place: in.place}
	switch {
	case in.full && b.Last:
		c.FullAt = in.Clock.Now()
	case in.full || len(b.Cursor) == 0 || len(in.asked.IDs) > 0: // some objects tell nothing of the others
		return nil
	}
	return c
}

func (in *importing) begin(ctx context.Context, b Batch) (err error) {
	in.begun, in.full = true, b.Full
	switch {
	case len(in.asked.IDs) > 0 && b.Full:
		return errors.New("the agent sent all where some objects were asked for")
	case len(in.asked.IDs) > 0:
		return nil
	case !b.Full && in.all():
		return errors.New("the agent sent changes where all was asked for")
	case !b.Full:
		in.run.Mode = Delta
		return nil
	}
	in.run.Mode = Full
	in.generation, err = in.Store.BeginImport(ctx, in.epoch)
	return err
}

// all reports that a full read was asked for.
func (in *importing) all() bool { return in.asked.Cursor == nil && len(in.asked.IDs) == 0 }

// sort puts an object where it belongs. One that can't be taken is listed, and what is known of it stays as it is.
func (in *importing) sort(o Object, part *directory.Import) {
	switch {
	case o.ID == "" || len(o.ID) > 128:
		in.leaveOut(o, "its directory gives it no id")
	case o.Same:
		in.stays(o, part)
	case o.Gone:
		part.Objects = append(part.Objects, directory.Imported{ID: o.ID, Gone: true, Reason: sentence(o.Reason)})
	case o.Error != "" && (o.Kind == Group || !usable(o.Anchor)):
		in.leaveOut(o, sentence(o.Error))
		in.stays(o, part)
	case o.Kind != User && o.Kind != Group && o.Kind != Contact:
		in.leaveOut(o, "it is no user, group or contact")
	case !usable(o.Anchor):
		in.leaveOut(o, "its anchor is not base64 of 1 to 64 octets")
		in.stays(o, part)
	default:
		part.Objects = append(part.Objects, imported(o))
	}
}

// stays keeps what is known of an object, since it is there.
func (in *importing) stays(o Object, part *directory.Import) {
	if in.full {
		part.Same = append(part.Same, o.ID)
	}
}

func usable(anchor string) bool {
	raw, err := base64.StdEncoding.DecodeString(anchor)
	return err == nil && len(raw) > 0 && len(raw) <= 64
}

func (in *importing) leaveOut(o Object, why string) {
	if len(in.run.Skipped) >= mostSkips {
		return
	}
	in.run.Skipped = append(in.run.Skipped, Skip{Kind: shortened(o.Kind), Name: nameOf(o), Reason: why}.String())
}

// imported is an object as the connector space holds it. Members have rows of their own, and times are no change.
func imported(o Object) directory.Imported {
	row := directory.Imported{
		ID: o.ID, Kind: o.Kind, Anchor: o.Anchor, Ref: o.Ref, Members: o.Members, PasswordAt: o.PasswordAt,
		UPN: authn.ParseIdentifier(o.UPN).UPN(),
	}
	o.Members, o.ChangedAt, o.PasswordAt, o.Hash = nil, time.Time{}, time.Time{}, ""
	row.Object, _ = json.Marshal(o) // strings and booleans alone
	return row
}
