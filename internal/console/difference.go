package console

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// difference is what a change did to an object as the audit log has it: each field that is not the same any more, by its
// JSON name, as `displayName: "A" -> "B"`. Fields within fields are compared as a whole; the fields in except are left out.
func difference(before, after any, except ...string) string {
	was, is := fields(before), fields(after)
	var names, told []string
	for name := range was {
		names = append(names, name)
	}
	for name := range is {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if old, now := shortly(was[name]), shortly(is[name]); old != now && !slices.Contains(except, name) {
			told = append(told, fmt.Sprintf("%s: %s -> %s", name, old, now))
		}
	}
	return strings.Join(told, ", ")
}

func fields(object any) map[string]json.RawMessage {
	var all map[string]json.RawMessage
	text, err := json.Marshal(object)
	if err != nil || json.Unmarshal(text, &all) != nil {
		return nil // it is no object: nothing of it can be told
	}
	return all
}

// shortly is a value that fits on a line of the audit log; one that is not there is a dash.
func shortly(value json.RawMessage) string {
	const most = 200
	switch {
	case len(value) == 0 || string(value) == "null":
		return "-"
	case len(value) > most:
		return strings.ToValidUTF8(string(value[:most]), "") + "…"
	}
	return string(value)
}
