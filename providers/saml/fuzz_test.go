package saml

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/crewjam/saml/xmlenc"

	"github.com/fourways-id/fourways/authn"
)

// answer gives raw to p as the answer to a request that p could have sent.
func answer(t *testing.T, p *Provider, raw []byte) authn.Outcome {
	t.Helper()
	a := attempt(authn.Callback{IdP: "harbour", Binding: "post", Values: map[string][]string{
		"SAMLResponse": {base64.StdEncoding.EncodeToString(raw)}, "RelayState": {"another"},
	}})
	a.Kept = anotherSignIn()
	return p.Step(t.Context(), a)
}

// honest is a signed Response to that request.
func honest(t testing.TB, f forgery) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(f.encode(t, "id-another"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// FuzzResponse reads anything: it must not panic, and without our identity provider's key nobody gets in.
func FuzzResponse(f *testing.F) {
	for _, seed := range []forgery{{}, {unsigned: true}, {by: foreignKey()}, {after: encrypt(oaep(xmlenc.AES256CBC))}} {
		seed.by = foreignKey()
		f.Add(honest(f, seed))
	}
	f.Add([]byte(""))
	f.Add([]byte("<"))
	f.Add([]byte(encryptedXML("AAAA")))
	f.Add([]byte(`<Response xmlns="` + nsProtocol + `" ID="a" Version="2.0"><Status><StatusCode Value="x"/></Status></Response>`))
	p := testProvider(f, withEncryption)
	f.Fuzz(func(t *testing.T, raw []byte) {
		out := answer(t, p, raw)
		if out.Verdict != authn.Denied || out.Reason.Verdict() != authn.Denied || !out.Reason.On(authn.PathFederated) || out.Err == nil {
			t.Fatalf("%v %v at %q: %v", out.Verdict, out.Reason, out.Check, out.Err)
		}
	})
}

// FuzzTampering cuts into a Response that our identity provider did sign, and puts something in. Either it is refused, or
// the change changed nothing: the person is the one who was signed.
func FuzzTampering(f *testing.F) {
	f.Add(uint16(0), uint8(0), "")
	f.Add(uint16(700), uint8(0), "<!-- -->")
	f.Add(uint16(900), uint8(20), otherOf)
	f.Add(uint16(1200), uint8(1), `<x ID="_a"/>`)
	p := testProvider(f, nil)
	f.Fuzz(func(t *testing.T, at uint16, cut uint8, put string) {
		raw := honest(t, forgery{})
		from := int(at) % (len(raw) + 1)
		to := min(from+int(cut), len(raw))
		out := answer(t, p, []byte(string(raw[:from])+put+string(raw[to:])))
		switch out.Verdict {
		case authn.Allowed:
			allowed(t, out)
		case authn.Denied:
			if out.Err == nil {
				t.Fatalf("%v without a cause", out.Reason)
			}
		default:
			t.Fatalf("%v %v: %v", out.Verdict, out.Reason, out.Err)
		}
	})
}

// FuzzDecrypted puts anything into the envelope that our key opens: what comes out is a stranger's until it is signed.
func FuzzDecrypted(f *testing.F) {
	f.Add([]byte("<Assertion/>"))
	f.Add([]byte(`<saml:Assertion` + samlNS + ` ID="a" Version="2.0"/>`))
	f.Add([]byte(strings.Repeat("<a>", 100)))
	p := testProvider(f, withEncryption)
	f.Fuzz(func(t *testing.T, plain []byte) {
		sealed, err := oaep(xmlenc.AES128CBC).Encrypt(ourKey().Certificate, plain, nil)
		if err != nil {
			t.Fatal(err)
		}
		response := fragment(string(honest(t, forgery{unsigned: true, edit: all(remove("Assertion"), insert("", `<saml:EncryptedAssertion`+samlNS+`/>`))})))
		response.SelectElement("EncryptedAssertion").AddChild(sealed)
		if out := answer(t, p, write(response)); out.Verdict != authn.Denied {
			t.Fatalf("%v %v: %v", out.Verdict, out.Reason, out.Err)
		}
	})
}

// FuzzMetadata reads anything; what it takes can be signed in with.
func FuzzMetadata(f *testing.F) {
	f.Add([]byte(idpMetadata()))
	f.Add([]byte("<EntityDescriptor/>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseMetadata(data)
		if err != nil {
			return
		}
		if m.Issuer == "" || len(m.Certificates) == 0 {
			t.Fatalf("took metadata without issuer or certificates: %+v", m)
		}
	})
}
