package config

import (
	"strings"
	"testing"
)

// An exposed lab opens its sign-in page, never its console.
func TestTheConsoleStaysOnThisMachineInAnExposedLabToo(t *testing.T) {
	for listen, fine := range map[string]bool{"127.0.0.1:8401": true, "0.0.0.0:8401": false, ":8401": false} {
		_, err := load("test.toml", []byte("[server]\npublic_url = \"http://192.0.2.10:8400\"\nconsole_listen = \""+listen+"\"\n[lab]\nexpose = true\n"), nil)
		if refused := err != nil && strings.Contains(err.Error(), "server.console_listen"); refused == fine {
			t.Errorf("%s: %v", listen, err)
		}
	}
}
