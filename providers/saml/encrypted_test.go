package saml

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/crewjam/saml/xmlenc"

	"github.com/fourways-id/fourways/authn"
)

func withEncryption(c *Config) { c.Key, c.Policy.AllowEncrypted = ourKey(), true }

// encrypt replaces the assertion by an encrypted one, as an identity provider does after signing.
func encrypt(how xmlenc.RSA) edit {
	return func(t testing.TB, r *etree.Element) {
		a := find(t, r, "Assertion")
		sealed, err := how.Encrypt(ourKey().Certificate, write(a.Copy()), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.RemoveChild(a)
		r.AddChild(fragment(`<saml:EncryptedAssertion` + samlNS + `/>`))
		r.SelectElement("EncryptedAssertion").AddChild(sealed)
	}
}

func oaep(cipher xmlenc.BlockCipher) xmlenc.RSA {
	how := xmlenc.OAEP()
	how.BlockCipher, how.DigestMethod = cipher, xmlenc.SHA1
	return how
}

func TestEncryptedAssertion(t *testing.T) {
	for name, cipher := range map[string]xmlenc.BlockCipher{"AES-128": xmlenc.AES128CBC, "AES-256": xmlenc.AES256CBC} {
		t.Run(name, func(t *testing.T) {
			allowed(t, forgery{after: encrypt(oaep(cipher))}.play(t, testProvider(t, withEncryption)))
		})
	}
	t.Run("within a signed response", func(t *testing.T) {
		whole := forgery{unsigned: true, after: all(encrypt(oaep(xmlenc.AES256CBC)), func(_ testing.TB, r *etree.Element) { signing{}.sign(r, idpKey()) })}
		allowed(t, whole.play(t, testProvider(t, func(c *Config) { withEncryption(c); c.Policy.Signed = SignedResponse })))
		denied(t, whole.play(t, testProvider(t, withEncryption)), authn.SignatureInvalid, authn.F4Signature)
	})
	t.Run("is taken only where it is configured", func(t *testing.T) {
		denied(t, forgery{after: encrypt(oaep(xmlenc.AES256CBC))}.play(t, testProvider(t, nil)), authn.SAMLInvalid, authn.F4Structure)
	})
}

// encryptThen changes the ciphertext, before any signature can be looked at.
func encryptThen(change edit) forgery {
	return forgery{after: all(encrypt(oaep(xmlenc.AES256CBC)), change)}
}

func TestMalformedEncryptionNeitherPassesNorPanics(t *testing.T) {
	const (
		sealed = "EncryptedAssertion/EncryptedData"
		cipher = sealed + "/CipherData/CipherValue"
		key    = sealed + "/KeyInfo/EncryptedKey"
	)
	bytesOf := func(n int) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, n)) }
	bad := func(name string, f forgery) row { return row{name, f, authn.SAMLInvalid, authn.F4Structure} }
	unsignedInside := encryptThen(func(testing.TB, *etree.Element) {})
	unsignedInside.unsigned = true
	foreignInside := encryptThen(func(testing.TB, *etree.Element) {})
	foreignInside.by = foreignKey()
	hold(t, withEncryption, []row{
		bad("not a multiple of the block", encryptThen(setText(cipher, bytesOf(47)))),
		bad("shorter than an initial block", encryptThen(setText(cipher, bytesOf(4)))),
		bad("the initial block alone", encryptThen(setText(cipher, bytesOf(16)))),
		bad("empty ciphertext", encryptThen(setText(cipher, ""))),
		bad("random blocks", encryptThen(setText(cipher, bytesOf(64)))),
		bad("ciphertext that is not base64", encryptThen(setText(cipher, "%"))),
		bad("GCM shorter than its nonce", encryptThen(all(setText(cipher, bytesOf(3)), set(sealed+"/EncryptionMethod", "Algorithm", "http://www.w3.org/2009/xmlenc11#aes128-gcm")))),
		bad("triple DES", encryptThen(set(sealed+"/EncryptionMethod", "Algorithm", nsXenc+"tripledes-cbc"))),
		bad("another key size", encryptThen(set(sealed+"/EncryptionMethod", "Algorithm", aes128CBC))),
		bad("no method", encryptThen(remove(sealed+"/EncryptionMethod"))),
		bad("no key", encryptThen(remove(sealed+"/KeyInfo"))),
		bad("no ciphertext", encryptThen(remove(sealed+"/CipherData"))),
		bad("a key of another length", encryptThen(setText(key+"/CipherData/CipherValue", bytesOf(100)))),
		bad("a key for somebody else", encryptThen(setText(key+"/CipherData/CipherValue", bytesOf(256)))),
		bad("PKCS #1 v1.5", forgery{after: encrypt(xmlenc.PKCS1v15())}),
		bad("two ciphertexts", encryptThen(func(t testing.TB, r *etree.Element) {
			find(t, r, "EncryptedAssertion").AddChild(find(t, r, sealed).Copy())
		})),
		bad("no ciphertext at all", encryptThen(remove(sealed))),
		bad("a comment inside", forgery{after: func(t testing.TB, r *etree.Element) {
			find(t, r, subject+"/NameID").CreateComment("x")
			encrypt(oaep(xmlenc.AES256CBC))(t, r)
		}}),
		bad("too deep inside", forgery{edit: insert("Assertion/AttributeStatement/Attribute", `<saml:AttributeValue`+samlNS+`>`+strings.Repeat("<x>", 40)+strings.Repeat("</x>", 40)+`</saml:AttributeValue>`), after: encrypt(oaep(xmlenc.AES256CBC))}),
		{"unsigned inside", unsignedInside, authn.SignatureInvalid, authn.F4Signature},
		{"signed by a foreign key inside", foreignInside, authn.SignatureInvalid, authn.F4Signature},
	})
}

// TestDecryptionAnswersOneThing: every way in which opening fails reads the same, so that nobody can ask the key questions.
func TestDecryptionAnswersOneThing(t *testing.T) {
	p := testProvider(t, withEncryption)
	seen := map[string]bool{}
	for _, cipher := range []string{strings.Repeat("A", 64), strings.Repeat("B", 64), base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{9}, 96))} {
		out := encryptThen(setText("EncryptedAssertion/EncryptedData/CipherData/CipherValue", cipher)).play(t, p)
		denied(t, out, authn.SAMLInvalid, authn.F4Structure)
		seen[out.Err.Error()] = true
	}
	if len(seen) != 1 {
		t.Errorf("answers differ: %v", seen)
	}
}
