package web

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fourways-id/fourways/authn"
)

// longestAgent bounds what is kept of a User-Agent header, in bytes.
const longestAgent = 256

// place is where a request came from, as the sign-in log remembers it.
func (d *door) place(r *http.Request) authn.Place {
	agent := strings.Map(printable, r.UserAgent())
	if len(agent) > longestAgent {
		agent = strings.ToValidUTF8(agent[:longestAgent], "")
	}
	return authn.Place{Addr: d.clientAddr(r), UserAgent: agent}
}

// printable puts a ? for what could steer the terminal of whoever reads the log: control characters, marks of direction, and
// octets that are no UTF-8.
func printable(r rune) rune {
	if r == utf8.RuneError || !unicode.IsPrint(r) {
		return '?'
	}
	return r
}

// clientAddr is the right-most address that no trusted proxy vouches for. Everything to the left of it was written by
// the client itself and is not believed, or a forged X-Forwarded-For would dodge every limit.
func (d *door) clientAddr(r *http.Request) netip.Addr {
	peer := parseHop(r.RemoteAddr)
	if !d.trusted(peer) {
		return peer
	}
	client := peer
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		addr := parseHop(strings.TrimSpace(hop))
		if !addr.IsValid() {
			break // what is left of it can't be vouched for
		}
		client = addr
		if !d.trusted(addr) {
			break
		}
	}
	return client
}

func (d *door) trusted(a netip.Addr) bool {
	return a.IsValid() && slices.ContainsFunc(d.Site.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// parseHop reads an address with or without a port.
func parseHop(s string) netip.Addr {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}
