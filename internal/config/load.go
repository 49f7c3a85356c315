package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
)

// The variables that set keys, and those of the agent.
const (
	envPrefix      = "FOURWAYS_"
	agentEnvPrefix = "FOURWAYS_AGENT_"
)

// longest bounds a configuration, in bytes: one that is longer is the wrong file.
const longest = 4 << 20

// Load reads the TOML text data over the defaults and the environment over both. name is the file's name in complaints.
// The error is an *Errors with everything that is wrong with the text; Check judges the files that it names.
func Load(name string, data []byte) (*Config, error) {
	return load(name, data, os.Environ())
}

// LoadFile is Load of a file.
func LoadFile(path string) (*Config, error) {
	data, err := read(path, "make one with `fourways config init`")
	if err != nil {
		return nil, err
	}
	return Load(path, data)
}

// LoadAgent reads fourways-agent's file: defaults, file, then FOURWAYS_AGENT_SECTION__KEY.
func LoadAgent(path string) (*Agent, error) {
	data, err := read(path, "docs/how-to/point-at-your-own-ad.md has one to copy")
	if err != nil {
		return nil, err
	}
	return loadAgent(path, data, os.Environ())
}

func read(path, howToMake string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &Errors{List: []Complaint{{File: path, Wrong: "there is no such file", Do: howToMake + ", or name another with -c"}}}
	case err != nil:
		return nil, fmt.Errorf("read the configuration: %w", err)
	case info.Size() > longest:
		return nil, &Errors{List: []Complaint{{File: path, Wrong: fmt.Sprintf("is %d bytes long", info.Size()), Do: "name a TOML file of at most 4 MiB"}}}
	}
	data, err := os.ReadFile(path) //nolint:gosec // G304: the operator names the file
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	return data, nil
}

func load(name string, data []byte, environ []string) (*Config, error) {
	doc, src, err := parse(name, data)
	if err != nil {
		return nil, err
	}
	c := Default()
	d := decoder{src: src}
	d.table(reflect.ValueOf(c).Elem(), doc, "")
	d.environment(reflect.ValueOf(c).Elem(), envPrefix, agentEnvPrefix, environ)
	c.source = d.src
	v := validator{src: d.src, list: d.list}
	v.config(c)
	if err := asError(v.list); err != nil {
		return nil, err
	}
	return c, nil
}

func loadAgent(name string, data []byte, environ []string) (*Agent, error) {
	doc, src, err := parse(name, data)
	if err != nil {
		return nil, err
	}
	a := DefaultAgent()
	d := decoder{src: src}
	d.table(reflect.ValueOf(a).Elem(), doc, "")
	d.environment(reflect.ValueOf(a).Elem(), agentEnvPrefix, "", environ)
	a.source = d.src
	a.complete()
	v := validator{src: d.src, list: d.list}
	v.agent(a)
	if err := asError(v.list); err != nil {
		return nil, err
	}
	return a, nil
}
