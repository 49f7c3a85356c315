package realtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// SPMetadata is a service provider's SAML 2.0 metadata, an EntityDescriptor as XML.
type SPMetadata []byte

// SAMLIdP is a running SimpleSAMLphp. Its login form has the fields username and password.
// It answers with a signed assertion, Anchor as persistent NameID, and the UPN in the attributes IDPEmail and
// http://schemas.xmlsoap.org/claims/UPN.
type SAMLIdP struct {
	URL         string // origin
	EntityID    string
	MetadataURL string
	Metadata    []byte // what MetadataURL answered
	People             // alice, bob
	*server
}

// SimpleSAMLphp gives a SAML identity provider of the test's own that knows one service provider.
func SimpleSAMLphp(t testing.TB, sp SPMetadata) *SAMLIdP {
	t.Helper()
	Need(t, "simplesamlphp")
	return own(t, func(on *stage) (*SAMLIdP, error) { return startSimpleSAMLphp(on, sp) })
}

// federatedPeople are the people of an identity provider; anchors are base64 of 16 bytes, as an objectGUID's is.
func federatedPeople(domain string) People {
	return People{
		{Name: "alice", Password: Password, UPN: "alice@" + domain, Anchor: "AAAAAAAAAAAAAAAAAAAAAQ==", State: "normal"},
		{Name: "bob", Password: Password, UPN: "bob@" + domain, Anchor: "AAAAAAAAAAAAAAAAAAAAAg==", State: "normal"},
	}
}

func startSimpleSAMLphp(on *stage, sp SPMetadata) (*SAMLIdP, error) {
	ip, err := loopback(8080)
	if err != nil {
		return nil, err
	}
	folder, err := on.folder("simplesamlphp")
	if err != nil {
		return nil, err
	}
	url := "http://" + ip + ":8080"
	idp := &SAMLIdP{
		URL: url, EntityID: url + "/idp", MetadataURL: url + "/saml2/idp/metadata.php",
		People: federatedPeople("saml.example.test"),
	}
	if err := idp.write(folder, ip, sp); err != nil {
		return nil, fmt.Errorf("simplesamlphp: %w", err)
	}
	path, err := program("php")
	if err != nil {
		return nil, err
	}
	idp.server = &server{on: on, folder: folder, command: func() *exec.Cmd {
		cmd := exec.Command(path, "-d", "session.save_path="+filepath.Join(folder, "tmp"), "-d", "display_errors=stderr",
			"-S", ip+":8080", "-t", "/usr/share/simplesamlphp/www")
		cmd.Env = environment("SIMPLESAMLPHP_CONFIG_DIR=" + filepath.Join(folder, "config"))
		return cmd
	}, answers: func(ctx context.Context) (err error) {
		idp.Metadata, err = fetch(ctx, idp.MetadataURL)
		// SimpleSAMLphp answers an exception page with status 200.
		if err == nil && !bytes.Contains(idp.Metadata, []byte("<md:IDPSSODescriptor")) {
			err = fmt.Errorf("no metadata at %s:\n%.2000s", idp.MetadataURL, idp.Metadata)
		}
		return err
	}}
	return idp, idp.start()
}

func (idp *SAMLIdP) write(folder, ip string, sp SPMetadata) error {
	for _, sub := range []string{"cert", "config", "data", "log", "metadata", "tmp"} {
		if err := os.Mkdir(filepath.Join(folder, sub), 0o700); err != nil {
			return err
		}
	}
	ca, err := newAuthority()
	if err != nil {
		return err
	}
	world := map[string]any{"Folder": folder, "URL": idp.URL, "EntityID": idp.EntityID, "Salt": rand.Text(), "People": idp.People}
	put := func(path, name string) error {
		text, err := render("simplesamlphp/"+name, world)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(folder, path, name), []byte(text), 0o600)
	}
	return errors.Join(
		ca.issue(filepath.Join(folder, "cert"), ip, "idp.example.test"),
		os.WriteFile(filepath.Join(folder, "sp-metadata.xml"), sp, 0o600),
		put("config", "config.php"), put("config", "authsources.php"), put("metadata", "saml20-idp-hosted.php"),
	)
}

// fetch gets a page of at most 1 MiB and wants status 200.
func fetch(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s:\n%.2000s", url, resp.Status, body)
	}
	return body, err
}
