package dc

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

type stopped struct{}

func (stopped) Now() time.Time { return time.Date(2025, 4, 2, 10, 30, 0, 0, time.UTC) }

// sink is a connection that swallows what is written and has nothing to read.
type sink struct {
	net.Conn
	written bytes.Buffer
}

func (s *sink) Write(p []byte) (int, error)      { return s.written.Write(p) }
func (s *sink) SetWriteDeadline(time.Time) error { return nil }

func quiet(t testing.TB) *Server {
	t.Helper()
	s, err := prepare(Options{
		Domain: "corp.example.test", NetBIOS: "CORP", Admin: Account{Name: "Administrator", Password: "Admin-Pw-1!"},
		SyncReader: Account{Name: "svc-sync", Password: "Sync-Pw-1!"}, Clock: stopped{}, TLS: &tls.Config{MinVersion: tls.VersionTLS12},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func packet(t testing.TB, filter string) *ber.Packet {
	t.Helper()
	p, err := ldap.CompileFilter(filter)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// searchMessage is a whole search request in octets.
func searchMessage(t testing.TB, base, filter string) []byte {
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, opSearch, nil, "")
	for _, c := range []*ber.Packet{
		octetString(base), enumerated(2), enumerated(0), integerOf(0), integerOf(0),
		ber.NewBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, false, ""), packet(t, filter), sequence(ber.TagSequence),
	} {
		op.AppendChild(c)
	}
	return message(1, op)
}

// Whatever comes over the wire, as a stranger or as the administrator, the server answers or hangs up: it doesn't crash, and
// nobody gets an identity without a password.
func FuzzRequest(f *testing.F) {
	for _, filter := range []string{"(objectClass=*)", "(&(cn=a*b*c)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))", "(|(uSNChanged>=5)(x<=1)(y~=z))"} {
		f.Add(searchMessage(f, "DC=corp,DC=example,DC=test", filter))
	}
	bind := ber.Encode(ber.ClassApplication, ber.TypeConstructed, opBind, nil, "")
	bind.AppendChild(integerOf(3))
	bind.AppendChild(octetString(`CORP\Administrator`))
	bind.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, "wrong", ""))
	f.Add(message(1, bind))
	f.Add(message(2, ber.NewString(ber.ClassApplication, ber.TypePrimitive, opDelete, "CN=x,DC=corp,DC=example,DC=test", "")))
	f.Add([]byte("\x30\x0c\x02\x01\x01\x77\x07\x80\x05\x31\x2e\x32\x2e\x33"))
	f.Add([]byte("\x30\x80\x02\x01\x01"))
	f.Add(bytes.Repeat([]byte("\x30\x7e"), 200))
	s := quiet(f)
	f.Fuzz(func(t *testing.T, octets []byte) {
		frame, err := readFrame(bufio.NewReader(bytes.NewReader(octets)), maxFrameKnown)
		if err != nil {
			return
		}
		r, err := decodeRequest(frame)
		if err != nil {
			return
		}
		for _, who := range []identity{{}, {name: "CN=Administrator,CN=Users,DC=corp,DC=example,DC=test", admin: true}} {
			sess := &session{srv: s, conn: &sink{}, encrypted: true, who: who, r: bufio.NewReader(strings.NewReader(""))}
			out := sess.dispatch(r)
			if sess.who != who && sess.who.known() {
				t.Fatalf("became %+v by %x", sess.who, octets)
			}
			if !out.silent && out.tag == 0 {
				t.Fatalf("%+v answers %x in no response type", out, octets)
			}
		}
	})
}

// A filter, however it looks, is evaluated without a panic, and never tells of a hidden attribute.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{"(cn=*)", "(!(fourwaysNTHash=*))", "(&)", "(|)", "(|(unicodePwd=a*)(!(cn:1.2.3:=x)))", "(a:dn:1.2.840.113556.1.4.804:=3)"} {
		f.Add(s, "alice")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		if len(text) > 1<<12 { // the client's compiler takes its time over long ones
			return
		}
		p, err := ldap.CompileFilter(text)
		if err != nil {
			return
		}
		decoded, err := decodeFilter(p)
		if err != nil {
			return
		}
		everything := decoded.match(func(string) ([]string, bool) { return []string{value}, true })
		nothing := decoded.match(func(string) ([]string, bool) { return nil, false })
		if everything < no || everything > yes {
			t.Fatalf("%q is %d", text, everything)
		}
		if nothing == yes && !constant(decoded) {
			t.Fatalf("%q is true though all of it is hidden", text)
		}
	})
}

