package agent

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/onprem"
)

// The attributes that SourceOptions.WriteBack may name (Microsoft: Entra Connect, Exchange hybrid writeback, and the source
// anchor). Nothing else is ever written.
const (
	ConsistencyGUID = "ms-DS-ConsistencyGuid"
	CloudObjectID   = "msDS-ExternalDirectoryObjectID"
)

// Writable are the attributes that may be written back.
func Writable() []string { return []string{ConsistencyGUID, CloudObjectID} }

// writeBack carries out what the gateway asks for, as far as it may, and yields what it could not: an id and the reason.
func (s *source) writeBack(ctx context.Context, writes []dirsync.Write, yield func(dirsync.Part) error) error {
	in, members, err := s.membered(ctx)
	if err != nil {
		return err
	}
	w := &writing{run: run{source: s, terms: in, cursor: cursor{Members: members}}}
	var refused []dirsync.Object
	for some := range slices.Chunk(writes, partObjects) {
		if err := w.see(ctx, some); err != nil {
			return err
		}
		for _, one := range some {
			if err := w.write(ctx, one); err != nil {
				refused = append(refused, dirsync.Object{ID: one.ID, Error: err.Error()})
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return yield(dirsync.Part{Objects: refused})
}

type writing struct {
	run
	inScope map[string]onprem.Entry // by id
}

// see reads the objects that are to be written to: only those in scope may be.
func (w *writing) see(ctx context.Context, writes []dirsync.Write) error {
	var ids [][]byte
	for _, one := range writes {
		if id, err := base64.StdEncoding.DecodeString(one.ID); err == nil && len(id) == objectID && slices.Contains(w.o.WriteBack, one.Attribute) {
			ids = append(ids, id)
		}
	}
	w.inScope = map[string]onprem.Entry{}
	if len(ids) == 0 {
		return nil
	}
	matching, err := w.matching(ctx, ids)
	if err != nil {
		return err
	}
	attributes := distinct(slices.Concat(w.idAttributes(), w.terms.ruleAttributes(), w.o.WriteBack))
	for e, err := range w.at.Entries(ctx, ids, w.anyKind(), attributes) {
		if err != nil {
			return fmt.Errorf("read what is to be written to: %w", err)
		}
		if w.terms.kindOf(e) != "" && w.terms.judge(e, matching == nil || matching[string(w.at.ObjectID(e))]) == "" {
			w.inScope[w.id(e)] = e
		}
	}
	return nil
}

func (w *writing) write(ctx context.Context, one dirsync.Write) error {
	if !slices.Contains(w.o.WriteBack, one.Attribute) {
		return fmt.Errorf("this agent may not write %.64q: name it in sync.write_back", one.Attribute)
	}
	e, ok := w.inScope[one.ID]
	if !ok {
		return errors.New("no object in the scope of this agent has that id")
	}
	value, err := writable(one)
	if err != nil {
		return err
	}
	now := e.Get(one.Attribute)
	if len(now) == 1 && bytes.Equal(now[0], value) {
		return nil
	}
	if one.Attribute == ConsistencyGUID && len(now) > 0 {
		return errors.New(ConsistencyGUID + " has a value already, and an anchor stays what it is")
	}
	return w.at.Write(ctx, w.at.ObjectID(e), one.Attribute, value)
}

// writable are the octets that a write is about, as far as they can stand in its attribute.
func writable(one dirsync.Write) ([]byte, error) {
	if one.Attribute == ConsistencyGUID {
		raw, err := base64.StdEncoding.DecodeString(one.Value)
		if err != nil || len(raw) != objectID {
			return nil, errors.New("the value is not base64 of 16 octets")
		}
		return raw, nil
	}
	odd := func(c rune) bool { return c <= ' ' || c > '~' }
	if one.Value == "" || len(one.Value) > 256 || strings.ContainsFunc(one.Value, odd) {
		return nil, errors.New("the value is not 1 to 256 printable ASCII characters")
	}
	return []byte(one.Value), nil
}

// adopt writes objectGUID into ms-DS-ConsistencyGuid of those who were sent and have nothing there, when that may be written:
// the anchor then outlives a move to another forest. What can't be written changes nothing, for the anchor is the same.
func (s *source) adopt(ctx context.Context) func([]dirsync.Object) {
	if !slices.Contains(s.o.WriteBack, ConsistencyGUID) {
		return nil
	}
	return func(sent []dirsync.Object) {
		failed, why := 0, error(nil)
		for _, o := range sent {
			if o.Kind == "" || o.Gone || o.Same || o.Error != "" || o.Written[ConsistencyGUID] != "" {
				continue
			}
			id, err := base64.StdEncoding.DecodeString(o.ID)
			if err == nil && len(id) == objectID && ctx.Err() == nil {
				err = s.at.Write(ctx, id, ConsistencyGUID, id)
			}
			if err != nil {
				failed, why = failed+1, err
			}
		}
		if failed > 0 {
			s.o.Log.Warn("could not write "+ConsistencyGUID+"; the next read tries again", "objects", failed, "error", why)
		}
	}
}
