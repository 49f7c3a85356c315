package onprem

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

const oidStartTLS = "1.3.6.1.4.1.1466.20037"

// link is one connection to one server. One request at a time goes over it.
type link struct {
	conn   *ldap.Conn
	frames *frameConn
	server string
	idle   time.Time // since when it has been unused
	reused bool
}

func (l *link) close() {
	_ = l.frames.SetDeadline(time.Now()) // a peer that doesn't read must not hold up the goodbye
	_ = l.conn.Close()
}

// during lets one operation run: neither longer than timeout nor longer than ctx. The returned function ends the watch and
// says whether the operation ran out of time.
func (l *link) during(ctx context.Context, timeout time.Duration) func() bool {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	deadline, _ := ctx.Deadline()
	_ = l.frames.SetDeadline(deadline)
	l.conn.SetTimeout(time.Until(deadline) + time.Second) // go-ldap's own; the socket's deadline comes first
	stop := context.AfterFunc(ctx, func() { _ = l.frames.Close() })
	return func() bool {
		stop()
		late := ctx.Err() != nil || !time.Now().Before(deadline)
		cancel()
		_ = l.frames.SetDeadline(time.Time{})
		return late
	}
}

// streaming is during for an answer in many messages: none may take longer than timeout, and each is followed by renew.
func (l *link) streaming(ctx context.Context, timeout time.Duration) (renew func(), done func() bool) {
	var end time.Time
	renew = func() {
		end = time.Now().Add(timeout)
		_ = l.frames.SetDeadline(end)
	}
	renew()
	l.conn.SetTimeout(0) // go-ldap's own would bound the whole answer
	stop := context.AfterFunc(ctx, func() { _ = l.frames.Close() })
	return renew, func() bool {
		stop()
		late := ctx.Err() != nil || !time.Now().Before(end)
		_ = l.frames.SetDeadline(time.Time{})
		return late
	}
}

// failure is a step towards a usable connection that failed; step is what was tried, in an operator's words.
type failure struct {
	step, server string
	err          error
}

func (f *failure) Error() string { return fmt.Sprintf("%s %s: %v", f.step, f.server, f.err) }
func (f *failure) Unwrap() error { return f.err }

// The steps. A failure in one of them means that nobody could look.
const (
	stepReach   = "connecting to"
	stepTLS     = "agreeing on TLS with"
	stepService = "binding the service account at"
)

// connect opens a connection to the first server that can be reached, with TLS on it.
func (d *Directory) connect(ctx context.Context) (*link, error) {
	return d.connectTo(ctx, d.servers)
}

func (d *Directory) connectTo(ctx context.Context, servers []server) (*link, error) {
	var errs []error
	for _, s := range servers {
		// Each server gets its share, so that a dead first one leaves time for the second.
		share, cancel := context.WithTimeout(ctx, d.cfg.Timeout/time.Duration(len(servers)))
		l, err := s.open(share)
		cancel()
		if err == nil {
			return l, nil
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(errs...)
}

// connectService is connect and a bind as the service account.
func (d *Directory) connectService(ctx context.Context) (*link, error) {
	if d.cfg.BindDN == "" || d.cfg.BindPassword.Empty() {
		return nil, errors.New("this needs a service account: set the bind DN and its password")
	}
	l, err := d.connectTo(ctx, d.homeFirst())
	if err != nil {
		return nil, err
	}
	done := l.during(ctx, d.cfg.Timeout)
	err = l.bind(d.cfg.BindDN, d.cfg.BindPassword)
	if done() && err != nil {
		err = fmt.Errorf("no answer in time: %w", err)
	}
	if err != nil {
		l.close()
		return nil, &failure{stepService, l.server, err}
	}
	return l, nil
}

func (s server) open(ctx context.Context) (*link, error) {
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.addr)
	if err != nil {
		return nil, &failure{stepReach, s.name, err}
	}
	secure, err := s.secure(ctx, raw)
	if err != nil {
		_ = raw.Close()
		return nil, &failure{stepTLS, s.name, err}
	}
	frames := &frameConn{Conn: secure}
	l := &link{conn: ldap.NewConn(frames, s.mode != Plain), frames: frames, server: s.name}
	l.conn.Start()
	return l, nil
}

// secure puts TLS on the connection as the mode says. It does StartTLS itself: go-ldap's waits without a limit, and would
// hide the clear octets from frameConn.
func (s server) secure(ctx context.Context, raw net.Conn) (net.Conn, error) {
	if s.mode == Plain {
		return raw, nil
	}
	if s.mode == StartTLS {
		stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Now()) })
		err := askStartTLS(raw)
		stop()
		if err != nil {
			return nil, errors.Join(err, ctx.Err())
		}
	}
	conn := tls.Client(raw, s.tls)
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return conn, nil
}

// askStartTLS sends the extended request of RFC 4511 section 4.14 and waits for the consent.
func askStartTLS(conn net.Conn) error {
	request := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationExtendedRequest, nil, "")
	request.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, oidStartTLS, ""))
	packet := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	packet.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 1, ""))
	packet.AppendChild(request)
	if _, err := conn.Write(packet.Bytes()); err != nil {
		return err
	}
	frame, err := readFrame(conn)
	if err != nil {
		return fmt.Errorf("no answer to StartTLS: %w", err)
	}
	answer, err := ber.DecodePacketErr(frame)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoLDAP, err)
	}
	if err := ldap.GetLDAPError(answer); err != nil {
		return fmt.Errorf("the server refused StartTLS: %w", err)
	}
	if id, op, ok := peek(frame); !ok || id != 1 || op != 0x78 { // [APPLICATION 24]: an ExtendedResponse
		return fmt.Errorf("%w: its answer to StartTLS is none", errNoLDAP)
	}
	return nil
}
