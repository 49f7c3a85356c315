package realtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// nodeFolder holds package.json, its lock and the program, below the module's root.
const nodeFolder = "internal/realtest/node"

// OIDCIdP is a running oidc-provider (certified OpenID provider). It wants code flow with PKCE and signs RS256.
// Its login form has the fields username and password. Claims: sub is Anchor; upn, preferred_username and email
// are UPN (scopes profile and email).
type OIDCIdP struct {
	Issuer       string
	ClientID     string
	ClientSecret string
	People       // alice, bob
	*server
}

// OIDCProvider gives an OpenID provider of the test's own with one client, which may be answered at redirectURI.
func OIDCProvider(t testing.TB, redirectURI string) *OIDCIdP {
	t.Helper()
	Need(t, "oidc-provider")
	return own(t, func(on *stage) (*OIDCIdP, error) { return startOIDC(on, redirectURI) })
}

func startOIDC(on *stage, redirectURI string) (*OIDCIdP, error) {
	const port = 8080
	ip, err := loopback(port)
	if err != nil {
		return nil, err
	}
	folder, err := on.folder("oidc")
	if err != nil {
		return nil, err
	}
	idp := &OIDCIdP{
		Issuer: "http://" + ip + ":" + strconv.Itoa(port), ClientID: "fourways", ClientSecret: "Client-Secret-1!",
		People: federatedPeople("oidc.example.test"),
	}
	settings, err := json.Marshal(map[string]any{
		"issuer": idp.Issuer, "host": ip, "port": port, "clientId": idp.ClientID, "clientSecret": idp.ClientSecret,
		"redirectURI": redirectURI, "people": idp.People,
	})
	if err != nil {
		return nil, err
	}
	path, err := program("node")
	if err != nil {
		return nil, err
	}
	idp.server = &server{on: on, folder: folder, command: func() *exec.Cmd {
		cmd := exec.Command(path, filepath.Join(moduleRoot(), nodeFolder, "provider.mjs"))
		cmd.Env, cmd.Stdin = environment(), bytes.NewReader(settings)
		return cmd
	}, answers: func(ctx context.Context) error {
		found, err := fetch(ctx, idp.Issuer+"/.well-known/openid-configuration")
		if err == nil && !bytes.Contains(found, []byte(`"issuer":"`+idp.Issuer+`"`)) {
			err = fmt.Errorf("the discovery document names another issuer:\n%s", found)
		}
		return err
	}}
	return idp, idp.start()
}
