package config

import (
	"reflect"
	"regexp"
)

// allKeys lists every key that a file may have, repeating tables without an index; [lab] has no place in the example.
func allKeys() []string {
	c := Default()
	c.Domain, c.IdP = []Domain{{PasswordHashSync: new(bool)}}, []IdP{defaultIdP()}
	c.Rollout, c.License, c.App = make([]Rollout, 1), make([]License, 1), make([]App, 1)
	var keys []string
	for _, s := range settings(reflect.ValueOf(c), "") {
		if s.key != "idp[0].metadata" { // shown in the comment: it excludes metadata_file
			keys = append(keys, index().ReplaceAllString(s.key, ""))
		}
	}
	return keys
}

// knows reports that key stands in the file, in any element of a repeating table.
func (s source) knows(key string) bool {
	for at := range s.at {
		if index().ReplaceAllString(at, "") == key {
			return true
		}
	}
	return false
}

func index() *regexp.Regexp { return regexp.MustCompile(`\[\d+\]`) }
