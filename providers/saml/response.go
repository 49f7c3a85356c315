package saml

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/beevik/etree"
)

const statusSuccess = "urn:oasis:names:tc:SAML:2.0:status:Success"

// wrapper is what the Response says around the assertion.
type wrapper struct {
	issuer       string // "" when it names none
	destination  string
	inResponseTo string
	issued       time.Time
	status       string
	substatus    string
	signed       bool
	content      *etree.Element // the Assertion or EncryptedAssertion; nil when the status is not success
}

// statusName is the status in the few words that people know it by, e.g. "Responder/AuthnFailed".
func (w wrapper) statusName() string {
	name := w.status[strings.LastIndexByte(w.status, ':')+1:]
	if w.substatus != "" {
		name += "/" + w.substatus[strings.LastIndexByte(w.substatus, ':')+1:]
	}
	return name
}

// readWrapper holds the shape of a Response (SAML core 3.3.3) and reads its own attributes. Extensions are refused: no
// sign-in needs them, and wrapped signatures like to hide there.
func readWrapper(el *etree.Element) (wrapper, error) {
	if err := errors.Join(checkHead(el), checkTree(el, map[string]bool{})); err != nil {
		return wrapper{}, err
	}
	kids, err := children(el, optional(nsAssertion, "Issuer"), optional(nsDsig, "Signature"), one(nsProtocol, "Status"),
		optional(nsAssertion, "Assertion"), optional(nsAssertion, "EncryptedAssertion"))
	if err != nil {
		return wrapper{}, err
	}
	w := wrapper{destination: attr(el, "Destination"), inResponseTo: attr(el, "InResponseTo"), signed: len(kids["Signature"]) == 1}
	if w.issued, err = instant(el, "IssueInstant"); err != nil {
		return wrapper{}, err
	}
	if len(kids["Issuer"]) == 1 {
		if w.issuer, err = entity(kids["Issuer"][0]); err != nil {
			return wrapper{}, err
		}
	}
	if w.status, w.substatus, err = readStatus(kids["Status"][0]); err != nil || w.status != statusSuccess {
		return w, err
	}
	content := append(kids["Assertion"], kids["EncryptedAssertion"]...)
	if len(content) != 1 {
		return wrapper{}, fmt.Errorf("%d assertions, one is needed", len(content))
	}
	w.content = content[0]
	return w, nil
}

func readStatus(el *etree.Element) (code, sub string, err error) {
	kids, err := children(el, one(nsProtocol, "StatusCode"), optional(nsProtocol, "StatusMessage"), optional(nsProtocol, "StatusDetail"))
	if err != nil {
		return "", "", err
	}
	top := kids["StatusCode"][0]
	if kids, err = children(top, optional(nsProtocol, "StatusCode")); err != nil {
		return "", "", err
	}
	if len(kids["StatusCode"]) == 1 {
		sub = attr(kids["StatusCode"][0], "Value")
	}
	code = attr(top, "Value")
	if code == "" || len(code)+len(sub) > longestValue {
		return "", "", errors.New("the status has no usable code")
	}
	return code, sub, nil
}

// entity reads an Issuer, which names an entity (SAML core 2.2.5, 8.3.6).
func entity(el *etree.Element) (string, error) {
	if f := attr(el, "Format"); f != "" && f != "urn:oasis:names:tc:SAML:2.0:nameid-format:entity" {
		return "", fmt.Errorf("the issuer's format is %q, not entity", clip(f))
	}
	return text(el)
}
