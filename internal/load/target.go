package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// ErrNotLoopback says that an address lies outside this machine, so nothing was sent to it.
var ErrNotLoopback = errors.New("not an address of this machine's loopback")

// Resolver finds the addresses of a name; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Target is a sign-in endpoint on this machine.
type Target struct {
	origin string
	names  Resolver
}

// NewTarget judges an origin: every address of its host must be loopback. The error wraps ErrNotLoopback when one is not.
// names nil means net.DefaultResolver.
func NewTarget(ctx context.Context, origin string, names Resolver) (Target, error) {
	if names == nil {
		names = net.DefaultResolver
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return Target{}, fmt.Errorf("%q is no http or https origin", origin)
	}
	t := Target{origin: u.Scheme + "://" + u.Host, names: names}
	_, err = t.resolve(ctx, u.Hostname())
	return t, err
}

// resolve gives the addresses of a host if all of them are loopback.
func (t Target) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	found, err := t.names.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("find the target's address: %w", err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("find the target's address: %s has none", host)
	}
	for _, ip := range found {
		if !ip.Unmap().IsLoopback() {
			return nil, fmt.Errorf("%s is %s: %w", host, ip, ErrNotLoopback)
		}
	}
	return found, nil
}

// client makes the client that all sign-ins share. It has no proxy, and every connection it opens is judged anew.
func (t Target) client(inFlight int, patience time.Duration) *http.Client {
	return &http.Client{Timeout: patience, Transport: &http.Transport{
		DialContext: t.dial, MaxIdleConns: 2 * inFlight, MaxIdleConnsPerHost: inFlight, IdleConnTimeout: time.Minute,
	}}
}

func (t Target) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	found, err := t.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Control: onlyLoopback}
	var failed error
	for _, ip := range found {
		c, err := d.DialContext(ctx, network, net.JoinHostPort(ip.String(), port))
		if err == nil {
			return c, nil
		}
		failed = err
	}
	return nil, failed
}

// onlyLoopback is asked with the very address that a socket is about to be connected to.
func onlyLoopback(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !to.Addr().Unmap().IsLoopback() {
		return fmt.Errorf("%s: %w", address, ErrNotLoopback)
	}
	return nil
}
