package saml

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/beevik/etree"
	"github.com/crewjam/saml/xmlenc"
)

// Algorithms of encrypted assertions that are taken. RSA PKCS #1 v1.5 is not: who may ask again and again can decrypt with it
// (Bleichenbacher). CBC is malleable, but what it yields still has to carry a signature.
const (
	aes128CBC = nsXenc + "aes128-cbc"
	aes192CBC = nsXenc + "aes192-cbc"
	aes256CBC = nsXenc + "aes256-cbc"
	rsaOAEP   = nsXenc + "rsa-oaep-mgf1p"
	aesBlock  = 16
)

// errUndecryptable is the one answer to everything that can't be opened, so that nobody can ask the key questions.
var errUndecryptable = errors.New("the encrypted assertion can't be opened with our key")

// open is the assertion itself, decrypted if need be.
func (p *Provider) open(content *etree.Element) (*etree.Element, error) {
	if content.Tag != "EncryptedAssertion" {
		return content, nil
	}
	if !p.config.Policy.AllowEncrypted {
		return nil, errors.New("an encrypted assertion, which this identity provider is not configured for")
	}
	data, err := checkEncrypted(content)
	if err != nil {
		return nil, err
	}
	var plain []byte
	if err := guarded(func() (err error) {
		plain, err = xmlenc.Decrypt(p.config.Key.Private, data)
		return err
	}); err != nil {
		return nil, errUndecryptable
	}
	return parsePlain(plain)
}

// parsePlain holds decrypted bytes to what arriving ones are held to.
func parsePlain(plain []byte) (*etree.Element, error) {
	if err := responseLimits.scan(plain); err != nil {
		return nil, errUndecryptable // wrong padding and wrong XML look alike from outside
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(plain); err != nil || doc.Root() == nil {
		return nil, errUndecryptable
	}
	return doc.Root(), checkTree(doc.Root(), map[string]bool{})
}

// checkEncrypted holds the shape and the lengths without which the library panics, before any signature was seen.
func checkEncrypted(el *etree.Element) (*etree.Element, error) {
	kids, err := children(el, one(nsXenc, "EncryptedData"))
	if err != nil {
		return nil, err
	}
	data := kids["EncryptedData"][0]
	kids, err = children(data, one(nsXenc, "EncryptionMethod"), one(nsDsig, "KeyInfo"), one(nsXenc, "CipherData"))
	if err != nil {
		return nil, err
	}
	if m := attr(kids["EncryptionMethod"][0], "Algorithm"); m != aes128CBC && m != aes192CBC && m != aes256CBC {
		return nil, fmt.Errorf("the encryption method %q is not taken", clip(m))
	}
	n, err := cipherLen(kids["CipherData"][0])
	if err != nil {
		return nil, err
	}
	if n < 2*aesBlock || n%aesBlock != 0 {
		return nil, fmt.Errorf("%d bytes of ciphertext are not whole blocks after an initial one", n)
	}
	return data, checkEncryptedKey(kids["KeyInfo"][0])
}

func checkEncryptedKey(info *etree.Element) error {
	kids, err := children(info, one(nsXenc, "EncryptedKey"))
	if err != nil {
		return err
	}
	kids, err = children(kids["EncryptedKey"][0], one(nsXenc, "EncryptionMethod"), optional(nsDsig, "KeyInfo"), one(nsXenc, "CipherData"))
	if err != nil {
		return err
	}
	if m := attr(kids["EncryptionMethod"][0], "Algorithm"); m != rsaOAEP {
		return fmt.Errorf("the key transport %q is not taken", clip(m))
	}
	_, err = cipherLen(kids["CipherData"][0])
	return err
}

func cipherLen(data *etree.Element) (int, error) {
	kids, err := children(data, one(nsXenc, "CipherValue"))
	if err != nil {
		return 0, err
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(kids["CipherValue"][0].Text()))
	if err != nil {
		return 0, errors.New("a CipherValue is not base64")
	}
	return len(raw), nil
}
