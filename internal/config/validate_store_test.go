package config

import (
	"bytes"
	"strings"
	"testing"
)

const pooled = `
[store]
driver = "postgres"
url_file = "store.url"
[[domain]]
name = "cloud.example"
path = "cloud"
`

// What is written of a configuration is a configuration, whatever its store.
func TestAConfigurationWithPostgreSQLCanBeWrittenAndReadAgain(t *testing.T) {
	c, err := Load("f.toml", []byte(pooled))
	if err != nil {
		t.Fatal(err)
	}
	c.Store.Path = ""
	var written bytes.Buffer
	if err := Encode(&written, c); err != nil {
		t.Fatal(err)
	}
	if _, err := Load("f.toml", written.Bytes()); err != nil {
		t.Errorf("%v\n%s", err, &written)
	}
	both := strings.Replace(pooled, "[store]", "[store]\npath = \"fourways.db\"", 1)
	if _, err := Load("f.toml", []byte(both)); err == nil || !strings.Contains(err.Error(), "store.path") {
		t.Errorf("a file beside the database: %v", err)
	}
}
