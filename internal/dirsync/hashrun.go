package dirsync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// mostDue bounds whose hashes are asked for by name; beyond that all are read.
const mostDue = 500

// hashes is a run of password hashes. Each batch is stored with the cursor after it, so a run that is broken off goes on
// where it was.
func (j *job) hashes(ctx context.Context) error {
	domains, err := j.Domains(ctx)
	if err != nil {
		return fmt.Errorf("read the tenant: %w", err)
	}
	cursor, err := j.Store.SyncCursor(ctx, string(KindHash))
	if err != nil {
		return err
	}
	due, err := j.Store.HashesDue(ctx, domains.HashSynced(), mostDue+1)
	if err != nil {
		return err
	}
	about := switchedOn(domains)
	ask := Ask{Kind: KindHash, Temporary: j.settings.Temporary}
	if initial := j.settings.Initial; initial == "" || !domains.HashSync(initial) { // else names here tell nothing of names there
		ask.Domains = domains.HashSynced()
	}
	if !j.wish.Full && len(due) <= mostDue && covers(cursor.About, about) && j.recent(cursor) {
		ask.Cursor, ask.IDs = cursor.Place, due
	}
	j.run.Mode = Delta
	var place []byte
	return j.ask(ctx, j.run, ask, func(b Batch) error {
		if b.Full {
			j.run.Mode = Full
		}
		if b.Note != "" {
			j.run.Note = sentence(b.Note)
		}
		if len(b.Cursor) > 0 {
			place = b.Cursor
		}
		cursor := &directory.Cursor{Kind: string(KindHash), Place: place, About: about}
		switch full := j.run.Mode == Full; {
		case full && b.Last:
			cursor.FullAt = j.Clock.Now()
		case full || len(b.Cursor) == 0:
			cursor = nil
		}
		return j.takeHashes(ctx, b, domains, cursor)
	})
}

func (j *job) takeHashes(ctx context.Context, b Batch, domains Domains, cursor *directory.Cursor) error {
	h, err := j.hashesHere(ctx, b.Objects, domains)
	if err != nil {
		return err
	}
	updates, skipped := h.plan(b.Objects)
	now := j.Clock.Now()
	for i := range updates {
		u := &updates[i]
		u.Account.Source, u.Account.Stored = j.run.ID, now
		if u.Status == directory.HashSuccess {
			j.run.Hashes++
		}
		if u.Status == directory.HashFiltered {
			j.run.Withheld++
		}
	}
	for _, s := range skipped[:min(len(skipped), max(0, mostSkips-len(j.run.Skipped)))] {
		j.run.Skipped = append(j.run.Skipped, s.String())
	}
	j.progress.change(func(p *Progress) { p.Phase = PhaseApply; p.Applied += len(updates) })
	return j.Store.ApplyHashes(ctx, j.epoch, updates, cursor)
}

// hashesHere reads what is known of the people whose hashes came.
func (j *job) hashesHere(ctx context.Context, all []Object, domains Domains) (here, error) {
	h := here{accounts: map[string]directory.User{}, objects: map[string]directory.Imported{}, on: domains.HashSync}
	anchors := make([]string, 0, len(all))
	for _, o := range all {
		anchors = append(anchors, o.Anchor)
	}
	anchors = slices.DeleteFunc(anchors, func(a string) bool { return a == "" })
	rows, err := j.Store.Claims(ctx, anchors, nil)
	if err != nil {
		return h, err
	}
	for _, row := range rows {
		h.objects[row.ID] = row
	}
	now, err := j.Store.Concerned(ctx, anchors, nil, nil)
	if err != nil {
		return h, err
	}
	ids := make([]authn.AccountID, 0, len(now.Users))
	for _, u := range now.Users {
		if u.Synced {
			h.accounts[u.Onprem.Anchor] = u
			ids = append(ids, u.ID)
		}
	}
	h.hashed, err = j.Store.Credentialed(ctx, directory.SchemePHS, ids)
	return h, err
}

// switchedOn names the domains whose hashes are synchronised; those that a cursor was made for may be more, never fewer.
func switchedOn(d Domains) string {
	names := slices.Sorted(slices.Values(d.HashSynced()))
	return strings.Join(names, " ")
}

func covers(before, now string) bool {
	had := strings.Fields(before)
	for _, d := range strings.Fields(now) {
		if !slices.Contains(had, d) {
			return false
		}
	}
	return true
}

// Watch asks who changed a password on the premises since the last hash run: times, no hashes. It does nothing before the
// first of those, and ErrBusy says that a run is at work.
func (e *Engine) Watch(ctx context.Context) error {
	return e.briefly(ctx, func() error {
		cursor, err := e.Store.SyncCursor(ctx, string(KindHash))
		if err != nil || cursor.Place == nil {
			return err
		}
		run := directory.Run{ID: newRunID()}
		return e.ask(ctx, &run, Ask{Kind: KindChanges, Cursor: cursor.Place}, func(b Batch) error {
			if b.Full {
				return errors.New("the agent has no way on from the last hash run, which the next one mends")
			}
			changed := map[string]time.Time{}
			for _, o := range b.Objects {
				if o.ID != "" && !o.PasswordAt.IsZero() {
					changed[o.ID] = o.PasswordAt
				}
			}
			return e.Store.NotePasswords(ctx, changed)
		})
	})
}
