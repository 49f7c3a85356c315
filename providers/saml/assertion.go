package saml

import (
	"errors"
	"fmt"
	"time"

	"github.com/beevik/etree"
)

const bearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer"

// statement is what an Assertion says. Only one that was read from the signed bytes counts.
type statement struct {
	id        string
	issuer    string
	issued    time.Time
	name      nameID
	bearer    confirmation
	valid     window
	audiences [][]string // by AudienceRestriction
	session   session
	upn       []string
}

type nameID struct{ value, format, spQualifier string }

type window struct{ from, until time.Time }

type confirmation struct {
	valid                   window
	recipient, inResponseTo string
}

type session struct {
	instant, until time.Time
	index, context string
}

// readStatement holds the shape of an Assertion (SAML core 2.3.3, and profiles 4.1.4.2 for what a sign-in needs) and reads
// it. It is used twice: on what arrived, to refuse what would make a library panic, and on what was signed.
func readStatement(el *etree.Element, upnAttribute string) (statement, error) {
	if el.Tag != "Assertion" || el.NamespaceURI() != nsAssertion {
		return statement{}, errors.New("what was to be an Assertion is none")
	}
	if err := checkHead(el); err != nil {
		return statement{}, err
	}
	kids, err := children(el, one(nsAssertion, "Issuer"), optional(nsDsig, "Signature"), one(nsAssertion, "Subject"),
		one(nsAssertion, "Conditions"), one(nsAssertion, "AuthnStatement"), slot{nsAssertion, "AttributeStatement", 0, 4})
	if err != nil {
		return statement{}, err
	}
	s := statement{id: attr(el, "ID")}
	var errs [5]error
	s.issued, errs[0] = instant(el, "IssueInstant")
	s.issuer, errs[1] = entity(kids["Issuer"][0])
	errs[2] = s.readSubject(kids["Subject"][0])
	errs[3] = s.readConditions(kids["Conditions"][0])
	errs[4] = s.readSession(kids["AuthnStatement"][0])
	for _, attributes := range kids["AttributeStatement"] {
		if err := s.readAttributes(attributes, upnAttribute); err != nil {
			return statement{}, err
		}
	}
	return s, errors.Join(errs[:]...)
}

// readSubject takes one bearer confirmation (SAML profiles 4.1.4.2) and no other: who may present the assertion must not
// depend on which of several a reader looks at.
func (s *statement) readSubject(el *etree.Element) error {
	kids, err := children(el, optional(nsAssertion, "NameID"), one(nsAssertion, "SubjectConfirmation"))
	if err != nil {
		return err
	}
	for _, name := range kids["NameID"] {
		s.name.format, s.name.spQualifier = attr(name, "Format"), attr(name, "SPNameQualifier")
		if s.name.value, err = text(name); err != nil {
			return err
		}
	}
	confirm := kids["SubjectConfirmation"][0]
	if m := attr(confirm, "Method"); m != bearer {
		return fmt.Errorf("the subject confirmation is %q, not bearer", clip(m))
	}
	if kids, err = children(confirm, one(nsAssertion, "SubjectConfirmationData")); err != nil {
		return err
	}
	data := kids["SubjectConfirmationData"][0]
	if _, err = children(data); err != nil {
		return err
	}
	s.bearer.recipient, s.bearer.inResponseTo = attr(data, "Recipient"), attr(data, "InResponseTo")
	s.bearer.valid, err = readWindow(data)
	return err
}

// readConditions knows every condition that it lets pass: one that isn't understood makes an assertion indeterminate, and
// that is no yes (SAML core 2.5.1.1).
func (s *statement) readConditions(el *etree.Element) error {
	kids, err := children(el, slot{nsAssertion, "AudienceRestriction", 0, 8}, optional(nsAssertion, "OneTimeUse"), optional(nsAssertion, "ProxyRestriction"))
	if err != nil {
		return err
	}
	for _, restriction := range kids["AudienceRestriction"] {
		kids, err := children(restriction, slot{nsAssertion, "Audience", 1, 32})
		if err != nil {
			return err
		}
		var audiences []string
		for _, a := range kids["Audience"] {
			name, err := text(a)
			if err != nil {
				return err
			}
			audiences = append(audiences, name)
		}
		s.audiences = append(s.audiences, audiences)
	}
	s.valid, err = readWindow(el)
	return err
}

func readWindow(el *etree.Element) (window, error) {
	from, err1 := instant(el, "NotBefore")
	until, err2 := instant(el, "NotOnOrAfter")
	return window{from, until}, errors.Join(err1, err2)
}

func (s *statement) readSession(el *etree.Element) error {
	kids, err := children(el, optional(nsAssertion, "SubjectLocality"), one(nsAssertion, "AuthnContext"))
	if err != nil {
		return err
	}
	kids, err = children(kids["AuthnContext"][0], optional(nsAssertion, "AuthnContextClassRef"), optional(nsAssertion, "AuthnContextDecl"),
		optional(nsAssertion, "AuthnContextDeclRef"), slot{nsAssertion, "AuthenticatingAuthority", 0, 8})
	if err != nil {
		return err
	}
	for _, class := range kids["AuthnContextClassRef"] {
		if s.session.context, err = text(class); err != nil {
			return err
		}
	}
	var err1, err2 error
	s.session.instant, err1 = instant(el, "AuthnInstant")
	s.session.until, err2 = instant(el, "SessionNotOnOrAfter")
	if s.session.index = attr(el, "SessionIndex"); len(s.session.index) > longestValue {
		return fmt.Errorf("SessionIndex is longer than %d bytes", longestValue)
	}
	if s.session.instant.IsZero() && err1 == nil {
		return errors.New("AuthnStatement has no AuthnInstant")
	}
	return errors.Join(err1, err2)
}

// readAttributes gathers every value of the one attribute that is used. Others are let pass unread.
func (s *statement) readAttributes(el *etree.Element, upn string) error {
	kids, err := children(el, slot{nsAssertion, "Attribute", 1, 256})
	if err != nil {
		return err
	}
	for _, a := range kids["Attribute"] {
		values, err := children(a, slot{nsAssertion, "AttributeValue", 0, responseLimits.elements})
		if err != nil {
			return err
		}
		if attr(a, "Name") != upn {
			continue
		}
		for _, v := range values["AttributeValue"] {
			name, err := text(v)
			if err != nil {
				return err
			}
			s.upn = append(s.upn, name)
		}
	}
	return nil
}
