package agent

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"

	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/onprem"
)

// Reader reads entries.
type Reader interface {
	Read(ctx context.Context, q onprem.Query) iter.Seq2[onprem.Entry, error]
	Entries(ctx context.Context, ids [][]byte, filter string, attributes []string) iter.Seq2[onprem.Entry, error]
	ObjectID(e onprem.Entry) []byte
}

// Follower says what changed.
type Follower interface {
	Position(ctx context.Context) (onprem.Position, error)
	Changes(ctx context.Context, from onprem.Position, yield func(onprem.Changes) error) error
}

// Writer writes one attribute of one object. It is called for what SourceOptions.WriteBack names, and for nothing else.
type Writer interface {
	Write(ctx context.Context, id []byte, attribute string, value []byte) error
}

// Premises is the directory as a syncing agent uses it. onprem.Directory is one.
type Premises interface {
	Reader
	Follower
	Writer
}

// SourceOptions say what is read, and under which names.
type SourceOptions struct {
	Kind            string   // onprem.AD or onprem.LDAP
	Scope           []string // DNs that are read; empty: all of the directory
	Narrow          Narrow   // who of the scope is left out
	CloudUPN        string   // attribute that holds the name in the tenant
	BindUPN         string   // attribute that holds the name that the directory binds
	AnchorAttribute string   // "": objectGUID (AD), entryUUID (LDAP)
	HashAttribute   string   // attribute that holds the NT hash, as 16 octets or 32 hex digits; "": no hashes
	SelectiveHashes string   // SelectExclude or SelectInclude; "": everybody's
	WriteBack       []string // attributes that may be written, of Writable(); empty: nothing is ever written

	Log     *slog.Logger                  // what concerns nobody at the other end; nil: nobody listens
	LeftOut func(kind, dn, reason string) // called for who of the scope a rule leaves out; nil: nobody counts
}

// Narrow leaves out of a scope. All its kinds must let an object through.
type Narrow struct {
	Exclude []string // DNs of organisational units below a scope
	Groups  []string // DNs of groups: their direct members alone are in scope; empty: everybody
	Filter  string   // an LDAP filter (RFC 4515) that an object must match
}

// NewSource reads users, contacts and groups as Active Directory or OpenLDAP keeps them.
func NewSource(at Premises, o SourceOptions) dirsync.Source {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &source{at: at, o: o, terms: termsOf(o)}
	if o.HashAttribute != "" {
		s.hash = attributeHash{o.HashAttribute}
	}
	return s
}

type source struct {
	at    Premises
	o     SourceOptions
	terms terms
	hash  HashSource // nil: none
}

// Read implements dirsync.Source.
func (s *source) Read(ctx context.Context, ask dirsync.Ask, yield func(dirsync.Part) error) error {
	switch ask.Kind {
	case dirsync.KindDirectory:
		return s.directory(ctx, ask, yield)
	case dirsync.KindHash:
		return s.hashes(ctx, ask, yield)
	case dirsync.KindChanges:
		return s.changes(ctx, ask, yield)
	case dirsync.KindLook:
		return s.look(ctx, ask.Name, yield)
	case dirsync.KindWriteBack:
		return s.writeBack(ctx, ask.Writes, yield)
	}
	return fmt.Errorf("this agent knows no reading of the kind %.40q: it may be older than the gateway", ask.Kind)
}

// ad reports the kind of directory.
func (s *source) ad() bool { return s.o.Kind != onprem.LDAP }

// each searches every scope for what a filter finds, and stops at do's first error.
func (s *source) each(ctx context.Context, filter string, attributes []string, do func(onprem.Entry) error) error {
	for _, base := range s.terms.bases() {
		for e, err := range s.at.Read(ctx, onprem.Query{BaseDN: base, Filter: filter, Attributes: attributes}) {
			if err != nil {
				return unreadable(base, err)
			}
			if err := do(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// standing is an error when a scope is not there: nobody is gone because somebody renamed a unit.
func (s *source) standing(ctx context.Context) error {
	for _, base := range s.terms.bases() {
		for _, err := range s.at.Read(ctx, onprem.Query{BaseDN: base, Attributes: s.idAttributes(), PageSize: 1}) {
			if err != nil {
				return unreadable(base, err)
			}
			break
		}
	}
	return nil
}

func unreadable(base string, err error) error {
	if errors.Is(err, onprem.ErrNotFound) {
		return fmt.Errorf("the scope %s isn't there, or can't be seen by this account: correct sync.scope or give the right to read it: %w", base, err)
	}
	return fmt.Errorf("read the directory: %w", err)
}

// id is what the directory knows an entry by, as an Object carries it.
func (s *source) id(e onprem.Entry) string {
	return base64.StdEncoding.EncodeToString(s.at.ObjectID(e))
}

// anchor names an entry for good. An empty ms-DS-ConsistencyGuid stands for the objectGUID that will be written there
// (Microsoft: Entra Connect design concepts, "Using ms-DS-ConsistencyGuid as sourceAnchor").
func (s *source) anchor(e onprem.Entry) string {
	name := s.o.AnchorAttribute
	if name == "" || strings.EqualFold(name, "objectGUID") {
		return s.id(e)
	}
	if vals := e.Get(name); len(vals) > 0 && len(vals[0]) > 0 {
		if len(vals[0]) > mostAnchor {
			return ""
		}
		return base64.StdEncoding.EncodeToString(vals[0])
	}
	if strings.EqualFold(name, ConsistencyGUID) {
		return s.id(e)
	}
	return ""
}

// Watch lists the attributes whose change matters to a Source with these options, for onprem.Config.Watch; nil: any may,
// since a filter looks at some that only the server knows.
func (o SourceOptions) Watch() []string {
	if o.Narrow.Filter != "" || o.Kind == onprem.LDAP {
		return nil
	}
	s := &source{o: o, terms: termsOf(o)}
	return slices.DeleteFunc(append(s.attributes(), markAttribute), func(name string) bool {
		return name == "whenChanged" || name == "modifyTimestamp" // every change changes them
	})
}

// idAttributes are what id and anchor are made of.
func (s *source) idAttributes() []string {
	id := "objectGUID"
	if !s.ad() {
		id = "entryUUID"
	}
	if s.o.AnchorAttribute == "" || strings.EqualFold(s.o.AnchorAttribute, id) {
		return []string{id}
	}
	return []string{id, s.o.AnchorAttribute}
}
