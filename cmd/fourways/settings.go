package main

import "strings"

// setting is one line of the configuration as it is shown.
type setting struct {
	Key    string `json:"key"`
	Value  string `json:"value"` // as a TOML file has it
	Origin string `json:"origin"`
}

// settingLines takes the columns of config.Show apart: they are separated by two blanks or more.
func settingLines(text string) []setting {
	var all []setting
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		key, rest, _ := strings.Cut(line, " ")
		rest = strings.TrimLeft(rest, " ")
		end := strings.LastIndex(rest, "  ")
		if key == "" || end < 0 {
			continue
		}
		all = append(all, setting{Key: key, Value: strings.TrimRight(rest[:end], " "), Origin: rest[end+2:]})
	}
	return all
}

func settingColumns() columns[setting] {
	return columns[setting]{
		names: []string{"key", "value", "origin"},
		cells: func(s setting) []string { return []string{s.Key, s.Value, s.Origin} },
	}
}
