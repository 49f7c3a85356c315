package dirsync

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fourways-id/fourways/internal/directory"
)

// ErrTooManyDeletes says that a run would delete more than was allowed. ErrEmptySource says that the source had nothing
// at all. Both stop a run before it changes anything: a wrong filter looks just like everybody having left.
var (
	ErrTooManyDeletes = errors.New("too many deletions")
	ErrEmptySource    = errors.New("the source is empty: nothing was read and so nobody was deleted: check the agent's base_dn and scope")
)

// Limits bound what a run may delete.
type Limits struct {
	MaxDeletes int     // 0: nothing may be deleted
	MaxRatio   float64 // of the synchronised objects; one single deletion is never too many by ratio. Below 0: not asked
}

// Change is one line of a Plan.
type Change struct {
	Kind string   `json:"kind"` // user, group, contact
	Name string   `json:"name"` // UPN or display name
	What []string `json:"what,omitempty"`
}

// Skip is an object, its name or another attribute that can't be taken, and why.
type Skip struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Plan is what a run would do: pure data, in a stable order. It holds no hash that could be printed.
type Plan struct {
	Adds    []Change `json:"adds"`
	Updates []Change `json:"updates"`
	Deletes []Change `json:"deletes"`
	Hashes  []string `json:"hashes"` // UPNs whose hash is replaced
	Skipped []Skip   `json:"skipped"`

	Settled []Settled         `json:"-"` // every object that was planned, by anchor
	changes directory.Changes // what is to be done
}

// Changes is the plan as the store carries it out; at stamps what it makes and changes.
func (p Plan) Changes(run string, at time.Time) directory.Changes {
	c := p.changes
	c.Run = run
	c.Put.Users, c.Put.Groups, c.Put.Contacts = slices.Clone(c.Put.Users), slices.Clone(c.Put.Groups), slices.Clone(c.Put.Contacts)
	for i := range c.Put.Users {
		u := &c.Put.Users[i]
		u.Changed, u.Onprem.SyncedAt = at, at
		if u.Created.IsZero() {
			u.Created = at
		}
	}
	for i := range c.Put.Groups {
		c.Put.Groups[i].Onprem.SyncedAt = at
	}
	for i := range c.Put.Contacts {
		c.Put.Contacts[i].Onprem.SyncedAt = at
	}
	c.Hashes = slices.Clone(c.Hashes)
	for i := range c.Hashes {
		c.Hashes[i].Source, c.Hashes[i].Stored = run, at
	}
	return c
}

// Empty reports that there is nothing to do.
func (p Plan) Empty() bool {
	return len(p.Adds)+len(p.Updates)+len(p.Deletes)+len(p.Hashes) == 0
}

// Settled is what becomes of an object of the source once its plan is carried out. With a reason in it, it is planned again
// by every run.
type Settled struct {
	ID, Anchor  string
	Error       string // why it could not be taken; "" when it was
	Quarantined string // it was taken, but for an attribute that somebody else has: which, and whose
}

// Guard refuses so many deletions, of so many synchronised objects, when that looks like a mistake at the source.
func Guard(deletes, had int, l Limits) error {
	switch {
	case deletes > l.MaxDeletes:
		return fmt.Errorf("%w: %d objects are gone from the source and %d may be deleted: look at the preview, then raise sync.max_deletes for this run", ErrTooManyDeletes, deletes, l.MaxDeletes)
	case deletes > 1 && l.MaxRatio >= 0 && float64(deletes) > l.MaxRatio*float64(had):
		return fmt.Errorf("%w: %d of %d objects are gone from the source and %.0f %% may be deleted: look at the preview, then raise sync.max_delete_ratio for this run", ErrTooManyDeletes, deletes, had, l.MaxRatio*100)
	}
	return nil
}

// String is the plan as a person reads it: + added, ~ changed, - deleted, # hash, ! skipped.
func (p Plan) String() string {
	var b strings.Builder
	lines := func(sign string, all []Change) {
		for _, c := range all {
			fmt.Fprintf(&b, "%s %s %s", sign, c.Kind, c.Name)
			if len(c.What) > 0 {
				b.WriteString(": " + strings.Join(c.What, ", "))
			}
			b.WriteByte('\n')
		}
	}
	lines("+", p.Adds)
	lines("~", p.Updates)
	lines("-", p.Deletes)
	for _, name := range p.Hashes {
		fmt.Fprintf(&b, "# hash %s\n", name)
	}
	for _, s := range p.Skipped {
		fmt.Fprintf(&b, "! %s\n", s)
	}
	fmt.Fprintf(&b, "%d to add, %d to update, %d to delete, %d hashes, %d skipped\n",
		len(p.Adds), len(p.Updates), len(p.Deletes), len(p.Hashes), len(p.Skipped))
	return b.String()
}

// String is the line that a Run remembers.
func (s Skip) String() string { return s.Kind + " " + s.Name + ": " + s.Reason }

func (p *Plan) skip(o Object, format string, args ...any) {
	p.Skipped = append(p.Skipped, Skip{Kind: shortened(o.Kind), Name: nameOf(o), Reason: fmt.Sprintf(format, args...)})
}

// nameOf is what a person knows an object by.
func nameOf(o Object) string {
	for _, s := range []string{o.UPN, o.DisplayName, o.SAM, o.DN, o.Anchor} {
		if s != "" {
			return shortened(s)
		}
	}
	return "(nameless)"
}

// shortened keeps a value that an agent sent to one printable line; sentence does so with what it says, a cause and a remedy.
func shortened(s string) string { return cut(s, 120) }
func sentence(s string) string  { return cut(s, 600) }

func cut(s string, longest int) string {
	if len(s) > longest {
		s = s[:longest] + "…"
	}
	return strings.Map(func(r rune) rune {
		if !directory.Printable(r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}
