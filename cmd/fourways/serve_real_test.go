package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/gateway"
	"github.com/fourways-id/fourways/internal/keyring"
	"github.com/fourways-id/fourways/internal/realtest"
)

// TestServeOnPostgreSQLSaysWhatIsWrongWithItsFiles starts gateways with a wrong root key and a wrong connection URL. The
// URL's password is in no word of it.
func TestServeOnPostgreSQLSaysWhatIsWrongWithItsFiles(t *testing.T) {
	db := realtest.Postgres(t)
	const canary = "c4nary-pa55word"
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		at := filepath.Join(dir, name)
		if err := os.WriteFile(at, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return at
	}
	conf := func(url, key string) string {
		return write("fourways.toml", `[server]
public_listen = "127.0.0.1:0"
console_listen = "127.0.0.1:0"
telemetry_listen = "127.0.0.1:0"
[store]
driver = "postgres"
url_file = "`+url+`"
root_key_file = "`+key+`"
[[domain]]
name = "cloud.example.com"
path = "cloud"
`, 0o600)
	}
	url, key := write("store.url", db.URL, 0o600), filepath.Join(dir, "root.key")
	loaded, err := config.LoadFile(conf(url, key))
	if err != nil {
		t.Fatal(err)
	}
	store, err := gateway.OpenStore(t.Context(), loaded) // the first start makes key and tables
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "other.key")
	if _, err := keyring.Create(other); err != nil {
		t.Fatal(err)
	}
	swapped := func(from, to string) string { return strings.Replace(db.URL, from, to, 1) }
	for name, row := range map[string]struct {
		url, key string
		code     int
		says     string
	}{
		"another root key":           {url, other, exitFailed, "root key"},
		"no root key":                {url, filepath.Join(dir, "none.key"), exitFailed, "copy the key file"},
		"a root key that is none":    {url, write("text.key", "hello", 0o600), exitFailed, "text.key"},
		"a root key for everybody":   {url, write("open.key", "hello", 0o644), exitConfig, "store.root_key_file"},
		"no URL file":                {filepath.Join(dir, "none.url"), key, exitConfig, "store.url_file"},
		"a URL file for everybody":   {write("open.url", db.URL, 0o644), key, exitConfig, "store.url_file"},
		"an empty URL file":          {write("empty.url", "\n", 0o600), key, exitFailed, "empty.url"},
		"words for a URL":            {write("words.url", "password="+canary, 0o600), key, exitFailed, "words.url"},
		"a wrong password":           {write("wrong.url", swapped(db.Password, canary), 0o600), key, exitFailed, "PostgreSQL"},
		"a database that is none":    {write("base.url", swapped(db.Name, "none"), 0o600), key, exitFailed, "PostgreSQL"},
		"a server that is not there": {write("server.url", "postgres://fourways:"+canary+"@127.0.0.1:1/none?sslmode=disable", 0o600), key, exitFailed, "PostgreSQL"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShell(t)
			got := s.want(row.code, "serve", "-c", conf(row.url, row.key))
			says(t, got.err, row.says)
			for _, secret := range []string{canary, db.Password} {
				if found := authntest.Leaks([]byte(got.out+got.err), secret); len(found) > 0 {
					t.Errorf("the password is told (%v): %s%s", found, got.out, got.err)
				}
			}
		})
	}
	newShell(t).want(exitOK, "user", "list", "-c", conf(url, key)) // with the right ones the store opens
}
