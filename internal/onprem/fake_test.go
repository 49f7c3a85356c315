package onprem_test

import (
	"bufio"
	"encoding/base64"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"

	"github.com/fourways-id/fourways/internal/onprem"
)

// fake is a directory that knows what to say, and may stop in the middle.
type fake struct {
	answers  map[string][]reply // by the base searched; the last one stays
	breakAt  int32              // at which request, counted from 1; 0: never
	breaking func(c net.Conn, whole []byte)
	requests atomic.Int32
	ever     func(request int32) []*ber.Packet // controls of the answers that have none; nil: they have none
}

// reply is an answer to one search.
type reply struct {
	code     int
	messages []message
	controls []*ber.Packet // of the SearchResultDone
}

// message is an entry, a reference or an intermediate response, with its controls.
type message struct {
	op       *ber.Packet
	controls []*ber.Packet
}

func (f *fake) serve(c net.Conn) {
	asked := map[string]int{}
	for r := bufio.NewReader(c); ; {
		req, err := ber.ReadPacket(r)
		if err != nil {
			return
		}
		id, op := req.Children[0], req.Children[1]
		var out []byte
		switch op.Tag {
		case 0:
			out = envelope(id, message{op: result(1, 0)})
		case 3:
			base := op.Children[0].Data.String()
			replies := f.answers[base]
			a := reply{code: 32}
			if len(replies) > 0 {
				a = replies[min(asked[base], len(replies)-1)]
			}
			asked[base]++
			if f.ever != nil && a.controls == nil {
				a.controls = f.ever(f.requests.Load())
			}
			for _, m := range a.messages {
				out = append(out, envelope(id, m)...)
			}
			out = append(out, envelope(id, message{op: result(5, a.code), controls: a.controls})...)
		default:
			return
		}
		if f.requests.Add(1) == f.breakAt {
			f.breaking(c, out)
			return
		}
		if _, err := c.Write(out); err != nil {
			return
		}
	}
}

// breaks are the ways in which a server fails in the middle of an answer.
func breaks() map[string]func(net.Conn, []byte) {
	return map[string]func(net.Conn, []byte){
		"says nothing":       func(c net.Conn, _ []byte) { silent(c) },
		"hangs up":           func(net.Conn, []byte) {},
		"hangs up in a word": func(c net.Conn, whole []byte) { _, _ = c.Write(whole[:len(whole)-1]) },
		"stops in a word":    func(c net.Conn, whole []byte) { _, _ = c.Write(whole[:len(whole)-1]); silent(c) },
		"speaks HTTP":        func(c net.Conn, _ []byte) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n"); silent(c) },
	}
}

func octets(class ber.Class, tag ber.Tag, value string) *ber.Packet {
	return ber.NewString(class, ber.TypePrimitive, tag, value, "")
}

func sequence(class ber.Class, tag ber.Tag, children ...*ber.Packet) *ber.Packet {
	p := ber.Encode(class, ber.TypeConstructed, tag, nil, "")
	for _, c := range children {
		p.AppendChild(c)
	}
	return p
}

func number(tag ber.Tag, n int64) *ber.Packet {
	return ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, tag, n, "")
}

func envelope(id *ber.Packet, m message) []byte {
	p := sequence(ber.ClassUniversal, ber.TagSequence, id, m.op)
	if len(m.controls) > 0 {
		p.AppendChild(sequence(ber.ClassContext, 0, m.controls...))
	}
	return p.Bytes()
}

func result(tag ber.Tag, code int) *ber.Packet {
	return sequence(ber.ClassApplication, tag, number(ber.TagEnumerated, int64(code)),
		octets(ber.ClassUniversal, ber.TagOctetString, ""), octets(ber.ClassUniversal, ber.TagOctetString, "as asked"))
}

// control is a response control with this value.
func control(oid string, value *ber.Packet) *ber.Packet {
	return sequence(ber.ClassUniversal, ber.TagSequence, octets(ber.ClassUniversal, ber.TagOctetString, oid),
		octets(ber.ClassUniversal, ber.TagOctetString, string(value.Bytes())))
}

// object is an entry with attributes given as name, value, name, value.
func object(dn string, attrs ...string) message {
	list := sequence(ber.ClassUniversal, ber.TagSequence)
	for i := 0; i < len(attrs); i += 2 {
		list.AppendChild(sequence(ber.ClassUniversal, ber.TagSequence, octets(ber.ClassUniversal, ber.TagOctetString, attrs[i]),
			sequence(ber.ClassUniversal, ber.TagSet, octets(ber.ClassUniversal, ber.TagOctetString, attrs[i+1]))))
	}
	return message{op: sequence(ber.ClassApplication, 4, octets(ber.ClassUniversal, ber.TagOctetString, dn), list)}
}

// reference points to another server, which nobody follows.
func reference() message {
	return message{op: sequence(ber.ClassApplication, 19, octets(ber.ClassUniversal, ber.TagOctetString, "ldap://elsewhere/CN=Configuration,"+base))}
}

func paged(cookie string) *ber.Packet {
	return control("1.2.840.113556.1.4.319", sequence(ber.ClassUniversal, ber.TagSequence, number(ber.TagInteger, 0), octets(ber.ClassUniversal, ber.TagOctetString, cookie)))
}

func dirSynced(more int64, cookie string) *ber.Packet {
	return control("1.2.840.113556.1.4.841", sequence(ber.ClassUniversal, ber.TagSequence, number(ber.TagInteger, more), number(ber.TagInteger, 0),
		octets(ber.ClassUniversal, ber.TagOctetString, cookie)))
}

