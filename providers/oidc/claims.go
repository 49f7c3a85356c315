package oidc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fourways-id/fourways/authn"
)

// The claims that are read besides the configured ones (OpenID Connect Core 2 and 5.1).
const (
	claimIssuer            = "iss"
	claimSubject           = "sub"
	claimAudience          = "aud"
	claimParty             = "azp"
	claimNonce             = "nonce"
	claimExpiry            = "exp"
	claimIssuedAt          = "iat"
	claimNotBefore         = "nbf"
	claimAuthTime          = "auth_time"
	claimAccessHash        = "at_hash"
	claimMethods           = "amr"
	claimContext           = "acr"
	claimSession           = "sid"
	claimEmail             = "email"
	claimEmailVerified     = "email_verified"
	claimPreferredUsername = "preferred_username"
)

// Bounds of a JSON object and of what is taken from it.
const (
	deepestJSON    = 16
	longestSubject = 255 // OpenID Connect Core 2, sub
	longestValue   = 512
	mostMethods    = 16
)

// claims are those of one ID token. The zero value is nobody's.
type claims struct {
	all       map[string]json.RawMessage
	algorithm string
	issuer    string
	id        string // sub
	authTime  time.Time
}

// parseObject reads one JSON object. Every name must be there once, and no name may differ from another, or from one
// that is read, by case alone: decoders that ignore case, go-oidc's among them, would see another value than we do.
func parseObject(data []byte, read ...string) (map[string]json.RawMessage, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("it is not UTF-8")
	}
	if err := uniqueNames(json.NewDecoder(bytes.NewReader(data))); err != nil {
		return nil, err
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil || object == nil {
		return nil, errors.New("it is not a JSON object")
	}
	for name := range object {
		for _, known := range read {
			if name != known && strings.EqualFold(name, known) {
				return nil, fmt.Errorf("%q is spelled %q", known, name)
			}
		}
	}
	return object, nil
}

// uniqueNames walks one JSON value (RFC 8259, 4; RFC 7519, 4: duplicate names).
func uniqueNames(d *json.Decoder) error {
	var open []map[string]bool // names of each open object by folded spelling; nil for an array
	expectName := false
	for {
		tok, err := d.Token()
		if err != nil {
			return fmt.Errorf("it is not JSON: %w", err)
		}
		inObject := len(open) > 0 && open[len(open)-1] != nil
		switch delim, isDelim := tok.(json.Delim); {
		case isDelim && (delim == '{' || delim == '['):
			if len(open) == deepestJSON {
				return fmt.Errorf("it is nested deeper than %d", deepestJSON)
			}
			var names map[string]bool
			if delim == '{' {
				names = map[string]bool{}
			}
			open, expectName = append(open, names), delim == '{'
			continue
		case isDelim:
			open = open[:len(open)-1]
		case inObject && expectName:
			name := fold(tok.(string))
			if open[len(open)-1][name] {
				return fmt.Errorf("the name %q is there twice", tok)
			}
			open[len(open)-1][name], expectName = true, false
			continue
		}
		if len(open) == 0 {
			return nil
		}
		expectName = open[len(open)-1] != nil
	}
}

// fold makes names equal that strings.EqualFold holds equal.
func fold(name string) string { return strings.ToLower(strings.ToUpper(name)) }

// text is a claim that is a string; "" when it is absent or anything else.
func (c claims) text(name string) string {
	var s string
	if raw, there := c.all[name]; !there || json.Unmarshal(raw, &s) != nil || len(s) > longestValue {
		return ""
	}
	return s
}

// texts is a claim that is a string or a list of strings (RFC 7519, 4.1.3).
func (c claims) texts(name string) []string {
	var list []string
	if s := c.text(name); s != "" {
		return []string{s}
	}
	if raw, there := c.all[name]; !there || json.Unmarshal(raw, &list) != nil {
		return nil
	}
	return list
}

// instant is a NumericDate (RFC 7519, 2); zero when it is absent.
func (c claims) instant(name string) (time.Time, error) {
	raw, there := c.all[name]
	if !there {
		return time.Time{}, nil
	}
	const farthest = 1 << 36 // some two thousand years on
	var seconds float64
	if err := json.Unmarshal(raw, &seconds); err != nil || string(raw) == "null" || seconds <= 0 || seconds > farthest {
		return time.Time{}, fmt.Errorf("%s is not a time", name)
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*float64(time.Second))), nil
}

func (c claims) subject(conf Config) authn.Subject {
	return authn.Subject{Issuer: c.issuer, Anchor: c.text(conf.Claims.Anchor), UPN: c.upn(conf.Claims.UPN)}
}

// upn is the name to match by. An address that the issuer did not verify is what its person typed, not who that is.
func (c claims) upn(name string) string {
	if name == claimEmail && string(c.all[claimEmailVerified]) != "true" {
		return ""
	}
	return c.text(name)
}

func (c claims) proof() authn.Proof {
	methods := slices.DeleteFunc(c.texts(claimMethods), func(m string) bool { return m == "" || len(m) > longestValue })
	return authn.Proof{
		Methods: methods[:min(len(methods), mostMethods)], Context: c.text(claimContext),
		At: c.authTime, IdPSession: c.text(claimSession),
	}
}
