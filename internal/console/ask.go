package console

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fourways-id/fourways/internal/console/api"
)

// read decodes a body strictly: one JSON object, no unknown fields. A body that nobody wants is not looked at.
func read[T any](r *http.Request, body []byte) (T, error) {
	var v T
	if typeOf[T]() == nil {
		return v, nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return v, api.Problem{Title: "Unsupported Media Type", Status: http.StatusUnsupportedMediaType, Detail: "Send Content-Type: application/json."}
	}
	if !utf8.Valid(body) { // else another password would be stored than was sent
		return v, bad("The body is not UTF-8.")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	var asked *T
	if err := d.Decode(&asked); err != nil {
		return v, bad("The body is not the JSON object that is wanted here: %v.", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return v, bad("There is something after the JSON object.")
	}
	if asked == nil { // null asks for nothing, and nothing is done for it
		return v, bad("The body is null: send the JSON object that is wanted here; {} is one.")
	}
	return *asked, nil
}

// pageSize is how many objects a page of a list holds unless ?limit= asks otherwise; longestPage is the most.
const (
	pageSize    = 100
	longestPage = 1000
)

// paged are the query parameters of a list that is read page by page, and more.
func paged(more ...param) []param {
	return append(more, query("limit", "How many objects at most, from 1; above 1000 is 1000. Default 100."), query("after", "The cursor, which is `next` of the page before."))
}

// pageAsked reads a list's parameters: the last name of the page before ("" on the first), and how many objects are wanted.
func pageAsked(r *http.Request) (after string, most int, err error) {
	if most, err = limit(r, pageSize); err != nil {
		return "", 0, err
	}
	given := r.URL.Query().Get("after")
	if given == "" {
		return "", most, nil
	}
	name, err := base64.RawURLEncoding.DecodeString(given)
	after, ok := strings.CutPrefix(string(name), cursorMark)
	if err != nil || !ok {
		return "", 0, bad("%q is no cursor of this list: give `next` of the page before, or leave `after` out.", given)
	}
	return after, most, nil
}

// cursorMark tells a cursor from what somebody made up.
const cursorMark = "1:"

// pageOf is one page: items are what a query for most gave, name is what the next query goes on after.
func pageOf[T any](items []T, most int, name func(T) string) api.Page[T] {
	page := api.PageOf(items)
	if len(items) >= most && most > 0 {
		page.Next = base64.RawURLEncoding.EncodeToString([]byte(cursorMark + name(items[len(items)-1])))
	}
	return page
}

// limit is ?limit=, usual when it is not given.
func limit(r *http.Request, usual int) (int, error) {
	given := r.URL.Query().Get("limit")
	if given == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(given)
	if err != nil || n < 1 {
		return 0, bad("%q is no limit: give a number from 1 to %d.", given, longestPage)
	}
	return min(n, longestPage), nil
}