// constant reports that a filter holds an empty and/or somewhere: its value may then not depend on any attribute.
func constant(f filter) bool {
	switch f.op {
	case filterAnd, filterOr, filterNot:
		for _, c := range f.children {
			if constant(c) {
				return true
			}
		}
		return len(f.children) == 0
	}
	return false
}

func FuzzName(f *testing.F) {
	for _, s := range []string{"CN=a,DC=b", `CN=a\,b+OU=c, DC = d`, `CN=\41\\`, "CN=#414243", "=", "CN=a,,", `CN=a\ `} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := parseDN(s)
		if err != nil {
			return
		}
		again, err := parseDN(d.key())
		if err != nil || again.key() != d.key() {
			t.Fatalf("%q has the key %q, which reads as %q, %v", s, d.key(), again.key(), err)
		}
	})
}

func TestNamesCompareByMeaning(t *testing.T) {
	for a, b := range map[string]string{
		"CN=Alice  Smith,DC=x": "cn=alice smith , dc=X",
		`CN=a\,b,DC=x`:         `CN=a\2cb,DC=x`,
		"CN=a+OU=b,DC=x":       "OU=b+CN=a,DC=x",
		"CN=#616263,DC=x":      "CN=abc,DC=x",
		`CN=\c3\a4rger,DC=x`:   "CN=ÄRGER,DC=x",
		`CN=trailing\ ,DC=x`:   `cn=trailing\20,DC=x`,
	} {
		x, err := parseDN(a)
		y, err2 := parseDN(b)
		if err != nil || err2 != nil || x.key() != y.key() {
			t.Errorf("%q is %q, %q is %q: %v %v", a, x.key(), b, y.key(), err, err2)
		}
	}
	for _, bad := range []string{"CN", "CN=", "=x", "CN=a,", ",CN=a", `CN=a\`, "C N=a", strings.Repeat("CN=a,", 80) + "CN=a"} {
		if d, err := parseDN(bad); err == nil {
			t.Errorf("%q was read as %q", bad, d.key())
		}
	}
}

func TestFramesAreBounded(t *testing.T) {
	good := searchMessage(t, "", "(objectClass=*)")
	if _, err := readFrame(bufio.NewReader(bytes.NewReader(good)), maxFrameStranger); err != nil {
		t.Fatal(err)
	}
	for name, octets := range map[string]string{
		"2 GiB announced": "\x30\x84\x7f\xff\xff\xff", "over the limit": "\x30\x83\x10\x00\x00", "indefinite": "\x30\x80\x00\x00",
		"no sequence": "GET / HTTP/1.1", "length of lengths": "\x30\x88\x00\x00\x00\x00\x00\x00\x00\x01", "cut off": string(good[:9]),
	} {
		if _, err := readFrame(bufio.NewReader(strings.NewReader(octets)), maxFrameStranger); err == nil {
			t.Errorf("%s was read", name)
		}
	}
	nested := []byte{}
	for range maxBERDepth + 10 {
		nested = append([]byte{0x30, byte(len(nested))}, nested...)
		if len(nested) > 120 {
			break
		}
	}
	if _, err := decodeRequest(bytes.Repeat([]byte{0x30, 0x80}, maxBERDepth)); err == nil {
		t.Error("a message of nested indefinite lengths was read")
	}
	if d := depth(nested, 0); d != 61 {
		t.Errorf("depth %d of %d octets", d, len(nested))
	}
}

func TestAFilterDeeperThanTheLimitIsRefused(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("(!", n) + "(cn=a)" + strings.Repeat(")", n) }
	if _, err := decodeFilter(packet(t, deep(maxFilterDepth))); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	if _, err := decodeFilter(packet(t, deep(maxFilterDepth+1))); err == nil {
		t.Error("over the limit: no error")
	}
	if _, err := decodeFilter(packet(t, "(|"+strings.Repeat("(cn=a)", maxFilterNodes)+")")); err == nil {
		t.Error("too many nodes: no error")
	}
}

func TestOctetsBehindStartTLSEndTheConnection(t *testing.T) {
	s := quiet(t)
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, opExtended, nil, "")
	op.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, oidStartTLS, ""))
	for behind, want := range map[string]int{"": codeSuccess, "x": codeProtocolError} {
		r := bufio.NewReader(bytes.NewReader(append(message(1, op), behind...)))
		frame, err := readFrame(r, maxFrameStranger)
		if err != nil {
			t.Fatal(err)
		}
		req, err := decodeRequest(frame)
		if err != nil {
			t.Fatal(err)
		}
		sess := &session{srv: s, conn: &sink{}, r: r}
		if out := sess.dispatch(req); out.code != want || out.end != (behind != "") {
			t.Errorf("behind %q: %+v", behind, out)
		}
	}
}
