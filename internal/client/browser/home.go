package browser

import (
	"net"
	"net/netip"
)

// atHome reports a host whose every address is one of this machine's own: what is sent there goes over no network. An
// exposed lab is tried so by whoever runs it.
func atHome(host string) bool {
	addresses, err := net.LookupIP(host)
	if err != nil || len(addresses) == 0 {
		return false
	}
	here, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	own := map[netip.Addr]bool{}
	for _, a := range here {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			own[p.Addr().Unmap()] = true
		}
	}
	for _, a := range addresses {
		ip, ok := netip.AddrFromSlice(a)
		if !ok || !ip.Unmap().IsLoopback() && !own[ip.Unmap()] {
			return false
		}
	}
	return true
}
