package dc

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// Result codes of RFC 4511 appendix A that this server gives.
const (
	codeSuccess             = 0
	codeOperationsError     = 1
	codeProtocolError       = 2
	codeSizeLimit           = 4
	codeCompareFalse        = 5
	codeCompareTrue         = 6
	codeAuthMethod          = 7
	codeStrongerAuth        = 8
	codeReferral            = 10
	codeCriticalExtension   = 12
	codeNoSuchAttribute     = 16
	codeConstraintViolation = 19
	codeAttributeExists     = 20
	codeInvalidSyntax       = 21
	codeNoSuchObject        = 32
	codeInvalidDN           = 34
	codeInvalidCredentials  = 49
	codeNoAccess            = 50
	codeUnavailable         = 52
	codeUnwilling           = 53
	codeNotOnNonLeaf        = 66
	codeNotOnRDN            = 67
	codeEntryExists         = 68
	codeOther               = 80
)

// Operations by application tag, RFC 4511 section 4.2 and following.
const (
	opBind             ber.Tag = 0
	opBindResponse     ber.Tag = 1
	opUnbind           ber.Tag = 2
	opSearch           ber.Tag = 3
	opSearchEntry      ber.Tag = 4
	opSearchDone       ber.Tag = 5
	opModify           ber.Tag = 6
	opModifyResponse   ber.Tag = 7
	opAdd              ber.Tag = 8
	opAddResponse      ber.Tag = 9
	opDelete           ber.Tag = 10
	opDeleteResponse   ber.Tag = 11
	opModifyDN         ber.Tag = 12
	opModifyDNResponse ber.Tag = 13
	opCompare          ber.Tag = 14
	opCompareResponse  ber.Tag = 15
	opAbandon          ber.Tag = 16
	opSearchReference  ber.Tag = 19
	opExtended         ber.Tag = 23
	opExtendedResponse ber.Tag = 24
)

// Frames larger than this end the connection: a stranger has less to say than somebody who signed in. The limit is kept here,
// per connection, and not in ber.MaxPacketLengthBytes: that is one variable for the whole process, which the LDAP clients in
// it read at the same time.
const (
	maxFrameStranger = 32 << 10
	maxFrameKnown    = 1 << 20
	maxBERDepth      = 100
)

// refusal is an LDAP result other than success, as an error.
type refusal struct {
	code int
	text string
}

func (r refusal) Error() string { return fmt.Sprintf("LDAP result %d: %s", r.code, r.text) }

func refuse(code int, text string) error { return refusal{code, text} }

// request is one decoded LDAPMessage.
type request struct {
	id       int64
	op       *ber.Packet
	controls []control
}

type control struct {
	oid      string
	critical bool
	value    string
}

func (r request) control(oid string) (control, bool) {
	for _, c := range r.controls {
		if c.oid == oid {
			return c, true
		}
	}
	return control{}, false
}

// readFrame reads the octets of one LDAPMessage: a SEQUENCE of definite length (RFC 4511 section 5.1), not longer than limit.
func readFrame(r *bufio.Reader, limit int) ([]byte, error) {
	head := make([]byte, 2, 6)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	if head[0] != 0x30 {
		return nil, errors.New("not an LDAP message")
	}
	length := int(head[1])
	if head[1]&0x80 != 0 {
		n := int(head[1] & 0x7f)
		if n == 0 || n > 4 {
			return nil, errors.New("LDAP message of indefinite or unreasonable length")
		}
		var long [4]byte
		if _, err := io.ReadFull(r, long[4-n:]); err != nil {
			return nil, err
		}
		head = append(head, long[4-n:]...)
		if l := binary.BigEndian.Uint32(long[:]); int64(l) <= int64(limit) {
			length = int(l)
		} else {
			length = limit + 1
		}
	}
	if length > limit {
		return nil, fmt.Errorf("LDAP message longer than %d octets", limit)
	}
	frame := make([]byte, len(head)+length)
	copy(frame, head)
	_, err := io.ReadFull(r, frame[len(head):])
	return frame, err
}

