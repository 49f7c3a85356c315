// Package admin is what administrators do to the tenant: accounts, groups, contacts, licences, applications, domains,
// roll-outs, leaked credentials.
//
// In come requests of the console or of a command; out come objects of the directory, or an error that says what is wrong
// and what to do. Each change is judged and made in one write of the store, so that of two at once none is lost. The
// package lets nobody in, serves no HTTP, writes no audit entry (the console does), and never gives a credential back.
package admin

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/store"
)

// Base is what all administration needs. NewID may be nil.
type Base struct {
	Store  *store.DB
	Clock  authn.Clock
	Config func() *config.Config // in force

	// NewID makes the id of a new object by its name; nil: a random one. The lab makes the same ids in each lab of one seed.
	NewID func(name string) authn.AccountID
}

// id is the id of a new object.
func (b Base) id(name string) string {
	if b.NewID != nil {
		return string(b.NewID(name))
	}
	return NewID()
}

// NewID makes a random UUID (RFC 9562, version 4).
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Text judges a name or remark that an operator gives: it is printed in terminals, logs and the audit log, so it is one
// printable line of at most longest characters.
func Text(what, s string, longest int) error {
	if utf8.RuneCountInString(s) > longest || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return BadRequest("%s is one line of at most %d printable characters", what, longest)
	}
	return nil
}

// BadRequest is the answer to a request that can't be carried out as it stands.
func BadRequest(format string, args ...any) error {
	return api.Problem{Title: "Bad Request", Status: http.StatusBadRequest, Detail: fmt.Sprintf(format, args...)}
}
