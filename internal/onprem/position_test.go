package onprem

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

func FuzzPosition(f *testing.F) {
	for _, p := range []place{
		{Mode: DirSync, Base: "DC=a", Domain: []byte("id"), Cookie: []byte("cookie"), Own: true},
		{Mode: USN, Base: "DC=a", Domain: []byte("id"), Server: []byte("id"), USN: 1 << 62},
		{Mode: CSN, Base: "dc=a", Domain: []byte("id"), CSNs: map[string]string{"000": "x"}},
	} {
		raw, err := p.position()
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(raw))
	}
	f.Add([]byte(`{"mode":"usn","base":"a","domain":"AAAA","server":"AAAA","usn":-1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := parsePosition(raw)
		if err != nil {
			if !errors.Is(err, ErrPosition) || !reflect.DeepEqual(p, place{}) {
				t.Errorf("%+v %v", p, err)
			}
			return
		}
		again, err := p.position()
		if errors.Is(err, ErrPosition) { // written by this package, it takes more octets than were allowed
			return
		}
		if q, err2 := parsePosition(again); err != nil || err2 != nil || !reflect.DeepEqual(p, q) {
			t.Errorf("%s became %+v, %s and %+v: %v %v", raw, p, again, q, err, err2)
		}
	})
}

func TestAPositionIsBounded(t *testing.T) {
	p := place{Mode: DirSync, Base: "DC=a", Domain: []byte("id"), Cookie: make([]byte, maxPosition/2)}
	if raw, err := p.position(); err != nil || len(raw) > maxPosition {
		t.Errorf("control: %d octets, %v", len(raw), err)
	}
	p.Cookie = make([]byte, maxPosition)
	if raw, err := p.position(); !errors.Is(err, ErrPosition) {
		t.Errorf("%d octets: %v", len(raw), err)
	}
	if _, err := parsePosition(make([]byte, maxPosition+1)); !errors.Is(err, ErrPosition) {
		t.Errorf("%v", err)
	}
}

func FuzzCSN(f *testing.F) {
	f.Add("20260102030405.000001Z#000000#001#000000")
	f.Add("20260102030405.000001Z#000000#001#000000;20260102030405.000001Z#000000#002#000000")
	f.Fuzz(func(t *testing.T, text string) {
		csn, server, err := parseCSN(text)
		for _, of := range cookieServers([]byte("rid=000,csn=" + text)) {
			if !strings.Contains(text, "#"+of+"#") {
				t.Errorf("%q counts in %q", text, of)
			}
		}
		if err == nil && (csn != text || strings.ContainsAny(csn, ",;") || !strings.Contains(csn, "#"+server+"#")) {
			t.Errorf("%q became %q of %q", text, csn, server)
		}
	})
}

func FuzzUUID(f *testing.F) {
	f.Add("c02e25e8-7b32-1041-8802-7f3aeeec1c04")
	f.Add("c02e25e87b32104188027f3aeeec1c04")
	f.Fuzz(func(t *testing.T, text string) {
		id := parseUUID(text)
		if id != nil && (len(id) != idLength || formatUUID(id) != strings.ToLower(text)) {
			t.Errorf("%q became %x, %s", text, id, formatUUID(id))
		}
	})
}

func FuzzIDFilter(f *testing.F) {
	f.Add([]byte("()*\\\x00\xff456789abcdef"))
	f.Fuzz(func(t *testing.T, id []byte) {
		for _, kind := range []string{AD, LDAP} {
			d := &Directory{cfg: Config{Kind: kind}}
			filter, err := d.idFilter([][]byte{id, id}, "(cn=x)")
			if (err == nil) != (len(id) == idLength) {
				t.Errorf("%x: %v", id, err)
			}
			if err != nil {
				continue
			}
			p, err := ldap.CompileFilter(filter)
			if err != nil {
				t.Fatalf("%s: %v", filter, err)
			}
			if value := p.Children[0].Children[1].Children[1].Data.String(); len(p.Children) != 2 || kind == AD && value != string(id) {
				t.Errorf("%s asks for %q", filter, value)
			}
		}
	})
}

// FuzzRefreshed takes any control of a message that goes by the name of one of RFC 4533.
func FuzzRefreshed(f *testing.F) {
	f.Add(uint8(0), []byte("\x30\x15\x0a\x01\x01\x04\x10aaaaaaaaaaaaaaaa"), true)
	f.Add(uint8(1), []byte("\x30\x06\x04\x01B\x01\x01\xff"), false)
	f.Add(uint8(2), []byte("\xa3\x17\x01\x01\xff\x31\x12\x04\x10aaaaaaaaaaaaaaaa"), false)
	f.Fuzz(func(t *testing.T, which uint8, value []byte, entry bool) {
		oid := []string{ldap.ControlTypeSyncState, ldap.ControlTypeSyncDone, ldap.ControlTypeSyncInfo}[which%3]
		p := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
		p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, oid, ""))
		p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, string(value), ""))
		control, err := ldap.DecodeControl(p)
		if err != nil {
			return
		}
		var on *ldap.Entry
		if entry {
			on = &ldap.Entry{DN: "cn=a"}
		}
		var r refreshed
		// An entry comes with its state, and a state with its entry; nothing else may be missing.
		if err := r.take(on, []ldap.Control{control}); (err == nil) != (entry == (oid == ldap.ControlTypeSyncState)) {
			t.Errorf("%s, with an entry: %t: %v", oid, entry, err)
		}
		for _, c := range once(r.changed) {
			if len(c.ID) != idLength || c.Same && c.Deleted {
				t.Errorf("%+v", c)
			}
		}
	})
}