// decodeRequest takes a frame apart. The nesting is measured before the library builds its tree, since that copies every
// level once more.
func decodeRequest(frame []byte) (request, error) {
	if depth(frame, 0) > maxBERDepth {
		return request{}, errors.New("LDAP message is nested too deeply")
	}
	p, err := ber.DecodePacketErr(frame)
	if err != nil {
		return request{}, fmt.Errorf("LDAP message: %w", err)
	}
	if len(p.Children) < 2 || p.Children[1].ClassType != ber.ClassApplication {
		return request{}, errors.New("LDAP message without an operation")
	}
	id, ok := p.Children[0].Value.(int64)
	if !ok || p.Children[0].Tag != ber.TagInteger || id < 1 || id > 1<<31-1 {
		return request{}, errors.New("LDAP message without a message id")
	}
	r := request{id: id, op: p.Children[1]}
	if len(p.Children) > 2 && p.Children[2].ClassType == ber.ClassContext && p.Children[2].Tag == 0 {
		for _, c := range p.Children[2].Children {
			r.controls = append(r.controls, decodeControl(c))
		}
	}
	return r, nil
}

// depth is the nesting of the constructed elements in b, as far as their lengths make sense.
func depth(b []byte, above int) int {
	deepest := above
	for len(b) >= 2 && above <= maxBERDepth {
		constructed, length, head := b[0]&0x20 != 0, int(b[1]), 2
		if b[0]&0x1f == 0x1f { // a tag number of several octets: LDAP has none
			return maxBERDepth + 1
		}
		if length&0x80 != 0 {
			n := length & 0x7f
			if n == 0 || n > 4 || len(b) < 2+n { // indefinite: LDAP has none
				return maxBERDepth + 1
			}
			length = 0
			for _, c := range b[2 : 2+n] {
				length = length<<8 | int(c)
			}
			head += n
		}
		end := min(head+length, len(b))
		if constructed {
			deepest = max(deepest, depth(b[head:end], above+1))
		}
		b = b[end:]
	}
	return deepest
}

func decodeControl(p *ber.Packet) control {
	var c control
	for i, child := range p.Children {
		switch {
		case i == 0:
			c.oid = contents(child)
		case child.Tag == ber.TagBoolean:
			c.critical, _ = child.Value.(bool)
		case child.Tag == ber.TagOctetString:
			c.value = contents(child)
		}
	}
	return c
}

// contents are the octets of a primitive element, whatever its tag.
func contents(p *ber.Packet) string {
	if p == nil || p.Data == nil || p.TagType != ber.TypePrimitive {
		return ""
	}
	return p.Data.String()
}

// number is the value of an INTEGER or ENUMERATED element; 0 for anything else.
func number(p *ber.Packet) int64 {
	n, _ := p.Value.(int64)
	return n
}

func sequence(tag ber.Tag) *ber.Packet {
	return ber.Encode(ber.ClassUniversal, ber.TypeConstructed, tag, nil, "")
}

func octetString(s string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
}

func enumerated(n int) *ber.Packet {
	return ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(n), "")
}

func integerOf(n int64) *ber.Packet {
	return ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, n, "")
}

// result is an LDAPResult of the given response type.
func result(op ber.Tag, code int, text string) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, op, nil, "")
	p.AppendChild(enumerated(code))
	p.AppendChild(octetString(""))
	p.AppendChild(octetString(text))
	return p
}

// message wraps a response, and the controls that go with it, in an LDAPMessage.
func message(id int64, op *ber.Packet, controls ...*ber.Packet) []byte {
	p := sequence(ber.TagSequence)
	p.AppendChild(integerOf(id))
	p.AppendChild(op)
	if len(controls) > 0 {
		list := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
		for _, c := range controls {
			list.AppendChild(c)
		}
		p.AppendChild(list)
	}
	return p.Bytes()
}
