package saml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	xrv "github.com/mattermost/xml-roundtrip-validator"
)

// limits bounds a document before a tree is built of it: a megabyte of empty elements costs seconds of CPU.
type limits struct {
	bytes      int
	elements   int
	attributes int // namespace declarations included
	depth      int
	comments   bool // allowed
}

// responseLimits leave a wide margin: a Response with a hundred group names has some 150 elements. Goxmldsig gives up at a
// thousand, so that more could not be taken anyhow.
var responseLimits = limits{bytes: 128 << 10, elements: 900, attributes: 2000, depth: 24}

// scan reads tokens only. It refuses DOCTYPE (entities), processing instructions and, in Responses, comments: text around
// a comment is read as one value by some and as its first half by others, so that "admin<!-- -->@evil" is two people.
func (l limits) scan(data []byte) error {
	if len(data) > l.bytes {
		return fmt.Errorf("%d bytes, more than %d", len(data), l.bytes)
	}
	if err := xrv.Validate(bytes.NewReader(data)); err != nil {
		return fmt.Errorf("XML that two parsers could read in two ways: %w", err)
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	n := count{limits: l}
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return n.whole()
		}
		if err != nil {
			return fmt.Errorf("not well-formed XML: %w", err)
		}
		if err := n.take(tok); err != nil {
			return err
		}
	}
}

type count struct {
	limits
	roots, elements, attributes, depth int
}

func (n *count) take(tok xml.Token) error {
	switch tok := tok.(type) {
	case xml.StartElement:
		return n.start(tok)
	case xml.EndElement:
		n.depth--
	case xml.Directive:
		return errors.New("a DOCTYPE or other directive")
	case xml.Comment:
		if !n.comments {
			return errors.New("a comment")
		}
	case xml.ProcInst:
		if tok.Target != "xml" || n.elements > 0 {
			return errors.New("a processing instruction")
		}
	case xml.CharData:
		if n.depth == 0 && len(bytes.TrimSpace(tok)) > 0 {
			return errors.New("text outside the root element")
		}
	}
	return nil
}

func (n *count) start(el xml.StartElement) error {
	if n.depth == 0 {
		n.roots++
	}
	n.elements++
	n.depth++
	n.attributes += len(el.Attr)
	switch {
	case n.roots > 1:
		return errors.New("a second root element")
	case n.elements > n.limits.elements:
		return fmt.Errorf("more than %d elements", n.limits.elements)
	case n.depth > n.limits.depth:
		return fmt.Errorf("elements nested more than %d deep", n.limits.depth)
	case n.attributes > n.limits.attributes:
		return fmt.Errorf("more than %d attributes", n.limits.attributes)
	}
	seen := make(map[xml.Name]bool, len(el.Attr)) // encoding/xml lets duplicates pass
	for _, a := range el.Attr {
		if seen[a.Name] {
			return fmt.Errorf("attribute %s twice on %s", clip(a.Name.Local), clip(el.Name.Local))
		}
		seen[a.Name] = true
	}
	return nil
}

func (n *count) whole() error {
	if n.roots == 0 {
		return errors.New("no element at all")
	}
	return nil
}

// guarded runs a library on input that a stranger wrote. A panic there is a refusal, not the gateway's end.
func guarded(work func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("a library panicked on it: %v", v)
		}
	}()
	return work()
}
