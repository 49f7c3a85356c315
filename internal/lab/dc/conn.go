package dc

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// How long a connection may sit still, may take to shake hands, and may take to accept an answer.
const (
	idleTimeout      = 5 * time.Minute
	handshakeTimeout = 10 * time.Second
	writeTimeout     = 30 * time.Second
)

const (
	oidStartTLS     = "1.3.6.1.4.1.1466.20037"
	oidWhoAmI       = "1.3.6.1.4.1.4203.1.11.3"
	oidDisconnected = "1.3.6.1.4.1.1466.20036"
)

// session is one connection. It answers one request after the other, so nothing in it needs a lock.
type session struct {
	srv       *Server
	id        uint64
	conn      net.Conn
	r         *bufio.Reader
	encrypted bool
	who       identity
	pages     []page
	binds     int // how many it has seen; counted for Intercept alone
}

// outcome is the answer to one request and what the event log says of it.
type outcome struct {
	tag      ber.Tag // of the response
	op       string
	name     string // as bound, or as typed in a bind
	target   string
	code     int
	text     string
	data     string
	extra    []*ber.Packet // after the LDAPResult
	controls []*ber.Packet
	end      bool // close the connection
	silent   bool // the operation has no response
}

func (o outcome) with(code int, text string) outcome {
	o.code, o.text = code, text
	return o
}

// fail turns an error of the domain into the result it stands for.
func (o outcome) fail(err error) outcome {
	var r refusal
	if errors.As(err, &r) {
		return o.with(r.code, r.text)
	}
	return o.with(codeOther, err.Error())
}

func (s *session) view() view { return view{hashes: s.who.reader && s.encrypted} }

// run reads requests until the other side ends, goes idle, or sends what is no LDAP.
func (s *session) run() {
	s.r = bufio.NewReader(s.conn)
	for {
		_ = s.conn.SetReadDeadline(time.Now().Add(idleTimeout)) //nolint:forbidigo // a deadline of a connection is real time
		limit := maxFrameStranger
		if s.who.known() {
			limit = maxFrameKnown
		}
		frame, err := readFrame(s.r, limit)
		if err != nil {
			var gone net.Error
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.As(err, &gone) {
				s.disconnect(err)
			}
			return
		}
		r, err := decodeRequest(frame)
		if err != nil {
			s.disconnect(err)
			return
		}
		if !s.serve(r) {
			return
		}
	}
}

// serve answers one request; false ends the connection.
func (s *session) serve(r request) (keep bool) {
	defer func() {
		if cause := recover(); cause != nil {
			s.disconnect(fmt.Errorf("internal error: %v", cause))
			keep = false
		}
	}()
	if !s.intercepted(r) {
		return false
	}
	out := s.dispatch(r)
	if out.name == "" {
		out.name = s.who.name
	}
	s.srv.log(Event{Conn: s.id, Op: out.op, Name: out.name, Target: out.target, Result: out.code, Data: out.data, Text: out.text})
	if !out.silent {
		p := result(out.tag, out.code, out.text)
		for _, x := range out.extra {
			p.AppendChild(x)
		}
		if !s.write(message(r.id, p, out.controls...)) {
			return false
		}
	}
	if out.op == "starttls" && out.code == codeSuccess {
		return s.handshake()
	}
	return !out.end
}

func (s *session) dispatch(r request) outcome {
	if out, refused := s.unknownCritical(r); refused {
		return out
	}
	switch r.op.Tag {
	case opBind:
		return s.bind(r)
	case opUnbind:
		return outcome{op: "unbind", silent: true, end: true}
	case opAbandon: // requests are answered in turn: whatever it names is done already
		return outcome{op: "abandon", silent: true}
	case opSearch:
		return s.search(r)
	case opCompare:
		return s.compare(r)
	case opAdd, opModify, opDelete, opModifyDN:
		return s.change(r)
	case opExtended:
		return s.extended(r)
	}
	// An operation that RFC 4511 doesn't have: there is no response type to answer it in.
	return outcome{op: "unknown", tag: opExtendedResponse, end: false}.with(codeProtocolError, "unknown operation")
}

// responseTag is the response type of a request type, for answers that come before the operation is looked at.
func responseTag(op ber.Tag) ber.Tag {
	if op == opSearch {
		return opSearchDone
	}
	return op + 1
}

// unknownCritical refuses a request that insists on a control this server doesn't have (RFC 4511 section 4.1.11).
func (s *session) unknownCritical(r request) (outcome, bool) {
	if r.op.Tag == opUnbind || r.op.Tag == opAbandon {
		return outcome{}, false
	}
	for _, c := range r.controls {
		if c.critical && !supported(c.oid) {
			out := outcome{tag: responseTag(r.op.Tag), op: "control", target: c.oid}
			return out.with(codeCriticalExtension, "00002040: LdapErr: DSID-0C090DBF, comment: Error processing control, data 0, v1db1"), true
		}
	}
	return outcome{}, false
}

func (s *session) extended(r request) outcome {
	out := outcome{tag: opExtendedResponse, op: "extended"}
	if len(r.op.Children) == 0 {
		return out.with(codeProtocolError, "malformed extended request")
	}
	out.target = contents(r.op.Children[0])
	switch out.target {
	case oidWhoAmI:
		return s.whoAmI()
	case oidStartTLS:
		return s.startTLS()
	}
	return out.with(codeProtocolError, "0000203D: LdapErr: DSID-0C090E15, comment: Unknown extended request OID, data 0, v1db1")
}

func (s *session) startTLS() outcome {
	out := outcome{tag: opExtendedResponse, op: "starttls"}
	out.extra = append(out.extra, ber.NewString(ber.ClassContext, ber.TypePrimitive, 10, oidStartTLS, ""))
	switch {
	case s.encrypted:
		return out.with(codeOperationsError, "TLS is on already")
	case s.srv.opts.TLS == nil:
		return out.with(codeUnavailable, "00000000: LdapErr: DSID-0C0910FD, comment: Error initializing SSL/TLS, data 0, v1db1")
	case s.r.Buffered() > 0:
		// Clear octets behind the request would be read as if they had come through TLS: command injection.
		out.end = true
		return out.with(codeProtocolError, "octets follow the StartTLS request")
	}
	return out
}

// handshake puts TLS under the connection. An identity from before it isn't kept.
func (s *session) handshake() bool {
	ctx, cancel := context.WithTimeout(s.srv.ctx, handshakeTimeout)
	defer cancel()
	secure := tls.Server(s.conn, s.srv.opts.TLS)
	if err := secure.HandshakeContext(ctx); err != nil {
		s.srv.log(Event{Conn: s.id, Op: "handshake", Result: codeUnavailable, Text: err.Error()})
		return false
	}
	s.conn, s.r, s.encrypted, s.who = secure, bufio.NewReader(secure), true, identity{}
	return true
}

// disconnect is the notice of disconnection, RFC 4511 section 4.4.1.
func (s *session) disconnect(cause error) {
	s.srv.log(Event{Conn: s.id, Op: "disconnect", Name: s.who.name, Result: codeProtocolError, Text: cause.Error()})
	p := result(opExtendedResponse, codeProtocolError, cause.Error())
	p.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 10, oidDisconnected, ""))
	s.write(message(0, p))
}

func (s *session) write(b []byte) bool {
	_ = s.conn.SetWriteDeadline(time.Now().Add(writeTimeout)) //nolint:forbidigo // a deadline of a connection is real time
	_, err := s.conn.Write(b)
	return err == nil
}
