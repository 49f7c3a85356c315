package admin

import (
	"net"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// zone is a DNS server with TXT records by name.
type zone struct {
	mu  sync.Mutex
	txt map[string][]string // "contoso.example."
	bad dnsmessage.RCode    // answered to everything, unless it is success
	at  string
}

func newZone(t *testing.T) *zone {
	t.Helper()
	conn, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	z := &zone{txt: map[string][]string{}, at: conn.LocalAddr().String()}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		z.serve(conn)
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-ended
	})
	return z
}

func (z *zone) set(name string, texts ...string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.txt[name] = texts
}

func (z *zone) breaks(code dnsmessage.RCode) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.bad = code
}

func (z *zone) serve(conn net.PacketConn) {
	packet := make([]byte, 1500)
	for {
		n, from, err := conn.ReadFrom(packet)
		if err != nil {
			return
		}
		if answer, err := z.answer(packet[:n]); err == nil {
			_, _ = conn.WriteTo(answer, from)
		}
	}
}

func (z *zone) answer(packet []byte) ([]byte, error) {
	var asked dnsmessage.Message
	if err := asked.Unpack(packet); err != nil {
		return nil, err
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	q := asked.Questions[0]
	out := dnsmessage.Message{Header: dnsmessage.Header{ID: asked.ID, Response: true, Authoritative: true, RCode: z.bad}, Questions: asked.Questions[:1]}
	texts, found := z.txt[q.Name.String()]
	if z.bad == dnsmessage.RCodeSuccess && !found {
		out.RCode = dnsmessage.RCodeNameError
	}
	if z.bad == dnsmessage.RCodeSuccess && q.Type == dnsmessage.TypeTXT {
		for _, text := range texts {
			out.Answers = append(out.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: dnsmessage.TypeTXT, Class: dnsmessage.ClassINET, TTL: 1},
				Body:   &dnsmessage.TXTResource{TXT: []string{text[:len(text)/2], text[len(text)/2:]}}, // one record may come in pieces
			})
		}
	}
	return out.Pack()
}
