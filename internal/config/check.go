package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Check judges the files that the configuration names: they are there, and no secret can be read by strangers. The root
// key may be missing, since the first start makes it. The error is an *Errors with every complaint.
func (c *Config) Check() error {
	f := files{src: c.source}
	f.readable("server.tls_cert_file", c.Server.TLSCertFile)
	f.secret("server.tls_key_file", c.Server.TLSKeyFile)
	if _, err := os.Stat(c.Store.RootKeyFile); !errors.Is(err, fs.ErrNotExist) {
		f.secret("store.root_key_file", c.Store.RootKeyFile)
	}
	f.secret("store.url_file", c.Store.URLFile)
	f.breached("password.breached_file", c.Password.BreachedFile)
	for i, p := range c.IdP {
		f.readable(fmt.Sprintf("idp[%d].metadata_file", i), p.MetadataFile)
		f.secret(fmt.Sprintf("idp[%d].client_secret_file", i), p.ClientSecretFile)
	}
	return asError(f.list)
}

// RefuseLab complains of any lab setting: `serve` is not a lab.
func (c *Config) RefuseLab() error {
	if c.Lab == nil {
		return nil
	}
	key := "lab"
	for k := range c.source.env {
		if parent(k) == "lab" {
			key = k
		}
	}
	return asError([]Complaint{c.source.complaint(key, "is for the lab, whose passwords are public", "remove it, or start the lab with `fourways up`")})
}

// Check judges the files that the agent's configuration names.
func (a *Agent) Check() error {
	f := files{src: a.source}
	f.readable("directory.ca_file", a.Directory.CAFile)
	f.secret("directory.bind_password_file", a.Directory.BindPasswordFile)
	f.secret("decoy.password_file", a.Decoy.PasswordFile)
	return asError(f.list)
}

type files struct {
	src  source
	list []Complaint
}

func (f *files) bad(key, wrong, do string) {
	f.list = append(f.list, f.src.complaint(key, wrong, do))
}

// readable complains of a named file that can't be read.
func (f *files) readable(key, path string) bool {
	if path == "" {
		return false
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.bad(key, "there is no file "+path, "make it, or correct the name (it is relative to where fourways is started)")
		return false
	case err != nil || info.IsDir():
		f.bad(key, path+" is not a file that can be read", "correct the name")
		return false
	}
	file, err := os.Open(path) //nolint:gosec // G304: the operator names the file
	if err != nil {
		f.bad(key, path+" can't be opened", "let the user that runs fourways read it")
		return false
	}
	_ = file.Close() // it was opened for reading only
	return true
}

// secret complains of a named file that is missing or that every user of the machine can read.
func (f *files) secret(key, path string) {
	if !f.readable(key, path) {
		return
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o007 != 0 {
		f.bad(key, path+" can be read by every user of this machine", "chmod 600 "+path)
	}
}
