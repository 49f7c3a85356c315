package saml

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/fourways-id/fourways/authn"
)

const (
	subject   = "Assertion/Subject"
	confirm   = subject + "/SubjectConfirmation"
	confData  = confirm + "/SubjectConfirmationData"
	conds     = "Assertion/Conditions"
	authnStmt = "Assertion/AuthnStatement"
)

// row is one attack. The honest exchange, which differs from it in that alone, is its control.
type row struct {
	name   string
	forge  forgery
	reason authn.Reason
	check  authn.StepID
}

func hold(t *testing.T, change func(*Config), rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			p := testProvider(t, change)
			allowed(t, forgery{}.play(t, p))
			denied(t, r.forge.play(t, p), r.reason, r.check)
		})
	}
}

// edits are changes before the signature: an identity provider's own faults, or its malice.
type edit = func(testing.TB, *etree.Element)

func set(path, key, value string) edit {
	return func(t testing.TB, r *etree.Element) {
		el := r
		if path != "" {
			el = find(t, r, path)
		}
		el.CreateAttr(key, value)
	}
}

func unset(path, key string) edit {
	return func(t testing.TB, r *etree.Element) {
		el := r
		if path != "" {
			el = find(t, r, path)
		}
		if el.RemoveAttr(key) == nil {
			t.Fatalf("%s has no %s", path, key)
		}
	}
}

func setText(path, value string) edit {
	return func(t testing.TB, r *etree.Element) { find(t, r, path).SetText(value) }
}

func remove(path string) edit {
	return func(t testing.TB, r *etree.Element) {
		el := find(t, r, path)
		el.Parent().RemoveChild(el)
	}
}

func insert(path, xml string) edit {
	return func(t testing.TB, r *etree.Element) {
		el := r
		if path != "" {
			el = find(t, r, path)
		}
		el.AddChild(fragment(xml))
	}
}

func all(edits ...edit) edit {
	return func(t testing.TB, r *etree.Element) {
		for _, e := range edits {
			e(t, r)
		}
	}
}

func shift(path, key string, d time.Duration) edit {
	return set(path, key, time.Now().Add(d).UTC().Format(wireFormat))
}

func replace(old, with string) func([]byte) []byte {
	return func(raw []byte) []byte {
		if !bytes.Contains(raw, []byte(old)) {
			panic("the message has no " + old)
		}
		return bytes.ReplaceAll(raw, []byte(old), []byte(with))
	}
}

const samlNS = ` xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"`

