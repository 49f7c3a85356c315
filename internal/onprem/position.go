package onprem

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The ways to learn what changed, for Config.Changes. The first two are Active Directory's, the others OpenLDAP's.
const (
	DirSync  = "dirsync"  // the DirSync control: needs the right "Replicating Directory Changes", or reading the deleted objects
	USN      = "usn"      // a search by uSNChanged: needs reading the deleted objects
	Syncrepl = "syncrepl" // content synchronisation, RFC 4533: needs the overlay syncprov
	CSN      = "csn"      // a listing of all entries with their entryCSN
)

// maxPosition bounds a Position: it goes back and forth between premises and cloud.
const maxPosition = 64 << 10

// Position says where a reader of changes stands: in which directory, by which way, and how far. It is JSON, at most 64 KiB,
// and opaque to all but this package.
type Position []byte

// Changed is one object that is not, or may not be, as it was.
type Changed struct {
	ID        []byte // objectGUID or entryUUID, 16 octets
	DN        string // where it is now; "" when the directory didn't say
	Deleted   bool
	Container bool // an organisational unit or a container is new, renamed, moved or changed: what is below it may have another DN
	Same      bool // Changes.Whole only: it is there, and as it was
}

// Changes is a page of an answer.
type Changes struct {
	Changed  []Changed
	Position Position // everything up to here was yielded, this page included
	Whole    bool     // all pages together name all there is: what they don't name is gone. The same in every page
}

// ErrPosition says that there is no way on from a position, or to get one: all must be read. The error says why.
var ErrPosition = errors.New("all must be read")

// place is what a Position holds.
type place struct {
	Mode   string            `json:"mode"`
	Base   string            `json:"base"`             // where the directory begins
	Domain []byte            `json:"domain"`           // id of the object there
	Server []byte            `json:"server,omitempty"` // USN: invocationId of the domain controller that counts
	USN    uint64            `json:"usn,omitempty"`    // USN: seen up to and with this one
	Cookie []byte            `json:"cookie,omitempty"` // DirSync, Syncrepl
	Own    bool              `json:"own,omitempty"`    // DirSync: only what the account may read itself (LDAP_DIRSYNC_OBJECT_SECURITY)
	CSNs   map[string]string `json:"csns,omitempty"`   // CSN: the greatest one seen of each server
}

func (p place) position() (Position, error) {
	b, err := json.Marshal(p)
	if err == nil && len(b) > maxPosition {
		err = fmt.Errorf("%w: the directory's position takes %d octets, more than %d", ErrPosition, len(b), maxPosition)
	}
	return b, err
}

// parsePosition takes what position made, and nothing that lacks what its mode needs.
func parsePosition(raw Position) (place, error) {
	var p place
	if len(raw) == 0 || len(raw) > maxPosition {
		return p, fmt.Errorf("%w: a position has between 1 and %d octets, this one %d", ErrPosition, maxPosition, len(raw))
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil || dec.More() {
		return place{}, fmt.Errorf("%w: the position can't be read: it is none of this version", ErrPosition)
	}
	enough := false
	switch p.Mode {
	case DirSync, Syncrepl:
		enough = len(p.Cookie) > 0
	case USN:
		enough = len(p.Server) > 0
	case CSN:
		enough = len(p.CSNs) > 0
	}
	if !enough || p.Base == "" || len(p.Domain) == 0 {
		return place{}, fmt.Errorf("%w: the position lacks what a reader of changes needs", ErrPosition)
	}
	return p, nil
}

// Position is where a read that begins now must go on later: take it first, then read. It costs little in every mode but CSN.
// It is ErrPosition when this directory or account gives no way to learn of changes.
func (d *Directory) Position(ctx context.Context) (Position, error) {
	var p place
	err := d.visit(ctx, func(s *site) error {
		d.home.Store(&s.l.server)
		var err error
		p, err = d.locate(ctx, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("finding the position in the directory: %w", err)
	}
	return p.position()
}

// locate tries the ways in order: the configured one, or the best that server and account give.
func (d *Directory) locate(ctx context.Context, s *site) (place, error) {
	start := place{Base: s.base, Domain: s.domain}
	ways := []string{d.cfg.Changes}
	if d.cfg.Changes == "" {
		ways = changesOf(d.cfg.Kind)
	}
	var reasons []string
	for _, way := range ways {
		start.Mode = way
		p, err := d.way(way).locate(ctx, s, start)
		if err == nil || !errors.Is(err, ErrPosition) {
			return p, err
		}
		if reason := strings.TrimPrefix(err.Error(), ErrPosition.Error()+": "); !slices.Contains(reasons, reason) {
			reasons = append(reasons, reason)
		}
	}
	return place{}, fmt.Errorf("%w: %s", ErrPosition, strings.Join(reasons, "; "))
}

// changesOf lists the ways of a kind of directory, the best first.
func changesOf(kind string) []string {
	return map[string][]string{AD: {DirSync, USN}, LDAP: {Syncrepl, CSN}}[kind]
}

// way is one mode. Its errors are ErrPosition when it is closed to this account or from this place.
type way struct {
	locate func(context.Context, *site, place) (place, error)
	follow func(context.Context, *site, place, func(Changes) error) error
}

func (d *Directory) way(mode string) way {
	switch mode {
	case DirSync:
		return way{d.locateDirSync, d.followDirSync}
	case USN:
		return way{d.locateUSN, d.followUSN}
	case Syncrepl:
		return way{d.locateSyncrepl, d.followSyncrepl}
	}
	return way{d.locateCSN, d.followCSN}
}

// Changes yields what changed since a position, in pages, each with the position behind it; the last page may be empty but
// for its position. What changes meanwhile may come now, later or both times. An error that yield returns ends the reading
// and comes back. ErrPosition says that the position leads nowhere; any other error that the same position may be tried again.
func (d *Directory) Changes(ctx context.Context, from Position, yield func(Changes) error) error {
	p, err := parsePosition(from)
	if err == nil {
		err = d.visit(ctx, func(s *site) error {
			d.home.Store(&s.l.server)
			if err := d.admit(s, p); err != nil {
				return err
			}
			return d.way(p.Mode).follow(ctx, s, p, yield)
		})
	}
	if err != nil {
		return fmt.Errorf("reading what changed in the directory: %w", err)
	}
	return nil
}

// admit refuses a position of another directory or configuration.
func (d *Directory) admit(s *site, p place) error {
	switch {
	case d.cfg.Changes != "" && p.Mode != d.cfg.Changes:
		return fmt.Errorf("%w: the position was reached by %q, and %q is configured", ErrPosition, p.Mode, d.cfg.Changes)
	case (p.Mode == DirSync || p.Mode == USN) != (d.cfg.Kind == AD):
		return fmt.Errorf("%w: the position was reached by %q, which a directory of kind %q doesn't have", ErrPosition, p.Mode, d.cfg.Kind)
	case p.Base != s.base || !bytes.Equal(p.Domain, s.domain):
		return fmt.Errorf("%w: the position is one in another directory (%s), this one is %s", ErrPosition, p.Base, s.base)
	}
	return nil
}
