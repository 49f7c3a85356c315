// Package harbour is "Harbour ID", the lab's external identity provider: another company on another origin, with a look of
// its own.
//
// In come SAML authentication requests and OpenID Connect authorization requests of the service that it is set up for, and
// the password that a person types into its own form. It checks the password by a bind at the directory, as AD FS does,
// and out go a signed assertion or a code, and an Event for its own log. Each domain has a SAML issuer and an OpenID
// Connect issuer with a key of its own, and an issuer speaks for the people of its own domain only.
//
// A workshop may have it break: Options.Tamper says what goes wrong with a message, where the message is made.
//
// It never keeps a session: every request asks for the password, so ForceAuthn and prompt=login always hold. It never
// fetches anything, never keeps a password, and is for the lab only: its OpenID Connect provider is not certified.
package harbour

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Issuer is one domain whose people Harbour ID signs in, and the service that may ask for them.
type Issuer struct {
	Domain string
	SAML   SP
	OIDC   Client
}

// SP is the SAML service provider of an issuer. The zero value: none.
type SP struct {
	EntityID    string
	ACSURL      string
	Certificate []byte // DER or PEM; when given, every request must be signed by its key
}

// Client is the OpenID Connect client of an issuer. The zero value: none.
type Client struct {
	ID          string
	Secret      string // "": a public client
	RedirectURI string
}

// Verdict is what the directory says of a password: None lets the person in, a reason whose verdict is Unavailable says
// that the directory could not be asked.
type Verdict struct {
	Reason authn.Reason
	Cause  error // private
}

// Directory checks passwords.
type Directory interface {
	Bind(ctx context.Context, upn string, password authn.Secret) Verdict
}

// Person is what Harbour ID says about somebody.
type Person struct {
	UPN         string
	DisplayName string
	Anchor      string // base64 of the objectGUID's octets
}

// People finds persons in the directory.
type People interface {
	Person(ctx context.Context, upn string) (Person, error)
}

// Options of Start. Directory and People must be set.
type Options struct {
	Listen    string // "" is 127.0.0.1:0
	Host      string // by which browsers reach it; "": the address that it listens on
	Issuers   []Issuer
	Directory Directory
	People    People
	KeyDir    string       // keys stay here, so that a second start is the same identity provider
	Log       func(Event)  // nil: the ring that Events reads, only
	ErrorLog  *slog.Logger // nil: nothing is logged
	Clock     authn.Clock  // nil: real time; the protocols' own time is real in any case
	Tamper    Tamper       // nil: nothing is tampered with
}

// Server is a running Harbour ID.
type Server struct {
	url     string
	serving serving
	idps    map[string]*idp
	logins  *logins
	pages   *pages
	events  ring
	options Options
}

// idp is one domain's issuers.
type idp struct {
	Issuer
	saml *samlIssuer
	oidc *oidcIssuer
}

// The bounds of a connection.
const (
	readWithin  = 10 * time.Second
	writeWithin = 30 * time.Second
	idleWithin  = time.Minute
	mostHeader  = 32 << 10 // bytes; an authentication request travels in the request line
	mostBody    = 128 << 10
	stopWithin  = 5 * time.Second
)

type realClock struct{}

func (realClock) Now() time.Time { return time.Now() } //nolint:forbidigo // protocol time stays real

// Start listens and serves until Close or the end of ctx.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Clock == nil {
		o.Clock = realClock{}
	}
	if o.ErrorLog == nil {
		o.ErrorLog = slog.New(slog.DiscardHandler)
	}
	if o.Directory == nil || o.People == nil {
		return nil, errors.New("harbour: it needs a directory to check passwords at and to find people in")
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("harbour: %w", err)
	}
	s, err := assemble(reachedAt(o.Host, listener.Addr()), o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("harbour: %w", err), listener.Close())
	}
	s.serving.at = listener.Addr().String()
	s.serve(listener)
	context.AfterFunc(ctx, func() { _ = s.Close() })
	return s, nil
}

func reachedAt(host string, at net.Addr) string {
	_, port, err := net.SplitHostPort(at.String())
	if host == "" || err != nil {
		return "http://" + at.String()
	}
	return "http://" + net.JoinHostPort(host, port)
}

func assemble(url string, o Options) (*Server, error) {
	pages, err := loadPages()
	if err != nil {
		return nil, err
	}
	s := &Server{
		url: url, options: o, pages: pages, idps: map[string]*idp{},
		logins: &logins{clock: o.Clock, open: map[string]*login{}},
	}
	for _, is := range o.Issuers {
		if s.idps[is.Domain] != nil {
			return nil, fmt.Errorf("domain %q has two issuers", is.Domain)
		}
		i := &idp{Issuer: is}
		if i.saml, err = s.newSAML(is); err != nil {
			return nil, fmt.Errorf("SAML issuer of %s: %w", is.Domain, err)
		}
		if i.oidc, err = s.newOIDC(is); err != nil {
			return nil, fmt.Errorf("OpenID Connect issuer of %s: %w", is.Domain, err)
		}
		s.idps[is.Domain] = i
	}
	return s, nil
}

// URL is the origin, without a slash at the end.
func (s *Server) URL() string { return s.url }

// SAMLIssuer is the entity id of the domain's SAML issuer.
func (s *Server) SAMLIssuer(domain string) string { return s.url + "/saml/" + domain + "/metadata" }

// OIDCIssuer is the domain's OpenID Connect issuer.
func (s *Server) OIDCIssuer(domain string) string { return s.url + "/oidc/" + domain }

// SAMLMetadata is the metadata document of the domain's SAML issuer; nil for a domain that is not served.
func (s *Server) SAMLMetadata(domain string) []byte {
	i := s.idps[domain]
	if i == nil {
		return nil
	}
	return i.saml.metadata()
}
