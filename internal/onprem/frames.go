package onprem

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// maxFrame bounds one LDAP message from a directory. The BER library's own bound is one variable for the whole process and
// stands at 2 GiB; this one belongs to the connection.
const maxFrame = 16 << 20

// bindResponse is the first octet of a BindResponse: [APPLICATION 1], constructed (RFC 4511 section 4.2.2).
const bindResponse = 0x61

var errNoLDAP = errors.New("the other side doesn't speak LDAP")

// frameConn hands whole LDAP messages on and remembers with which kind of response the last request was answered. go-ldap
// takes any response with result code 0 for a successful bind; whoever lets people in has to know that it was a BindResponse.
type frameConn struct {
	net.Conn
	rest []byte // of the frame that is being handed on; the one reader's own

	mu    sync.Mutex // guards what follows
	sent  int64      // message id of the last request
	reply byte       // first octet of the first response to it; 0: none yet
	bad   error      // why reading ended, when the reason was the content
}

// Write notes the id of the request. go-ldap writes each request in one call.
func (c *frameConn) Write(p []byte) (int, error) {
	if id, _, ok := peek(p); ok {
		c.mu.Lock()
		c.sent, c.reply = id, 0
		c.mu.Unlock()
	}
	return c.Conn.Write(p)
}

func (c *frameConn) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		frame, err := readFrame(c.Conn)
		if err != nil {
			c.mu.Lock()
			if errors.Is(err, errNoLDAP) {
				c.bad = err
			}
			c.mu.Unlock()
			return 0, err
		}
		c.note(frame)
		c.rest = frame
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *frameConn) note(frame []byte) {
	id, op, ok := peek(frame)
	c.mu.Lock()
	defer c.mu.Unlock()
	if ok && id == c.sent && c.reply == 0 {
		c.reply = op
	}
}

// answeredBy reports that the last request was answered, first, by a response of this kind.
func (c *frameConn) answeredBy(op byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reply == op
}

// garbage is why the peer's octets made no LDAP message; nil when they did.
func (c *frameConn) garbage() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bad
}

// readFrame reads exactly one LDAP message and not an octet more: what follows a StartTLS answer belongs to TLS.
func readFrame(r io.Reader) ([]byte, error) {
	head := make([]byte, 2, 6)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	length := uint32(head[1])
	if head[0] != 0x30 {
		return nil, fmt.Errorf("%w: its message begins with octet %#x", errNoLDAP, head[0])
	}
	if head[1]&0x80 != 0 {
		n := int(head[1] & 0x7f)
		if n == 0 || n > 4 {
			return nil, fmt.Errorf("%w: its message has an indefinite or unreasonable length", errNoLDAP)
		}
		var long [4]byte
		if _, err := io.ReadFull(r, long[4-n:]); err != nil {
			return nil, err
		}
		head = append(head, long[4-n:]...)
		length = binary.BigEndian.Uint32(long[:])
	}
	if length > maxFrame {
		return nil, fmt.Errorf("%w: its message announces %d octets, more than %d", errNoLDAP, length, maxFrame)
	}
	frame := make([]byte, len(head)+int(length))
	copy(frame, head)
	_, err := io.ReadFull(r, frame[len(head):])
	return frame, err
}

// peek reads the message id and the first octet of the operation from the front of an LDAP message.
func peek(frame []byte) (id int64, op byte, ok bool) {
	if len(frame) < 2 || frame[0] != 0x30 {
		return 0, 0, false
	}
	body := frame[2:]
	if frame[1]&0x80 != 0 {
		n := int(frame[1] & 0x7f)
		if n > len(body) {
			return 0, 0, false
		}
		body = body[n:]
	}
	if len(body) < 2 || body[0] != 0x02 || body[1] == 0 || body[1] > 4 || len(body) <= 2+int(body[1]) {
		return 0, 0, false
	}
	for _, b := range body[2 : 2+int(body[1])] {
		id = id<<8 | int64(b)
	}
	return id, body[2+int(body[1])], true
}
