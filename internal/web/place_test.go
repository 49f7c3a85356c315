package web

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestClientAddressIsTheLastHopNobodyTrustedVouchesFor(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, tt := range []struct {
		name, peer string
		forwarded  []string
		trusted    []netip.Prefix
		want       string
	}{
		{"no proxy", "198.51.100.7:4000", nil, proxies, "198.51.100.7"},
		{"forged by a stranger", "198.51.100.7:4000", []string{"203.0.113.9"}, proxies, "198.51.100.7"},
		{"nobody is trusted", "10.0.0.1:4000", []string{"203.0.113.9"}, nil, "10.0.0.1"},
		{"one proxy", "10.0.0.1:4000", []string{"203.0.113.9"}, proxies, "203.0.113.9"},
		{"forged in front of a proxy", "10.0.0.1:4000", []string{"1.2.3.4, 203.0.113.9"}, proxies, "203.0.113.9"},
		{"two proxies", "10.0.0.1:4000", []string{"1.2.3.4, 203.0.113.9, 10.0.0.2"}, proxies, "203.0.113.9"},
		{"several headers", "10.0.0.1:4000", []string{"1.2.3.4", "203.0.113.9", "10.0.0.2"}, proxies, "203.0.113.9"},
		{"forged as a proxy", "10.0.0.1:4000", []string{"10.9.9.9, 203.0.113.9"}, proxies, "203.0.113.9"},
		{"nonsense ends the walk", "10.0.0.1:4000", []string{"203.0.113.9, unknown"}, proxies, "10.0.0.1"},
		{"proxies only", "10.0.0.1:4000", []string{"10.0.0.3, 10.0.0.2"}, proxies, "10.0.0.3"},
		{"no header", "10.0.0.1:4000", nil, proxies, "10.0.0.1"},
		{"port and brackets", "[fd00::1]:4000", []string{"[2001:db8::5]:999"}, proxies, "2001:db8::5"},
		{"mapped IPv4", "[::ffff:10.0.0.1]:4000", []string{"::ffff:203.0.113.9"}, proxies, "203.0.113.9"},
		{"zone is dropped", "[fe80::1%eth0]:4000", nil, proxies, "fe80::1"},
	} {
		d := &door{Options: Options{Site: Site{TrustedProxies: tt.trusted}}}
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = tt.peer
		for _, v := range tt.forwarded {
			r.Header.Add("X-Forwarded-For", v)
		}
		if got := d.clientAddr(r).String(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestUserAgentSteersNoTerminal(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/signin", nil)
	r.Header.Set("User-Agent", "a\u009b31mb\u202ec\xffd é")
	if got := (&door{}).place(r).UserAgent; got != "a?31mb?c?d é" {
		t.Errorf("%q", got)
	}
}

func TestUserAgentIsBounded(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("User-Agent", strings.Repeat("é", 500))
	if got := (&door{}).place(r).UserAgent; len(got) > longestAgent || !strings.HasPrefix(got, "éé") {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}

func TestAddressLimitCountsAnIPv6NetworkAsOne(t *testing.T) {
	l := newAddressLimit(0.000001, 2, 2)
	allow := func(s string) bool { return l.allow(netip.MustParseAddr(s)) }
	if !allow("2001:db8::1") || !allow("2001:db8::2") || allow("2001:db8::3") {
		t.Error("three of one /64 against a burst of two")
	}
	first, second, third := allow("192.0.2.1"), allow("192.0.2.1"), allow("192.0.2.1")
	if !first || !second || third {
		t.Error("three of one IPv4 address")
	}
	if l.recent.Len() != 2 || len(l.buckets) != 2 {
		t.Fatalf("%d remembered", l.recent.Len())
	}
	if !allow("192.0.2.2") { // pushes the network out, which was silent longest
		t.Error("a third address")
	}
	if l.recent.Len() != 2 || len(l.buckets) != 2 || allow("192.0.2.1") || !allow("2001:db8::1") {
		t.Error("the wrong one was forgotten")
	}
}
