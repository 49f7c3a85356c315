package agent

import "github.com/fourways-id/fourways/internal/dirsync"

// Bounds of a part: what one message to the gateway can hold, however large its groups are.
const (
	partObjects = 500
	partMembers = 100_000
)

// parts cuts what is read into parts. What it yields is not touched again.
type parts struct {
	yield    func(dirsync.Part) error
	full     bool
	note     string
	writable []string
	done     func([]dirsync.Object) // called with what was yielded; nil: nobody

	page    []dirsync.Object
	members int
}

func (p *parts) add(o dirsync.Object) error {
	p.page = append(p.page, o)
	p.members += len(o.Members)
	if len(p.page) < partObjects && p.members < partMembers {
		return nil
	}
	return p.flush(nil)
}

// end yields what is left, and where the next read goes on.
func (p *parts) end(cursor []byte) error { return p.flush(cursor) }

func (p *parts) flush(cursor []byte) error {
	page := p.page
	p.page, p.members = nil, 0
	err := p.yield(dirsync.Part{Objects: page, Cursor: cursor, Full: p.full, Note: p.note, Writable: p.writable})
	p.note, p.writable = "", nil
	if err == nil && p.done != nil {
		p.done(page)
	}
	return err
}
