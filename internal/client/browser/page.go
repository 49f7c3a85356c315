package browser

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Page is where a browser ended up.
type Page struct {
	URL    *url.URL // after redirects
	Status int
	Header http.Header
	Body   []byte
	Title  string
	Forms  []Form

	from *Browser
}

// Form is a form of a page, with what the page itself filled in.
type Form struct {
	Action *url.URL // absolute
	Method string   // GET or POST
	Values url.Values
}

// ErrNoForm says that the page has no form to fill in.
var ErrNoForm = errors.New("the page has no form")

func (b *Browser) page(resp *http.Response, body []byte) (*Page, error) {
	p := &Page{URL: resp.Request.URL, Status: resp.StatusCode, Header: resp.Header, Body: body, from: b}
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		return p, nil
	}
	doc, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("read page: %w", err)
	}
	for n := range doc.Descendants() {
		switch n.DataAtom {
		case atom.Title:
			p.Title = strings.TrimSpace(text(n))
		case atom.Form:
			p.Forms = append(p.Forms, readForm(p.URL, n))
		}
	}
	return p, nil
}

// Text is what a person reads on the page: its words with single spaces between them.
func (p *Page) Text() string {
	doc, err := html.Parse(bytes.NewReader(p.Body))
	if err != nil {
		return ""
	}
	var words []string
	for n := range doc.Descendants() {
		if n.Type == html.TextNode && n.Parent.DataAtom != atom.Script && n.Parent.DataAtom != atom.Style {
			words = append(words, strings.Fields(n.Data)...)
		}
	}
	return strings.Join(words, " ")
}

// Alert is what the page warns of (role="alert"); "" when it warns of nothing.
func (p *Page) Alert() string {
	doc, err := html.Parse(bytes.NewReader(p.Body))
	if err != nil {
		return ""
	}
	for n := range doc.Descendants() {
		if attr(n, "role") == "alert" {
			return strings.Join(strings.Fields(text(n)), " ")
		}
	}
	return ""
}

// Submit fills the page's first form in and sends it. A value that the form has no field for is an error: the page is not
// the one that the caller takes it for.
func (p *Page) Submit(ctx context.Context, fill map[string]string) (*Page, error) {
	if len(p.Forms) == 0 {
		return nil, fmt.Errorf("%s (status %d): %w", p.URL.Path, p.Status, ErrNoForm)
	}
	return p.SubmitForm(ctx, p.Forms[0], fill)
}

// SubmitForm is Submit for any form of the page.
func (p *Page) SubmitForm(ctx context.Context, f Form, fill map[string]string) (*Page, error) {
	values := url.Values{}
	for name, v := range f.Values {
		values[name] = v
	}
	for name, v := range fill {
		if !values.Has(name) {
			return nil, fmt.Errorf("the form at %s has no field %q", p.URL.Path, name)
		}
		values.Set(name, v)
	}
	if f.Method == http.MethodPost {
		return p.from.PostForm(ctx, f.Action.String(), values)
	}
	target := *f.Action
	target.RawQuery = values.Encode()
	return p.from.Get(ctx, target.String())
}

func readForm(base *url.URL, n *html.Node) Form {
	f := Form{Action: base, Method: http.MethodGet, Values: url.Values{}}
	if strings.EqualFold(attr(n, "method"), http.MethodPost) {
		f.Method = http.MethodPost
	}
	if u, err := base.Parse(attr(n, "action")); err == nil {
		f.Action = u
	}
	for field := range n.Descendants() {
		name := attr(field, "name")
		if name == "" || has(field, "disabled") {
			continue
		}
		switch field.DataAtom {
		case atom.Input:
			kind := strings.ToLower(attr(field, "type"))
			if kind == "submit" || kind == "button" || kind == "image" || kind == "reset" || (kind == "checkbox" || kind == "radio") && !has(field, "checked") {
				continue
			}
			f.Values.Add(name, attr(field, "value"))
		case atom.Textarea:
			f.Values.Add(name, text(field))
		}
	}
	return f
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}
