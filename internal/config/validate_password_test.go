package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const passwordFile = `[password]
banned_words = [%s]
[[domain]]
name = "cloud.example"
path = "cloud"
password_expiry = %q
`

func TestPasswordRulesThatCannotWorkAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ words, expiry, complaint string }{
		"control":              {`"contoso", "blank"`, "2160h", ""},
		"none":                 {"", "0s", ""},
		"a short word":         {`"abc"`, "0s", "password.banned_words"},
		"not ASCII":            {`"straße"`, "0s", "password.banned_words"},
		"too many":             {strings.Repeat(`"contoso",`, 1001), "0s", "1001 banned words"},
		"good for a second":    {"", "1s", "domain[0].password_expiry"},
		"good for three years": {"", "26280h", "domain[0].password_expiry"},
	} {
		_, err := load("c.toml", fmt.Appendf(nil, passwordFile, c.words, c.expiry), nil)
		if c.complaint == "" && err != nil || c.complaint != "" && (err == nil || !strings.Contains(err.Error(), c.complaint)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckSamplesTheBreachedFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "breached.txt")
	c := Default()
	c.Password.BreachedFile = file
	complains := func() bool {
		err := c.Check()
		return err != nil && strings.Contains(err.Error(), "password.breached_file")
	}
	if !complains() {
		t.Error("a missing file is taken")
	}
	for text, bad := range map[string]bool{
		strings.Repeat("A", 40) + ":3\n" + strings.Repeat("B", 40) + ":1\n": false,
		strings.Repeat("B", 40) + ":3\n" + strings.Repeat("A", 40) + ":1\n": true,
		"password\n": true,
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if complains() != bad {
			t.Errorf("%.20q...: %v", text, c.Check())
		}
	}
}
