package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/fourways-id/fourways/internal/passpolicy"
)

// password judges what new cloud passwords must not be, and how long they are good.
func (v *validator) password(c *Config) {
	if err := passpolicy.CheckWords(c.Password.BannedWords); err != nil {
		v.bad("password.banned_words", "has a word too many or one that can't be looked for: "+err.Error(), "correct the list")
	}
	for i, d := range c.Domain {
		if d.PasswordExpiry != 0 { // a domain of another path may be moved to cloud while the gateway runs
			within(v, fmt.Sprintf("domain[%d].password_expiry", i), d.PasswordExpiry, Duration(time.Hour), Duration(730*24*time.Hour))
		}
	}
}

// breached complains of a file of leaked passwords that can't be used; it is sampled, however large.
func (f *files) breached(key, path string) {
	if !f.readable(key, path) {
		return
	}
	if err := passpolicy.CheckBreachedFile(path); err != nil {
		wrong, do, _ := strings.Cut(err.Error(), ": get it again")
		f.bad(key, wrong, "get it again"+do)
	}
}
