package config

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/pelletier/go-toml/v2"
)

// setting is one key with its effective value.
type setting struct{ key, value string }

// settings lists every key of the configuration in the order of the structs.
func settings(v reflect.Value, prefix string) []setting {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	switch {
	case v.Kind() == reflect.Struct:
		var all []setting
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("toml"), ",")
			if name != "" {
				all = append(all, settings(v.Field(i), join(prefix, name))...)
			}
		}
		return all
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		var all []setting
		for i := range v.Len() {
			all = append(all, settings(v.Index(i), fmt.Sprintf("%s[%d]", prefix, i))...)
		}
		return all
	}
	return []setting{{prefix, literal(v)}}
}

// literal is the value as a file would have it.
func literal(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case Duration:
		return strconv.Quote(x.String())
	case []string:
		quoted := make([]string, len(x))
		for i, s := range x {
			quoted[i] = strconv.Quote(s)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	}
	if v.Kind() == reflect.String {
		return strconv.Quote(v.String())
	}
	return fmt.Sprint(v.Interface())
}

// Show writes the effective configuration: each key, its value, and where it came from (default, file or env). No key
// holds a secret; the files that do are named, not read. Inline metadata is shown by its length.
func Show(w io.Writer, c *Config) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range settings(reflect.ValueOf(c), "") {
		value := s.value
		if strings.HasSuffix(s.key, ".metadata") && value != `""` {
			value = fmt.Sprintf("(%d bytes of XML)", len(value)-2)
		}
		origin := c.source.origin(s.key)
		if origin == OriginEnv {
			origin += " " + c.source.env[s.key]
		}
		if _, err := fmt.Fprintf(tw, "%s\t%s\t%s\n", s.key, value, origin); err != nil {
			return fmt.Errorf("show the configuration: %w", err)
		}
	}
	if err := tw.Flush(); err != nil {
		return fmt.Errorf("show the configuration: %w", err)
	}
	return nil
}

// Encode writes the configuration as a file that Load reads back.
func Encode(w io.Writer, c *Config) error {
	if err := toml.NewEncoder(w).Encode(c); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return nil
}

// restartKeys are what a running gateway doesn't change: listeners, the store, the lab, the pool whose memory was promised
// at the start, and what was handed to sessions, limits and schedules when they began. A name stands for all below it.
func restartKeys() []string {
	return []string{
		"server", "store", "hashing", "lab", "log", "signin", "pta", "sync.directory_interval", "sync.hash_interval", "sync.watch_interval",
	}
}

// needsRestart reports a key that Reloaded leaves as it was.
func needsRestart(key string) bool {
	return slices.ContainsFunc(restartKeys(), func(k string) bool { return key == k || strings.HasPrefix(key, k+".") })
}

// Reloaded is what a gateway that runs on running has in force once it has read fresh: what needs a restart stays as it is.
func Reloaded(running, fresh *Config) *Config {
	c := *fresh
	c.Server, c.Store, c.Hashing, c.Lab, c.Log = running.Server, running.Store, running.Hashing, running.Lab, running.Log
	c.SignIn, c.PTA = running.SignIn, running.PTA
	c.Sync.DirectoryInterval, c.Sync.HashInterval = running.Sync.DirectoryInterval, running.Sync.HashInterval
	c.Sync.WatchInterval = running.Sync.WatchInterval
	return &c
}

// Changes lists the keys in which two configurations differ: those a reload takes over while sign-ins go on, and those
// that need a restart. Tables that repeat are named by what they configure: domain "pta.example.test" path.
func Changes(old, new *Config) (live, restart []string) {
	before, after := named(old), named(new)
	keys := map[string]bool{}
	for k := range before {
		keys[k] = true
	}
	for k := range after {
		keys[k] = true
	}
	for k := range keys {
		if before[k] == after[k] {
			continue
		}
		if needsRestart(k) {
			restart = append(restart, k)
		} else {
			live = append(live, k)
		}
	}
	slices.Sort(live)
	slices.Sort(restart)
	return live, restart
}

// named maps every setting to its value, elements of repeating tables under their names.
func named(c *Config) map[string]string {
	all := map[string]string{}
	for _, s := range settings(reflect.ValueOf(c), "") {
		all[stableKey(c, s.key)] = s.value
	}
	return all
}

// stableKey puts a name in the place of an index, so that a domain that only moved in the file has not changed.
func stableKey(c *Config, key string) string {
	table, rest, ok := strings.Cut(key, "[")
	index, rest, _ := strings.Cut(rest, "]")
	i, err := strconv.Atoi(index)
	switch {
	case !ok || err != nil:
		return key
	case table == "domain":
		return fmt.Sprintf("domain %q%s", c.Domain[i].Name, rest)
	case table == "license":
		return fmt.Sprintf("license %q%s", c.License[i].ID, rest)
	case table == "app":
		return fmt.Sprintf("app %q%s", c.App[i].ID, rest)
	case table == "rollout":
		return fmt.Sprintf("rollout %q%s", c.Rollout[i].Group, rest)
	default:
		return fmt.Sprintf("idp %q%s", c.IdP[i].ID, rest)
	}
}
