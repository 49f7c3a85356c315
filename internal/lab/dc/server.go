package dc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// maxConns is how many connections are served at once; one more is closed at once, as a domain controller does.
const maxConns = 1024

// Account is a name and a password of one of the two accounts that every lab domain has. Name is a user name such as
// svc-sync; a full sign-in name is cut down to it.
type Account struct{ Name, Password string }

// Clock is the time by which locks, expiry and logon hours are judged.
type Clock interface{ Now() time.Time }

// Options say what domain to serve and how. Domain, NetBIOS, Admin and Clock are required.
type Options struct {
	Listen     string      // "127.0.0.1:0" when empty
	Domain     string      // DNS name, corp.example.test; the base DN follows from it
	NetBIOS    string      // CORP
	Host       string      // name of this controller, as userWorkstations would list it; "DC1" when empty
	TLS        *tls.Config // certificate for StartTLS; nil: none, then AllowPlain is needed for any bind
	File       string      // where the domain is kept between two starts; "": in memory only
	AllowPlain bool        // binds without TLS; passwords can't be set and hashes not read there all the same
	Admin      Account     // may change everything; can't be locked out
	SyncReader Account     // may read AttrNTHash over TLS; no name: nobody may
	Clock      Clock
	Log        func(Event) // called for each request, from several goroutines; nil: nobody listens

	// Intercept decides what becomes of each request before it is looked at: the lab breaks the directory with it. It is called
	// from several goroutines; nil: requests are answered.
	Intercept func(Op) Fate

	// Policy of a new domain; later the administrator changes it on the domain entry (maxPwdAge, lockoutThreshold...).
	LockoutThreshold int           // wrong passwords that lock; 0: 10, negative: never
	LockoutDuration  time.Duration // how long; 0: 30 minutes, negative: until an administrator unlocks
	MaxPwdAge        time.Duration // 0: 42 days, negative: passwords don't expire
}

// Event is one line of the operations log. It never holds a password or a hash.
type Event struct {
	Time   time.Time // by the Options' clock
	Conn   uint64    // counts connections from 1
	Op     string    // bind, search, compare, add, modify, delete, rename, starttls, handshake, whoami, unbind, disconnect...
	Name   string    // who: as typed in a bind, else the DN the connection is bound as; "" for a stranger
	Target string    // the entry or the base that was worked on
	Result int       // LDAP result code
	Data   string    // Active Directory's sub-code of a refused bind: "52e"
	Text   string    // the diagnostic message that was sent
}

// Server is a running domain controller.
type Server struct {
	opts     Options
	dom      *domain
	listener net.Listener
	ctx      context.Context //nolint:containedctx // the life of the server, for handshakes
	stop     context.CancelFunc
	admin    string // entry keys of the two built-in accounts
	reader   string

	work    sync.WaitGroup
	lock    sync.Mutex // guards listener, conns and closed
	conns   map[net.Conn]struct{}
	closed  bool
	counter atomic.Uint64

	saving  sync.Mutex // guards saved, journal and written: one write at a time
	saved   uint64
	journal journal
	written whole // what Options.File holds, without the journal
}

// Start loads or makes the domain and begins to listen. The server ends with Close or with ctx.
func Start(ctx context.Context, o Options) (*Server, error) {
	s, err := prepare(o)
	if err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	s.listener, err = lc.Listen(ctx, "tcp", s.opts.Listen)
	if err != nil {
		return nil, fmt.Errorf("the domain controller can't listen: %w", err)
	}
	s.ctx, s.stop = context.WithCancel(ctx)
	s.work.Go(func() { s.accept(s.listener) })
	s.work.Go(func() {
		<-s.ctx.Done()
		s.hangUp()
	})
	return s, nil
}