// RFC 4533: the state of an entry, the end of a refresh, and a set of ids in between.
func state(what int64, id string) *ber.Packet {
	return control("1.3.6.1.4.1.4203.1.9.1.2", sequence(ber.ClassUniversal, ber.TagSequence, number(ber.TagEnumerated, what), octets(ber.ClassUniversal, ber.TagOctetString, id)))
}

func synced(cookie string, deletes bool) *ber.Packet {
	return control("1.3.6.1.4.1.4203.1.9.1.3", sequence(ber.ClassUniversal, ber.TagSequence, octets(ber.ClassUniversal, ber.TagOctetString, cookie),
		ber.NewBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, deletes, "")))
}

func idSet(deletes bool, ids ...string) message {
	set := sequence(ber.ClassUniversal, ber.TagSet)
	for _, id := range ids {
		set.AppendChild(octets(ber.ClassUniversal, ber.TagOctetString, id))
	}
	value := sequence(ber.ClassContext, 3, ber.NewBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, deletes, ""), set)
	return message{op: sequence(ber.ClassApplication, 25, octets(ber.ClassContext, 0, "1.3.6.1.4.1.4203.1.9.1.4"), octets(ber.ClassContext, 1, string(value.Bytes())))}
}

const (
	idA    = "aaaaaaaaaaaaaaaa"
	idB    = "bbbbbbbbbbbbbbbb"
	idRoot = "rrrrrrrrrrrrrrrr"
	idDC   = "dddddddddddddddd"
	csnOld = "20250101000000.000000Z#000000#001#000000"
	csnNow = "20260101000000.000000Z#000000#001#000000"
)

func position(mode, more string) onprem.Position {
	return onprem.Position(`{"mode":"` + mode + `","base":"` + base + `","domain":"` + base64.StdEncoding.EncodeToString([]byte(idRoot)) + `",` + more + `}`)
}

// fakes are a directory for each way to learn of changes: two pages, or what makes two pages of an answer; and the position
// before them.
func fakes() map[string]struct {
	from    onprem.Position
	answers map[string][]reply
} {
	ad := func(usn string, answers ...reply) map[string][]reply {
		top := reply{messages: []message{object(base, "objectGUID", idRoot)}}
		return map[string][]reply{
			"":   {{messages: []message{object("", "defaultNamingContext", base, "dsServiceName", "CN=NTDS", "highestCommittedUSN", usn)}}},
			base: append([]reply{top}, answers...), "CN=NTDS": {{messages: []message{object("CN=NTDS", "invocationId", idDC)}}},
			"CN=Deleted Objects," + base: {{messages: []message{object("CN=Deleted Objects,"+base, "objectGUID", idDC)}}},
		}
	}
	ldap := func(answers ...reply) map[string][]reply {
		top := reply{messages: []message{object(base, "entryUUID", "72727272-7272-7272-7272-727272727272")}}
		return map[string][]reply{
			"":   {{messages: []message{object("", "namingContexts", base, "supportedControl", "1.3.6.1.4.1.4203.1.9.1.1")}}},
			base: append([]reply{top}, answers...),
		}
	}
	a, b := object("OU=a,"+base, "objectGUID", idA, "objectClass", "organizationalUnit"), object("CN=b\n", "objectGUID", idB, "isDeleted", "TRUE")
	la := object("cn=a,"+base, "entryUUID", "61616161-6161-6161-6161-616161616161", "entryCSN", csnNow)
	lb := object("cn=b,"+base, "entryUUID", "62626262-6262-6262-6262-626262626262", "entryCSN", csnOld)
	sa := la
	sa.controls = packets(state(1, idA))
	return map[string]struct {
		from    onprem.Position
		answers map[string][]reply
	}{
		onprem.DirSync: {position("dirsync", `"cookie":"AAAA"`), ad("7",
			reply{0, []message{a, reference()}, packets(dirSynced(1, "A"))}, reply{0, []message{b}, packets(dirSynced(0, "B"))})},
		onprem.USN: {position("usn", `"usn":5,"server":"`+base64.StdEncoding.EncodeToString([]byte(idDC))+`"`), ad("7",
			reply{0, []message{a, reference()}, packets(paged("A"))}, reply{0, []message{b}, packets(paged(""))})},
		onprem.Syncrepl: {position("syncrepl", `"cookie":"`+base64.StdEncoding.EncodeToString([]byte("rid=000,csn="+csnOld))+`"`), ldap(
			reply{messages: []message{object(base, "contextCSN", csnNow)}},
			reply{0, []message{sa, reference(), idSet(true, idB)}, packets(synced("rid=000,csn="+csnNow, true))})},
		onprem.CSN: {position("csn", `"csns":{"001":"`+csnOld+`"}`), ldap(
			reply{0, []message{la}, packets(paged("A"))}, reply{0, []message{lb}, packets(paged(""))},
			reply{0, []message{la}, packets(paged("A"))}, reply{0, []message{lb}, packets(paged(""))})},
	}
}

// talk is a client of a fake.
func talk(t *testing.T, f *fake, mode string, timeout time.Duration) *onprem.Directory {
	t.Helper()
	kind := onprem.AD
	if mode == onprem.Syncrepl || mode == onprem.CSN {
		kind = onprem.LDAP
	}
	return client(t, onprem.Config{
		URLs: []string{behave(t, f.serve)}, TLS: onprem.Plain, Timeout: timeout, Kind: kind, BindDN: "cn=svc", BindPassword: secret("x"), BaseDN: "OU=People," + base,
	})
}

func packets(p ...*ber.Packet) []*ber.Packet { return p }
