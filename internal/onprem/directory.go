package onprem

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// How the connection is protected. Plain is for a directory on the same machine: passwords cross the wire in clear.
const (
	StartTLS = "starttls"
	LDAPS    = "ldaps"
	Plain    = "plain"
)

// The kinds of directory.
const (
	AD   = "ad"
	LDAP = "ldap"
)

// defaultTimeout bounds one operation; the caller's context may end it earlier.
const defaultTimeout = 10 * time.Second

// Config says which directory, and how to reach and read it.
type Config struct {
	URLs       []string       // ldap:// or ldaps://, tried in order
	TLS        string         // StartTLS (also when empty, for ldap://), LDAPS or Plain
	RootCAs    *x509.CertPool // nil: the system's
	ServerName string         // name in the certificate; "": the URL's host
	Timeout    time.Duration  // of one operation, connecting included; 0: 10 s

	BindDN       string       // service account, by DN or user principal name; "": no searching, binding only
	BindPassword authn.Secret // its password
	BaseDN       string       // where searches begin

	UserFilter      string // finds a person: %s is the whole user name, %u the part before the @, both escaped; "" binds by UPN (AD only)
	UPNAttribute    string // holds the user principal name; "": userPrincipalName (AD), mail (LDAP)
	Kind            string // AD (also when empty) or LDAP
	AnchorAttribute string // names a person for ever; "": objectGUID (AD), entryUUID (LDAP)

	Changes string   // how to learn what changed: DirSync or USN (AD), Syncrepl or CSN (LDAP); "": the best that server and account give
	Watch   []string // DirSync: attributes whose change is worth telling, beside name and place; nil: all
}

// Directory is a client of one directory. It is safe for concurrent use.
type Directory struct {
	cfg      Config
	servers  []server
	people   *pool                  // connections for binds of people
	services *pool                  // connections bound as the service account
	base     atomic.Pointer[string] // where the directory begins, once it was asked
	home     atomic.Pointer[string] // the server that last said where it stands or what changed
}

// server is one parsed URL.
type server struct {
	addr string // host:port
	name string // as an operator knows it
	tls  *tls.Config
	mode string
}

// New checks the configuration and returns a client. It opens no connection.
func New(cfg Config) (*Directory, error) {
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Kind == "" {
		cfg.Kind = AD
	}
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	d := &Directory{cfg: cfg}
	for _, u := range cfg.URLs {
		s, err := parseServer(cfg, u)
		if err != nil {
			return nil, err
		}
		d.servers = append(d.servers, s)
	}
	d.people = newPool(d.connect)
	d.services = newPool(d.connectService)
	return d, nil
}

// complete fills the defaults of a kind and refuses what can't work, all complaints at once.
func (c *Config) complete() error {
	var errs []error
	switch c.Kind {
	case AD:
		c.UPNAttribute, c.AnchorAttribute = or(c.UPNAttribute, "userPrincipalName"), or(c.AnchorAttribute, "objectGUID")
		if c.UserFilter == "" && !strings.EqualFold(c.UPNAttribute, "userPrincipalName") {
			c.UserFilter = "(" + c.UPNAttribute + "=%s)" // an alternate login id is no name to bind with
		}
	case LDAP:
		c.UPNAttribute, c.AnchorAttribute = or(c.UPNAttribute, "mail"), or(c.AnchorAttribute, "entryUUID")
		c.UserFilter = or(c.UserFilter, "("+c.UPNAttribute+"=%s)")
	default:
		errs = append(errs, fmt.Errorf("directory kind %q is unknown: use %q or %q", c.Kind, AD, LDAP))
	}
	if ways := changesOf(c.Kind); c.Changes != "" && ways != nil && !slices.Contains(ways, c.Changes) {
		errs = append(errs, fmt.Errorf("a directory of kind %q doesn't tell its changes by %q: use %q, or nothing for the best it has", c.Kind, c.Changes, ways))
	}
	if len(c.URLs) == 0 {
		errs = append(errs, errors.New("no directory URL is given: name at least one, such as ldap://dc1.corp.example.com"))
	}
	if c.UserFilter != "" {
		if !strings.Contains(c.UserFilter, "%s") && !strings.Contains(c.UserFilter, "%u") {
			errs = append(errs, fmt.Errorf("user filter %q has no %%s or %%u: it would find the same person for everybody", c.UserFilter))
		}
		if c.BindDN == "" || c.BindPassword.Empty() || c.BaseDN == "" {
			errs = append(errs, errors.New("finding people by a filter needs a service account (bind DN and password) and a base DN"))
		}
	}
	return errors.Join(errs...)
}

func or(s, standard string) string {
	if s == "" {
		return standard
	}
	return s
}

func parseServer(cfg Config, raw string) (server, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.Scheme != "ldap" && u.Scheme != "ldaps" {
		return server{}, fmt.Errorf("directory URL %q must look like ldap://host[:port] or ldaps://host[:port]", raw)
	}
	s := server{name: u.Scheme + "://" + u.Host, mode: cfg.TLS}
	switch {
	case u.Scheme == "ldaps" && (s.mode == "" || s.mode == LDAPS):
		s.mode = LDAPS
	case u.Scheme == "ldap" && s.mode == "":
		s.mode = StartTLS
	case u.Scheme == "ldap" && (s.mode == StartTLS || s.mode == Plain):
	default:
		return server{}, fmt.Errorf("directory URL %q doesn't go with TLS setting %q: ldap:// takes %q or %q, ldaps:// takes %q",
			raw, cfg.TLS, StartTLS, Plain, LDAPS)
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"ldap": "389", "ldaps": "636"}[u.Scheme]
	}
	s.addr = net.JoinHostPort(u.Hostname(), port)
	s.tls = &tls.Config{RootCAs: cfg.RootCAs, ServerName: or(cfg.ServerName, u.Hostname()), MinVersion: tls.VersionTLS12}
	return s, nil
}

// Anchor is what names the person of an entry for ever: the raw octets of the anchor attribute; nil when it has none.
func (d *Directory) Anchor(e Entry) []byte {
	if vals := e.Get(d.cfg.AnchorAttribute); len(vals) > 0 {
		return vals[0]
	}
	return nil
}

// Close hangs up the connections kept for later. Operations that run keep theirs; the Directory stays usable.
func (d *Directory) Close() {
	d.people.drain()
	d.services.drain()
}
