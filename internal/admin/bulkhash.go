package admin

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/passhash"
)

// NewImportHashes is the pool in which the passwords of imports are hashed: with half of the processors, so that sign-ins
// have the others.
func NewImportHashes() *passhash.Pool {
	const waiting = 1 << 20 // nobody is turned away: a request brings as many as it may
	return passhash.NewPool(max(1, runtime.GOMAXPROCS(0)/2), waiting)
}

// hash makes the records of the rows whose password is to be set. A password that an account has already is left alone.
func (a *Bulk) hash(ctx context.Context, rows []*bulkRow) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) { // the pool bounds how many work
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(rows) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := a.hashRow(ctx, rows[i]); err != nil {
					cancel(err)
				}
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

func (a *Bulk) hashRow(ctx context.Context, r *bulkRow) error {
	if r.err != nil || r.clear.Empty() && r.record == nil {
		return nil
	}
	var known []byte
	if r.now != nil {
		c, err := a.Store.Credential(ctx, r.now.ID, directory.SchemeCloud)
		if err != nil && !errors.Is(err, directory.ErrNotFound) {
			return err
		}
		known = c.Record
		defer clear(known)
	}
	if r.clear.Empty() {
		if bytes.Equal(known, r.record) {
			r.record = nil
		}
		return nil
	}
	var failed error
	_, err := a.Hashes.Do(ctx, func() {
		if old, err := passhash.Parse(string(known)); err == nil && old.Match(r.clear.Reveal()) {
			return
		}
		record, err := costOf(a.Config()).Hash(r.clear.Reveal())
		r.record, failed = []byte(record), err
	})
	return errors.Join(err, failed)
}
