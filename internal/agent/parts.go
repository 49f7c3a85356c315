package agent

import "github.com/fourways-id/fourways/internal/dirsync"

// Bounds of a part: what one message to the gateway can hold, however large its groups are.
const (
	partObjects = 500
	partMembers = 100_000
	partText    = 4 << 20 // octets
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
	text    int
}

func (p *parts) add(o dirsync.Object) error {
	size := textOf(o)
	if len(p.page) > 0 && p.text+size > partText {
		if err := p.flush(nil); err != nil {
			return err
		}
	}
	p.page = append(p.page, o)
	p.members += len(o.Members)
	p.text += size
	if len(p.page) < partObjects && p.members < partMembers {
		return nil
	}
	return p.flush(nil)
}

// end yields what is left, and where the next read goes on.
func (p *parts) end(cursor []byte) error { return p.flush(cursor) }

func (p *parts) flush(cursor []byte) error {
	page := p.page
	p.page, p.members, p.text = nil, 0, 0
	err := p.yield(dirsync.Part{Objects: page, Cursor: cursor, Full: p.full, Note: p.note, Writable: p.writable})
	p.note, p.writable = "", nil
	if err == nil && p.done != nil {
		p.done(page)
	}
	return err
}

// textOf is about how many octets of text an object has: those that can be many.
func textOf(o dirsync.Object) int {
	n := len(o.DN) + len(o.Reason) + len(o.DisplayName) + len(o.Description) + len(o.Error)
	for _, address := range o.ProxyAddresses {
		n += len(address)
	}
	return n
}
