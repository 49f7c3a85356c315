package web

import (
	"container/list"
	"net/http"
	"net/netip"
	"sync"

	"golang.org/x/time/rate"

	"github.com/fourways-id/fourways/authn"
)

// maxAddresses bounds how many addresses are remembered: about 200 bytes each.
const maxAddresses = 16384

// addressLimit is a token bucket per address; the address that was silent longest is forgotten first. It runs on real
// time: it protects this process, it is no policy.
type addressLimit struct {
	perSecond rate.Limit
	burst     int
	most      int

	mu      sync.Mutex
	buckets map[netip.Prefix]*list.Element
	recent  *list.List // of *bucket, the latest first
}

type bucket struct {
	key netip.Prefix
	*rate.Limiter
}

func newAddressLimit(perSecond float64, burst, most int) *addressLimit {
	return &addressLimit{
		perSecond: rate.Limit(perSecond), burst: burst, most: most,
		buckets: make(map[netip.Prefix]*list.Element), recent: list.New(),
	}
}

func (l *addressLimit) allow(a netip.Addr) bool { return l.bucket(limitKey(a)).Allow() }

func (l *addressLimit) bucket(key netip.Prefix) *bucket {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.buckets[key]; ok {
		l.recent.MoveToFront(e)
		return e.Value.(*bucket)
	}
	if l.recent.Len() >= l.most {
		oldest := l.recent.Back()
		delete(l.buckets, l.recent.Remove(oldest).(*bucket).key)
	}
	b := &bucket{key: key, Limiter: rate.NewLimiter(l.perSecond, l.burst)}
	l.buckets[key] = l.recent.PushFront(b)
	return b
}

// limitKey counts an IPv6 network as one: whoever has one address of a /64 has them all.
func limitKey(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // the zero Addr gives the zero Prefix: strangers without an address share one bucket
	return p
}

// limited turns away an address that asks too often, before anything of its request is read.
func (d *door) limited(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !d.addresses.allow(d.clientAddr(r)) {
			d.refuseInput(w, r, errTooMany)
			return
		}
		next(w, r)
	}
}

// gate bounds how many are inside. Nobody waits at it: who finds no place is told at once.
type gate chan struct{}

func (g gate) enter() bool {
	select {
	case g <- struct{}{}:
		return true
	default:
		return false
	}
}

func (g gate) leave() { <-g }

// shed answers a sign-in that found no place.
func (d *door) shed(w http.ResponseWriter, r *http.Request, p authn.Path) {
	if p == "" { // not known before it is decided
		p = authn.PathNone
	}
	d.limits.Shed(p)
	d.refuseInput(w, r, errOverloaded)
}