func TestStructureIsHeldBeforeAnyLibrary(t *testing.T) {
	bad := func(name string, f forgery) row { return row{name, f, authn.SAMLInvalid, authn.F4Structure} }
	hold(t, nil, []row{
		bad("not base64", forgery{carried: func(v map[string][]string) { v["SAMLResponse"] = []string{"%%%"} }}),
		bad("no response", forgery{carried: func(v map[string][]string) { delete(v, "SAMLResponse") }}),
		bad("two responses", forgery{carried: func(v map[string][]string) {
			v["SAMLResponse"] = append(v["SAMLResponse"], v["SAMLResponse"][0])
		}}),
		bad("by redirect", forgery{attempt: func(_ *authn.Attempt, cb *authn.Callback) { cb.Binding = "redirect" }}),
		bad("empty", forgery{raw: func([]byte) []byte { return nil }}),
		bad("text alone", forgery{raw: func([]byte) []byte { return []byte("hello") }}),
		bad("truncated", forgery{raw: func(b []byte) []byte { return b[:len(b)/2] }}),
		bad("not a Response", forgery{raw: replace("samlp:Response", "samlp:LogoutResponse")}),
		bad("Response of another namespace", forgery{raw: replace(nsProtocol, "urn:oasis:names:tc:SAML:1.0:protocol")}),
		bad("second root", forgery{raw: func(b []byte) []byte { return append(b, b...) }}),
		bad("text after the root", forgery{raw: func(b []byte) []byte { return append(b, "x"...) }}),
		bad("DOCTYPE", forgery{raw: func(b []byte) []byte { return append([]byte("<!DOCTYPE Response>"), b...) }}),
		bad("entities", forgery{raw: func(b []byte) []byte {
			return append([]byte(`<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>`), replace("Finance", "&b;")(b)...)
		}}),
		bad("processing instruction", forgery{raw: replace("<saml:Subject>", "<?x y?><saml:Subject>")}),
		bad("comment in the NameID", forgery{raw: replace(anchorOf, anchorOf[:8]+"<!-- -->"+anchorOf[8:])}),
		bad("comment in the digest", forgery{raw: replace("<ds:DigestValue>", "<ds:DigestValue><!-- -->")}),
		bad("comment anywhere", forgery{raw: replace("<saml:Subject>", "<!-- --><saml:Subject>")}),
		bad("another encoding", forgery{raw: func(b []byte) []byte { return append([]byte(`<?xml version="1.0" encoding="UTF-16"?>`), b...) }}),
		bad("too large", forgery{edit: insert("Assertion/AttributeStatement/Attribute", `<saml:AttributeValue`+samlNS+`>`+strings.Repeat("x", responseLimits.bytes)+`</saml:AttributeValue>`)}),
		bad("too deep", forgery{edit: insert("Assertion/AttributeStatement/Attribute", `<saml:AttributeValue`+samlNS+`>`+strings.Repeat("<x>", 30)+strings.Repeat("</x>", 30)+`</saml:AttributeValue>`)}),
		bad("too many elements", forgery{edit: insert("Assertion/AttributeStatement/Attribute", `<saml:AttributeValue`+samlNS+`>`+strings.Repeat("<x/>", 5000)+`</saml:AttributeValue>`)}),
		bad("too many attributes", forgery{edit: insert("Assertion/AttributeStatement/Attribute", `<saml:AttributeValue`+samlNS+`>`+strings.Repeat(`<x a="" b="" c="" d=""/>`, 600)+`</saml:AttributeValue>`)}),
		bad("attribute twice", forgery{raw: replace(`Version="2.0"`, `Version="2.0" Version="2.0"`)}),
		bad("id twice", forgery{edit: insert("Assertion/AttributeStatement/Attribute", `<saml:AttributeValue`+samlNS+`><x ID="_1"/><x Id="_1"/></saml:AttributeValue>`)}),
		bad("prefixed ID", forgery{edit: all(set("Assertion", "xmlns:e", "urn:evil"), set("Assertion", "e:ID", "_evil"))}),
		bad("xml:id", forgery{edit: set("Assertion", "xml:id", "_evil")}),
		bad("response of version 1.1", forgery{edit: set("", "Version", "1.1")}),
		bad("assertion of version 1.1", forgery{edit: set("Assertion", "Version", "1.1")}),
		bad("assertion without ID", forgery{edit: unset("Assertion", "ID")}),
		bad("assertion with an ID of spaces", forgery{edit: set("Assertion", "ID", "a b")}),
		bad("response without IssueInstant", forgery{edit: unset("", "IssueInstant")}),
		bad("time without zone", forgery{edit: set("Assertion", "IssueInstant", "2026-03-02T09:00:00")}),
		bad("no status", forgery{edit: remove("Status")}),
		bad("no assertion", forgery{edit: remove("Assertion")}),
		bad("two assertions", forgery{after: func(t testing.TB, r *etree.Element) {
			second := find(t, r, "Assertion").Copy()
			second.CreateAttr("ID", "_second")
			r.AddChild(second)
		}}),
		bad("an assertion and an encrypted one", forgery{edit: insert("", `<saml:EncryptedAssertion`+samlNS+`/>`)}),
		bad("encrypted assertion that is not configured", forgery{unsigned: true, edit: all(remove("Assertion"), insert("", encryptedXML("AAAA")))}),
		bad("assertion in Advice", forgery{edit: insert("Assertion", `<saml:Advice`+samlNS+`><saml:Assertion ID="_x"/></saml:Advice>`)}),
		bad("assertion in an attribute", forgery{edit: insert("Assertion/AttributeStatement/Attribute", `<saml:AttributeValue`+samlNS+`><saml:Assertion/></saml:AttributeValue>`)}),
		bad("Extensions", forgery{edit: insert("", `<samlp:Extensions xmlns:samlp="`+nsProtocol+`"/>`)}),
		bad("no issuer", forgery{after: remove("Assertion/Issuer")}),
		bad("issuer that is a person", forgery{edit: set("Assertion/Issuer", "Format", persistent)}),
		bad("no Subject", forgery{edit: remove(subject)}),
		bad("no SubjectConfirmation", forgery{edit: remove(confirm)}),
		bad("no SubjectConfirmationData", forgery{edit: remove(confData)}),
		bad("holder-of-key only", forgery{edit: set(confirm, "Method", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key")}),
		bad("two confirmations", forgery{edit: func(t testing.TB, r *etree.Element) { find(t, r, subject).AddChild(find(t, r, confirm).Copy()) }}),
		bad("two NameIDs", forgery{edit: func(t testing.TB, r *etree.Element) {
			find(t, r, subject).AddChild(find(t, r, subject+"/NameID").Copy())
		}}),
		bad("an element in the NameID", forgery{edit: insert(subject+"/NameID", `<x/>`)}),
		bad("no Conditions", forgery{edit: remove(conds)}),
		bad("a condition that nobody knows", forgery{edit: insert(conds, `<saml:Condition`+samlNS+`/>`)}),
		bad("no AuthnStatement", forgery{edit: remove(authnStmt)}),
		bad("no AuthnInstant", forgery{edit: unset(authnStmt, "AuthnInstant")}),
		bad("a prefix that means another namespace further in", forgery{after: set(subject+"/NameID", "xmlns:saml", "urn:evil")}),
		bad("over-long value", forgery{edit: setText(subject+"/NameID", strings.Repeat("a", longestValue+1))}),
	})
}

func TestSignatureMustBeTheIdentityProviders(t *testing.T) {
	bad := func(name string, f forgery) row { return row{name, f, authn.SignatureInvalid, authn.F4Signature} }
	certPEM := idpKey().cert.Raw
	empty := sum(crypto.SHA256, nil)
	nothing, other := "", "#_other"
	const c14n11, c14n11Comments = "http://www.w3.org/2006/12/xml-c14n11", "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"
	spec := func(s signing) forgery { return forgery{signing: s} }
	hold(t, nil, []row{
		bad("unsigned", forgery{unsigned: true}),
		bad("the response alone is signed", forgery{unsigned: true, after: func(_ testing.TB, r *etree.Element) { signing{}.sign(r, idpKey()) }}),
		bad("a bad signature on the response", forgery{after: func(_ testing.TB, r *etree.Element) { signing{}.sign(r, foreignKey()) }}),
		bad("foreign key", forgery{by: foreignKey()}),
		bad("foreign key under the right certificate", forgery{by: keyPair{foreignKey().key, idpKey().cert}}),
		bad("foreign key without KeyInfo", forgery{by: foreignKey(), signing: signing{noKeyInfo: true}}),
		bad("HMAC with the public key", spec(signing{method: "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", hmac: certPEM})),
		bad("HMAC that calls itself RSA", spec(signing{hmac: certPEM})),
		bad("RSA-SHA1", spec(signing{method: dsig.RSASHA1SignatureMethod, hash: crypto.SHA1, digest: "http://www.w3.org/2000/09/xmldsig#sha1"})),
		bad("SHA-1 digest", spec(signing{digest: "http://www.w3.org/2000/09/xmldsig#sha1"})),
		bad("digest of the empty string", spec(signing{digestValue: empty})),
		bad("digest of the empty string, no canonical form", spec(signing{digestValue: empty, transforms: []string{enveloped}})),
		bad("empty digest", spec(signing{digestValue: []byte{}})),
		bad("no transform", spec(signing{transforms: []string{}})),
		bad("transforms in another order", spec(signing{transforms: []string{"http://www.w3.org/2001/10/xml-exc-c14n#", enveloped}})),
		bad("XSLT", spec(signing{transforms: []string{enveloped, "http://www.w3.org/TR/1999/REC-xslt-19991116"}})),
		bad("canonical form with comments", spec(signing{canonical: c14n11Comments})),
		bad("inclusive canonical form", spec(signing{canonical: c14n11})),
		bad("reference to the whole document", spec(signing{uri: &nothing})),
		bad("reference elsewhere", spec(signing{uri: &other})),
		bad("two references", spec(signing{moreReferences: `<ds:Reference URI="#_other"><ds:Transforms/><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference>`})),
		bad("two SignedInfos", forgery{after: func(t testing.TB, r *etree.Element) {
			sig := find(t, r, "Assertion/Signature")
			sig.InsertChildAt(0, find(t, r, "Assertion/Signature/SignedInfo").Copy())
		}}),
		bad("an Object in the signature", forgery{after: insert("Assertion/Signature", `<ds:Object xmlns:ds="`+nsDsig+`"/>`)}),
		bad("an element in the digest", forgery{after: insert("Assertion/Signature/SignedInfo/Reference/DigestValue", `<x/>`)}),
		bad("NameID changed after signing", forgery{after: setText(subject+"/NameID", otherOf)}),
		bad("audience changed after signing", forgery{after: setText(conds+"/AudienceRestriction/Audience", ourName+"x")}),
		bad("element added after signing", forgery{after: insert(conds, `<saml:OneTimeUse`+samlNS+`/>`)}),
	})
}

func TestContextMustBeOurs(t *testing.T) {
	const foreign = "https://other.example.test/"
	wrongRequest := all(set("", "InResponseTo", "id-other"), set(confData, "InResponseTo", "id-other"))
	audience := func(names ...string) edit {
		return func(t testing.TB, r *etree.Element) {
			restriction := find(t, r, conds+"/AudienceRestriction")
			restriction.RemoveChild(find(t, r, conds+"/AudienceRestriction/Audience"))
			for _, name := range names {
				restriction.CreateElement("saml:Audience").SetText(name)
			}
		}
	}
	second := func(name string) edit {
		return insert(conds, `<saml:AudienceRestriction`+samlNS+`><saml:Audience>`+name+`</saml:Audience></saml:AudienceRestriction>`)
	}
	hold(t, nil, []row{
		{"another issuer", forgery{edit: all(setText("Assertion/Issuer", foreign), setText("Issuer", foreign))}, authn.IssuerMismatch, authn.F4Issuer},
		{"another issuer of the assertion", forgery{edit: setText("Assertion/Issuer", foreign)}, authn.IssuerMismatch, authn.F4Issuer},
		{"another issuer of the response", forgery{edit: setText("Issuer", foreign)}, authn.IssuerMismatch, authn.F4Issuer},
		{"issuer in capitals", forgery{edit: setText("Assertion/Issuer", strings.ToUpper(idpIssuer))}, authn.IssuerMismatch, authn.F4Issuer},
		{"no audience restriction", forgery{edit: remove(conds + "/AudienceRestriction")}, authn.AudienceMismatch, authn.F4Audience},
		{"foreign audience", forgery{edit: audience(foreign)}, authn.AudienceMismatch, authn.F4Audience},
		{"ours and a foreign audience", forgery{edit: audience(ourName, foreign)}, authn.AudienceMismatch, authn.F4Audience},
		{"a foreign audience and ours", forgery{edit: audience(foreign, ourName)}, authn.AudienceMismatch, authn.F4Audience},
		{"a second restriction", forgery{edit: second(foreign)}, authn.AudienceMismatch, authn.F4Audience},
		{"another recipient", forgery{edit: set(confData, "Recipient", foreign)}, authn.AudienceMismatch, authn.F4Recipient},
		{"no recipient", forgery{edit: unset(confData, "Recipient")}, authn.AudienceMismatch, authn.F4Recipient},
		{"another destination", forgery{edit: set("", "Destination", foreign)}, authn.AudienceMismatch, authn.F4Recipient},
		{"a signed response without destination", forgery{edit: unset("", "Destination"), after: func(_ testing.TB, r *etree.Element) {
			signing{}.sign(r, idpKey())
		}}, authn.AudienceMismatch, authn.F4Recipient},
		{"the answer to another request", forgery{edit: wrongRequest}, authn.StateMismatch, authn.F4InResponse},
		{"an assertion for another request", forgery{edit: set(confData, "InResponseTo", "id-other")}, authn.StateMismatch, authn.F4InResponse},
		{"an assertion for no request", forgery{edit: unset(confData, "InResponseTo")}, authn.StateMismatch, authn.F4InResponse},
		{"begun at the identity provider", forgery{edit: all(unset("", "InResponseTo"), unset(confData, "InResponseTo"))}, authn.StateMismatch, authn.F4InResponse},
		{"another RelayState", forgery{carried: func(v map[string][]string) { v["RelayState"] = []string{"x"} }}, authn.StateMismatch, authn.F4InResponse},
		{"no RelayState", forgery{carried: func(v map[string][]string) { delete(v, "RelayState") }}, authn.StateMismatch, authn.F4InResponse},
		{"two RelayStates", forgery{carried: func(v map[string][]string) { v["RelayState"] = append(v["RelayState"], "x") }}, authn.StateMismatch, authn.F4InResponse},
	})
}

func TestTimesMustFit(t *testing.T) {
	bad := func(name string, e edit) row {
		return row{name, forgery{edit: e}, authn.AssertionTime, authn.F4Time}
	}
	hold(t, nil, []row{
		bad("response issued in the future", shift("", "IssueInstant", 3*time.Minute)),
		bad("assertion issued far ahead", shift("Assertion", "IssueInstant", time.Hour)),
		bad("assertion issued long ago", shift("Assertion", "IssueInstant", -4*time.Minute)),
		bad("response issued long ago", shift("", "IssueInstant", -4*time.Minute)),
		bad("NotBefore on the confirmation, past", shift(confData, "NotBefore", -time.Minute)),
		bad("NotBefore on the confirmation, future", shift(confData, "NotBefore", time.Hour)),
		bad("confirmation over", shift(confData, "NotOnOrAfter", -3*time.Minute)),
		bad("confirmation without end", unset(confData, "NotOnOrAfter")),
		bad("conditions not yet valid", shift(conds, "NotBefore", 3*time.Minute)),
		bad("conditions over", shift(conds, "NotOnOrAfter", -3*time.Minute)),
		bad("conditions without end", unset(conds, "NotOnOrAfter")),
		bad("signed in in the future", shift(authnStmt, "AuthnInstant", 3*time.Minute)),
		bad("the session over there has ended", shift(authnStmt, "SessionNotOnOrAfter", -3*time.Minute)),
		{"not fresh, when that was asked for", forgery{edit: shift(authnStmt, "AuthnInstant", -time.Hour), attempt: func(a *authn.Attempt, _ *authn.Callback) { a.Want.Fresh = true }}, authn.AssertionTime, authn.F4Time},
		{"older than was asked for", forgery{edit: shift(authnStmt, "AuthnInstant", -time.Hour), attempt: func(a *authn.Attempt, _ *authn.Callback) { a.Want.MaxAge = 30 * time.Minute }}, authn.AssertionTime, authn.F4Time},
	})
}

func TestSubjectMustBeNamed(t *testing.T) {
	bad := func(name string, e edit) row {
		return row{name, forgery{edit: e}, authn.SubjectUnknown, authn.F4Subject}
	}
	hold(t, nil, []row{
		bad("no NameID", remove(subject+"/NameID")),
		bad("empty NameID", setText(subject+"/NameID", "")),
		bad("NameID of spaces", setText(subject+"/NameID", "  ")),
		bad("NameID with a line break", setText(subject+"/NameID", anchorOf+"\n")),
		bad("NameID of no format", unset(subject+"/NameID", "Format")),
		bad("transient NameID", set(subject+"/NameID", "Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:transient")),
		bad("another service's name for the person", set(subject+"/NameID", "SPNameQualifier", "urn:other")),
		bad("two user names", insert("Assertion/AttributeStatement/Attribute", `<saml:AttributeValue`+samlNS+`>mallory@saml.example.test</saml:AttributeValue>`)),
	})
}

func TestStrayCallbacks(t *testing.T) {
	bad := func(name string, change func(*authn.Attempt, *authn.Callback)) row {
		return row{name, forgery{attempt: change}, authn.StateMismatch, authn.F4InResponse}
	}
	hold(t, nil, []row{
		bad("nothing was asked here", func(a *authn.Attempt, _ *authn.Callback) { a.Kept = nil }),
		bad("what was kept is garbage", func(a *authn.Attempt, _ *authn.Callback) { a.Kept = []byte("garbage") }),
		bad("what was kept is another protocol's", func(a *authn.Attempt, _ *authn.Callback) { a.Kept = []byte(`{"s":"x","n":"y"}`) }),
		bad("it came to another provider's address", func(_ *authn.Attempt, cb *authn.Callback) { cb.IdP = "other" }),
		bad("another sign-in of ours", func(a *authn.Attempt, _ *authn.Callback) {
			a.Kept = anotherSignIn()
		}),
	})
}

func anotherSignIn() []byte {
	return []byte(`{"r":"id-another","s":"another","t":"2031-03-02T09:00:00Z","p":"2026-03-02T09:00:00Z"}`)
}

func TestWhatMustBeSignedIsConfigured(t *testing.T) {
	both := func(_ testing.TB, r *etree.Element) { signing{}.sign(r, idpKey()) }
	whole := forgery{unsigned: true, after: both}
	for _, c := range []struct {
		need  Signed
		forge forgery
		ok    bool
	}{
		{SignedAssertion, forgery{}, true},
		{SignedAssertion, forgery{after: both}, true},
		{SignedAssertion, whole, false},
		{SignedResponse, whole, true},
		{SignedResponse, forgery{after: both}, true},
		{SignedResponse, forgery{}, false},
		{SignedBoth, forgery{after: both}, true},
		{SignedBoth, whole, false},
		{SignedBoth, forgery{}, false},
	} {
		p := testProvider(t, func(cfg *Config) { cfg.Policy.Signed = c.need })
		out := c.forge.play(t, p)
		if c.ok {
			allowed(t, out)
			continue
		}
		denied(t, out, authn.SignatureInvalid, authn.F4Signature)
	}
}

func TestCertificates(t *testing.T) {
	rollover := func(c *Config) {
		c.IdP.Certificates = []*x509.Certificate{oldKey().cert, idpKey().cert, nextKey().cert}
	}
	for name, f := range map[string]forgery{"current": {by: idpKey()}, "next": {by: nextKey()}, "next, without KeyInfo": {by: nextKey(), signing: signing{noKeyInfo: true}}} {
		t.Run(name, func(t *testing.T) { allowed(t, f.play(t, testProvider(t, rollover))) })
	}
	t.Run("expired", func(t *testing.T) {
		denied(t, forgery{by: oldKey()}.play(t, testProvider(t, rollover)), authn.SignatureInvalid, authn.F4Signature)
	})
	t.Run("next is foreign until it is configured", func(t *testing.T) {
		out := forgery{by: nextKey()}.play(t, testProvider(t, nil))
		denied(t, out, authn.SignatureInvalid, authn.F4Signature)
		facts := out.Steps[len(out.Steps)-1].Facts
		if facts[authn.FactExpected] != fingerprint(idpKey().cert) || facts[authn.FactGot] != fingerprint(nextKey().cert) {
			t.Errorf("the operator can't tell which certificate came: %v", facts)
		}
	})
	t.Run("expiry is that of the last", func(t *testing.T) {
		if got := testProvider(t, rollover).CertificateExpiry(); !got.Equal(nextKey().cert.NotAfter) && !got.Equal(idpKey().cert.NotAfter) {
			t.Errorf("expires %s", got)
		}
	})
}

// encryptedXML is an EncryptedAssertion with the given ciphertext under a key that nobody has.
func encryptedXML(ciphertext string) string {
	return `<saml:EncryptedAssertion` + samlNS + `><xenc:EncryptedData xmlns:xenc="` + nsXenc + `"><xenc:EncryptionMethod Algorithm="` + aes128CBC + `"/>` +
		`<ds:KeyInfo xmlns:ds="` + nsDsig + `"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="` + rsaOAEP + `"/><xenc:CipherData><xenc:CipherValue>` +
		base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 256)) + `</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>` +
		`<xenc:CipherData><xenc:CipherValue>` + ciphertext + `</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData></saml:EncryptedAssertion>`
}
