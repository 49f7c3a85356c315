package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fourways-id/fourways/internal/config"
)

// soon is when an expiry is near enough to warn of.
const soon = 30 * 24 * time.Hour

// Machine looks at what a configuration names on this machine: files, certificate, disk. now is real time.
func Machine(c *config.Config, now func() time.Time) []Check {
	checks := []Check{
		{ID: "config.files", Title: "Files that the configuration names", Run: func(context.Context) Seen { return configFiles(c) }},
		{ID: "config.secrets", Title: "Nobody else can read keys and secrets", Run: func(context.Context) Seen { return secretModes(c) }},
		{ID: "tls.certificate", Title: "The public listener's certificate", Run: func(context.Context) Seen { return listenerCertificate(c, now()) }},
	}
	if c.Store.Driver == config.DriverPostgres {
		return checks // the store's disk is another machine's
	}
	return append(checks, Check{ID: "store.disk", Title: "Room on the store's disk", Run: func(context.Context) Seen { return disk(filepath.Dir(c.Store.Path)) }})
}

// ConfigFile judges a configuration file's text. The Config is nil unless the file is valid.
func ConfigFile(path string) (*config.Config, Check) {
	c, err := config.LoadFile(path)
	return c, Check{ID: "config.file", Title: "The configuration file", Run: func(context.Context) Seen {
		if errors.Is(err, fs.ErrPermission) {
			return Fail("run the doctor as the user that runs fourways", "%v", err)
		}
		if err != nil {
			return Fail("correct the file, then run `fourways config check -c "+path+"`", "%s", complaints(err))
		}
		if len(c.Domain) == 0 {
			return Warn("add a [[domain]]; `fourways choose` helps with its path", "%s has no [[domain]]: nobody can sign in", path)
		}
		return OK("%s is valid: %s, %s", path, count(len(c.Domain), "domain", "domains"), count(len(c.IdP), "identity provider", "identity providers"))
	}}
}

// complaints puts every complaint on one line.
func complaints(err error) string {
	var bad *config.Errors
	if errors.As(err, &bad) {
		return strings.ReplaceAll(strings.TrimSpace(bad.Error()), "\n", "; ")
	}
	return err.Error()
}

func configFiles(c *config.Config) Seen {
	if err := c.Check(); err != nil {
		return Fail("correct what is named, then run `fourways config check`", "%s", complaints(err))
	}
	return OK("every file that is named is there and can be read")
}

// secretModes is stricter than config.Check, which lets a group read: that may be on purpose, so it is a warning.
func secretModes(c *config.Config) Seen {
	files := []string{c.Store.RootKeyFile, c.Store.Path, c.Store.Path + "-wal", c.Server.TLSKeyFile, c.Store.URLFile}
	for _, p := range c.IdP {
		files = append(files, p.ClientSecretFile)
	}
	slices.Sort(files)
	var all []Seen
	for _, path := range slices.Compact(files) {
		info, err := os.Stat(path)
		if path == "" || err != nil {
			continue // config.files and store.file say what is missing
		}
		switch mode := info.Mode().Perm(); {
		case mode&0o007 != 0:
			all = append(all, Fail("chmod 600 "+path, "%s can be used by every user of this machine (mode %04o)", path, mode))
		case mode&0o070 != 0:
			all = append(all, Warn("chmod 600 "+path+", unless that group is meant to", "%s can be used by its group (mode %04o)", path, mode))
		default:
			all = append(all, OK("%s has mode %04o", path, mode))
		}
	}
	return Worst(Skip("start the gateway once: it makes its root key and its store", "no key and no secret is there yet"), all...)
}

func listenerCertificate(c *config.Config, now time.Time) Seen {
	if c.Server.TLSCertFile == "" {
		if strings.HasPrefix(c.Server.PublicURL, "https://") {
			return Skip("look at the proxy's certificate", "none is configured: %s is served by a proxy in front", c.Server.PublicURL)
		}
		return OK("none is needed: %s stays on this machine", c.Server.PublicURL)
	}
	pair, err := tls.LoadX509KeyPair(c.Server.TLSCertFile, c.Server.TLSKeyFile)
	if err != nil {
		return Fail("check server.tls_cert_file and server.tls_key_file", "certificate and key can't be used: %v", err)
	}
	host := strings.TrimPrefix(c.Server.PublicURL, "https://")
	if at := strings.LastIndex(host, ":"); at > 0 {
		host = host[:at]
	}
	if err := pair.Leaf.VerifyHostname(host); err != nil {
		return Fail("get a certificate for "+host, "the certificate is for another name: %v", err)
	}
	return expiry(c.Server.TLSCertFile, pair.Leaf.NotAfter, now, "renew it; the gateway takes up the new files by itself")
}

// CertificateFile judges when the first certificate of a PEM file runs out.
func CertificateFile(path string, now time.Time) Seen {
	raw, err := os.ReadFile(path) //nolint:gosec // the operator's own file
	if err != nil {
		return Skip("", "the certificate can't be read: %v", err)
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return Fail("", "%s holds no certificate in PEM", path)
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return Fail("", "%s: %v", path, err)
	}
	return expiry(path, leaf.NotAfter, now, "renew it")
}

func expiry(what string, end, now time.Time, fix string) Seen {
	day := end.UTC().Format(time.DateOnly)
	switch left := end.Sub(now); {
	case left <= 0:
		return Fail(fix, "%s ran out on %s", what, day)
	case left < soon:
		return Warn(fix, "%s runs out on %s, in %s", what, day, count(int(left/(24*time.Hour)), "day", "days"))
	}
	return OK("%s is good until %s", what, day)
}

// The room that a disk should have: a sign-in's records take a few KiB, so this is some hundred thousand of them.
const (
	tight = 256 << 20
	full  = 32 << 20
)

// disk looks at the folder that is there: the first start makes what is missing below it.
func disk(dir string) Seen {
	for parent := filepath.Dir(dir); parent != dir; parent = filepath.Dir(dir) {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		dir = parent
	}
	free, err := freeBytes(dir)
	if err != nil {
		return Skip("", "the room on the disk of %s can't be told: %v", dir, err)
	}
	return room(dir, free)
}

func room(dir string, free uint64) Seen {
	says := fmt.Sprintf("%d MiB are free at %s", free>>20, dir)
	const fix = "make room: a sign-in that can't be written down is refused"
	switch {
	case free < full:
		return Fail(fix, "%s", says)
	case free < tight:
		return Warn(fix, "%s", says)
	}
	return OK("%s", says)
}
