package main

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/onprem"
)

// realClock tells the time of the machine.
type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

// identityPath is where the agent's keys are.
func identityPath(c *config.Agent) string {
	return filepath.Join(c.Agent.DataDir, agentlink.IdentityFile)
}

// openDirectory makes the directory client. It connects to nothing.
func openDirectory(c *config.Agent) (*onprem.Directory, error) { return openBy(c, c.Sync.Changes) }

// openBy is openDirectory with a way to follow changes; "": the best there is.
func openBy(c *config.Agent, changes string) (*onprem.Directory, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	d := c.Directory
	password, err := readSecret(d.BindPasswordFile)
	if err != nil {
		return nil, err
	}
	roots, err := readRoots(d.CAFile)
	if err != nil {
		return nil, err
	}
	dir, err := onprem.New(onprem.Config{
		URLs: d.URLs, TLS: d.TLS, RootCAs: roots, ServerName: d.ServerName, Timeout: time.Duration(d.Timeout),
		BindDN: d.BindDN, BindPassword: password, BaseDN: d.BaseDN,
		UserFilter: d.UserFilter, UPNAttribute: d.UPNAttribute, Kind: d.Kind, AnchorAttribute: d.AnchorAttribute,
		Changes: changes, Watch: sourceOptions(c).Watch(),
	})
	if err != nil {
		return nil, &exitError{fmt.Errorf("the [directory] of the configuration can't work: %w", err), exitConfig}
	}
	return dir, nil
}

// sourceOptions are what a syncing agent reads.
func sourceOptions(c *config.Agent) agent.SourceOptions {
	o := agent.SourceOptions{
		Kind: c.Directory.Kind, Scope: c.Sync.Scope, CloudUPN: c.Sync.CloudUPNAttribute, BindUPN: c.Directory.UPNAttribute,
		Narrow:          agent.Narrow{Exclude: c.Sync.Exclude, Groups: c.Sync.Groups, Filter: c.Sync.Filter},
		AnchorAttribute: c.Directory.AnchorAttribute, SelectiveHashes: c.Sync.SelectiveHashes, WriteBack: c.Sync.WriteBack,
	}
	if len(o.Scope) == 0 {
		o.Scope = []string{c.Directory.BaseDN}
	}
	if c.Sync.HashSource == "attribute" {
		o.HashAttribute = c.Sync.HashAttribute
	}
	return o
}

// openDecoy reads the decoy account.
func openDecoy(c *config.Agent) (agent.Decoy, error) {
	password, err := readSecret(c.Decoy.PasswordFile)
	if err != nil {
		return agent.Decoy{}, err
	}
	return agent.Decoy{UPN: c.Decoy.UPN, Password: password}, nil
}

// readSecret reads a password file; one newline at its end is not part of the password.
func readSecret(path string) (authn.Secret, error) {
	if path == "" {
		return authn.Secret{}, nil
	}
	b, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return authn.Secret{}, fmt.Errorf("read a password file: %w", err)
	}
	b = bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
	if len(b) == 0 {
		return authn.Secret{}, &exitError{fmt.Errorf("%s is empty: write the password into it", path), exitConfig}
	}
	return authn.NewSecret(b), nil
}

func readRoots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("read the directory's CA: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(b) {
		return nil, &exitError{errors.New(path + " holds no certificate in PEM"), exitConfig}
	}
	return roots, nil
}

// version is what the build says of itself.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