// prepare is everything of Start that needs no socket.
func prepare(o Options) (*Server, error) {
	base, err := baseOf(o.Domain)
	if err != nil {
		return nil, err
	}
	if o.NetBIOS == "" || o.Clock == nil || o.Admin.Name == "" || o.Admin.Password == "" {
		return nil, errors.New("the domain controller needs a NetBIOS name, a clock and an administrator with a password")
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Host == "" {
		o.Host = "DC1"
	}
	s := &Server{opts: o, conns: map[net.Conn]struct{}{}}
	s.dom = (&domain{base: base, dns: strings.ToLower(o.Domain), netbios: o.NetBIOS, host: o.Host, now: o.Clock.Now}).empty()
	found := false
	if o.File != "" {
		if found, err = s.load(); err != nil {
			return nil, err
		}
		if s.journal, err = openJournal(o.File); err != nil {
			return nil, fmt.Errorf("open the journal of the domain controller: %w", err)
		}
	}
	s.dom.touched = nil // what was read is on the disk
	if !found {
		s.dom.ready()
		if err := s.dom.create(o); err != nil {
			return nil, err
		}
	}
	if s.admin, err = s.dom.builtin(o.Admin, true); err != nil {
		return nil, err
	}
	if o.SyncReader.Name != "" {
		if s.reader, err = s.dom.builtin(o.SyncReader, false); err != nil {
			return nil, err
		}
	}
	s.dom.sweep()
	if o.File != "" && !found {
		return s, s.checkpoint()
	}
	return s, s.save()
}

// roles says what an account may do here.
func (s *Server) roles(who identity) identity {
	name, err := parseDN(who.name)
	if err == nil {
		who.admin, who.reader = name.key() == s.admin, s.reader != "" && name.key() == s.reader
	}
	return who
}

// Addr is the address it listens on, host:port; the same after an outage.
func (s *Server) Addr() string {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.listener.Addr().String()
}

// BaseDN is the name of the domain's top entry.
func (s *Server) BaseDN() string { return s.dom.base.String() }

// AdminDN is the administrator's distinguished name.
func (s *Server) AdminDN() string { return s.nameOf(s.admin) }

// SyncReaderDN is the distinguished name of the account that may read hashes; "" when there is none.
func (s *Server) SyncReaderDN() string { return s.nameOf(s.reader) }

func (s *Server) nameOf(key string) string {
	s.dom.mu.RLock()
	defer s.dom.mu.RUnlock()
	if e := s.dom.entries[key]; e != nil {
		return e.name.String()
	}
	return ""
}

// Empty reports that the domain has only what it was made with: nobody has been added yet.
func (s *Server) Empty() bool {
	s.dom.mu.RLock()
	defer s.dom.mu.RUnlock()
	for key, e := range s.dom.entries {
		if !e.grave && key != s.admin && key != s.reader && e.first("isCriticalSystemObject") != "TRUE" && e.is("user") {
			return false
		}
	}
	return true
}

func (s *Server) log(e Event) {
	if s.opts.Log != nil {
		e.Time = s.opts.Clock.Now()
		s.opts.Log(e)
	}
}

// accept serves connections until the listener closes.
func (s *Server) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			if s.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			s.log(Event{Op: "accept", Result: codeUnavailable, Text: err.Error()})
			select { // out of descriptors: let some come back
			case <-s.ctx.Done():
				return
			case <-time.After(50 * time.Millisecond):
			}
			continue
		}
		if !s.admit(conn) {
			_ = conn.Close()
			continue
		}
		id := s.counter.Add(1)
		s.work.Go(func() {
			sess := &session{srv: s, id: id, conn: conn}
			sess.run()
			s.lock.Lock()
			delete(s.conns, conn)
			s.lock.Unlock()
			_ = sess.conn.Close()
		})
	}
}

func (s *Server) admit(conn net.Conn) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.closed || len(s.conns) >= maxConns {
		return false
	}
	s.conns[conn] = struct{}{}
	return true
}

// hangUp ends the listener and every connection.
func (s *Server) hangUp() {
	s.lock.Lock()
	defer s.lock.Unlock()
	_ = s.listener.Close()
	s.closed = true
	for conn := range s.conns {
		_ = conn.Close()
	}
}

// Close stops listening, hangs up, waits for everything that runs, and writes the state down a last time.
func (s *Server) Close() error {
	s.stop()
	s.work.Wait()
	if s.opts.File == "" {
		return nil
	}
	err := s.save()
	s.saving.Lock()
	defer s.saving.Unlock()
	if err == nil && s.journal.size > 0 {
		err = s.checkpoint()
	}
	return errors.Join(err, s.journal.close())
}
