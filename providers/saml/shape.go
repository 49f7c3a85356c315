package saml

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// XML namespaces.
const (
	nsProtocol  = "urn:oasis:names:tc:SAML:2.0:protocol"
	nsAssertion = "urn:oasis:names:tc:SAML:2.0:assertion"
	nsDsig      = "http://www.w3.org/2000/09/xmldsig#"
	nsXenc      = "http://www.w3.org/2001/04/xmlenc#"
)

// longestValue bounds every value that is compared, kept or shown, in bytes. Entity ids have at most 1024 characters
// (SAML core 8.3.6), but nobody's is near it.
const longestValue = 512

// slot is a kind of child and how often it must be there.
type slot struct {
	space, tag string
	min, max   int
}

func one(space, tag string) slot      { return slot{space, tag, 1, 1} }
func optional(space, tag string) slot { return slot{space, tag, 0, 1} }

// children finds the children of el by tag. What is in no slot is refused: a wrapped signature needs a place to hide.
func children(el *etree.Element, slots ...slot) (map[string][]*etree.Element, error) {
	found := make(map[string][]*etree.Element, len(slots))
	for _, child := range el.ChildElements() {
		i := slices.IndexFunc(slots, func(s slot) bool { return s.tag == child.Tag && s.space == child.NamespaceURI() })
		if i < 0 {
			return nil, fmt.Errorf("%s has an unexpected child %s", el.Tag, clip(child.Tag))
		}
		found[child.Tag] = append(found[child.Tag], child)
	}
	for _, s := range slots {
		if n := len(found[s.tag]); n < s.min || n > s.max {
			return nil, fmt.Errorf("%s has %d %s, not %d to %d", el.Tag, n, s.tag, s.min, s.max)
		}
	}
	return found, nil
}

// text is the value of an element that holds text alone.
func text(el *etree.Element) (string, error) {
	for _, child := range el.Child {
		if _, ok := child.(*etree.CharData); !ok {
			return "", fmt.Errorf("%s holds more than text", el.Tag)
		}
	}
	s := el.Text()
	if len(s) > longestValue {
		return "", fmt.Errorf("%s is longer than %d bytes", el.Tag, longestValue)
	}
	return s, nil
}

// attr is an attribute without a prefix; etree's own look-up takes any prefix.
func attr(el *etree.Element, key string) string {
	for _, a := range el.Attr {
		if a.Space == "" && a.Key == key {
			return a.Value
		}
	}
	return ""
}

// instant reads an attribute of type xs:dateTime; the zero time when it is absent.
func instant(el *etree.Element, key string) (time.Time, error) {
	raw := attr(el, key)
	if raw == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, raw) // SAML core 1.3.3: UTC
	if err != nil {
		return time.Time{}, fmt.Errorf("%s of %s is not a time in UTC: %q", key, el.Tag, clip(raw))
	}
	return t.UTC(), nil
}

// parse builds the tree of one Response.
func parse(raw []byte) (*etree.Element, error) {
	if err := responseLimits.scan(raw); err != nil {
		return nil, fmt.Errorf("the response is not taken: %w", err)
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(raw); err != nil {
		return nil, fmt.Errorf("the response is not XML: %w", err)
	}
	root := doc.Root()
	if root == nil || root.Tag != "Response" || root.NamespaceURI() != nsProtocol {
		return nil, errors.New("the document is not a SAML 2.0 Response")
	}
	return root, nil
}

// homes are the parents that an element which carries trust may have, whatever its namespace; "" is the document. The
// rest of the shape is held by children.
func homes(tag string) (allowed []string, special bool) {
	switch tag {
	case "Response":
		return []string{""}, true
	case "Assertion":
		return []string{"", "Response"}, true
	case "EncryptedAssertion":
		return []string{"Response"}, true
	case "EncryptedData":
		return []string{"EncryptedAssertion"}, true
	case "Signature":
		return []string{"Response", "Assertion"}, true
	case "SignedInfo":
		return []string{"Signature"}, true
	case "Reference":
		return []string{"SignedInfo"}, true
	}
	return nil, false
}

// checkTree walks all of a document: elements that carry trust stand where they belong, ids are unique, and no prefixed
// attribute bears the name of one that is read.
func checkTree(root *etree.Element, ids map[string]bool) error {
	for _, el := range append([]*etree.Element{root}, root.FindElements(".//*")...) {
		if allowed, special := homes(el.Tag); special {
			parent := ""
			if el != root {
				parent = el.Parent().Tag
			}
			if !slices.Contains(allowed, parent) {
				return fmt.Errorf("%s inside %s", el.Tag, clip(parent))
			}
		}
		for _, a := range el.Attr {
			if err := checkAttr(el, a, ids); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkAttr(el *etree.Element, a etree.Attr, ids map[string]bool) error {
	isID := strings.EqualFold(a.Key, "id")
	switch {
	case a.Space != "" && a.Space != "xmlns" && (isID || slices.Contains(readAttrs(), a.Key)):
		return fmt.Errorf("attribute %s:%s on %s could be taken for another", clip(a.Space), a.Key, clip(el.Tag))
	case !isID || a.Space != "":
		return nil
	case ids[a.Value]:
		return fmt.Errorf("the id %q twice", clip(a.Value))
	}
	ids[a.Value] = true
	return nil
}

// readAttrs are the attributes that we or the libraries read.
func readAttrs() []string {
	return []string{
		"Version", "IssueInstant", "Destination", "InResponseTo", "Value", "Algorithm", "URI", "PrefixList", "Format", "Method",
		"SPNameQualifier", "Recipient", "NotBefore", "NotOnOrAfter", "AuthnInstant", "SessionIndex", "SessionNotOnOrAfter", "Name",
	}
}

// idPattern is what both goxmldsig and XML's NCName take, bounded.
var idPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,199}$`)

// checkHead holds what every SAML message begins with (SAML core 2.3.3, 3.2.2).
func checkHead(el *etree.Element) error {
	switch {
	case attr(el, "Version") != "2.0":
		return fmt.Errorf("%s has version %q, not 2.0", el.Tag, clip(attr(el, "Version")))
	case !idPattern.MatchString(attr(el, "ID")):
		return fmt.Errorf("%s has no usable ID", el.Tag)
	case attr(el, "IssueInstant") == "":
		return fmt.Errorf("%s has no IssueInstant", el.Tag)
	}
	return nil
}
