package config

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// decoder writes plain TOML values into a struct of settings and complains of every one that doesn't fit.
type decoder struct {
	src  source
	list []Complaint
}

func (d *decoder) complain(key, wrong, do string) {
	d.list = append(d.list, d.src.complaint(key, wrong, do))
}

// table writes a TOML table into the struct v.
func (d *decoder) table(v reflect.Value, m map[string]any, prefix string) {
	known := fieldsOf(v.Type())
	for _, name := range slices.Sorted(maps.Keys(m)) {
		key := join(prefix, name)
		i, ok := known[name]
		if !ok {
			d.complain(key, "unknown key", adviseKey(name, slices.Collect(maps.Keys(known))))
			continue
		}
		d.value(v.Field(i), m[name], key)
	}
}

func adviseKey(name string, known []string) string {
	if near := closest(name, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	slices.Sort(known)
	return "known here: " + strings.Join(known, ", ")
}

// value writes one value into f.
func (d *decoder) value(f reflect.Value, x any, key string) {
	switch {
	case f.Kind() == reflect.Pointer:
		if f.IsNil() {
			f.Set(fresh(f.Type()))
		}
		d.value(f.Elem(), x, key)
	case f.Kind() == reflect.Struct:
		if m, ok := x.(map[string]any); ok {
			d.table(f, m, key)
			return
		}
		d.complain(key, "is not a table", fmt.Sprintf("write [%s]", key))
	case f.Kind() == reflect.Slice:
		d.slice(f, x, key)
	default:
		if wrong, do := setScalar(f, x); wrong != "" {
			d.complain(key, wrong, do)
		}
	}
}

func (d *decoder) slice(f reflect.Value, x any, key string) {
	items, ok := x.([]any)
	if !ok {
		if f.Type().Elem().Kind() == reflect.Struct {
			d.complain(key, "is not a list of tables", fmt.Sprintf("write [[%s]]", key))
			return
		}
		d.complain(key, "is not a list", `write it in brackets: ["..."]`)
		return
	}
	all := reflect.MakeSlice(f.Type(), len(items), len(items))
	for i, item := range items {
		elem := all.Index(i)
		elem.Set(fresh(elem.Type()))
		d.value(elem, item, fmt.Sprintf("%s[%d]", key, i))
	}
	f.Set(all)
}

// fresh is what a table begins with before its keys are read.
func fresh(t reflect.Type) reflect.Value {
	switch t {
	case reflect.TypeFor[IdP]():
		return reflect.ValueOf(defaultIdP())
	case reflect.TypeFor[*Lab]():
		return reflect.ValueOf(defaultLab())
	}
	if t.Kind() == reflect.Pointer {
		return reflect.New(t.Elem())
	}
	return reflect.Zero(t)
}

// setScalar writes a string, number, boolean or duration; it returns what is wrong with x and what to do.
func setScalar(f reflect.Value, x any) (wrong, do string) {
	switch {
	case f.Type() == reflect.TypeFor[Duration]():
		s, ok := x.(string)
		t, err := time.ParseDuration(s)
		if !ok || err != nil {
			return "is not a duration", `write a number and a unit: "90s", "2m", "24h"`
		}
		f.SetInt(int64(t))
	case f.Kind() == reflect.String:
		s, ok := x.(string)
		if !ok {
			return "is not a text", "write it in quotes"
		}
		f.SetString(s)
	case f.Kind() == reflect.Bool:
		b, ok := x.(bool)
		if !ok {
			return "is not a yes or no", "write true or false"
		}
		f.SetBool(b)
	case f.Kind() == reflect.Int:
		n, ok := x.(int64)
		if !ok {
			return "is not a whole number", "write it without quotes and fraction"
		}
		f.SetInt(n)
	case f.Kind() == reflect.Float64:
		n, ok := number(x)
		if !ok || math.IsNaN(n) || math.IsInf(n, 0) {
			return "is not a number", "write it without quotes"
		}
		f.SetFloat(n)
	}
	return "", ""
}

func number(x any) (float64, bool) {
	switch n := x.(type) {
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

// fieldsOf maps the TOML names of a struct to its fields.
func fieldsOf(t reflect.Type) map[string]int {
	names := map[string]int{}
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("toml"), ","); name != "" {
			names[name] = i
		}
	}
	return names
}

// environment writes the variables PREFIX<SECTION>__<KEY> over what the file said. Lists are separated by commas.
// Tables that repeat ([[domain]], [[idp]]) can't be set this way.
func (d *decoder) environment(v reflect.Value, prefix, butNot string, environ []string) {
	for _, entry := range slices.Sorted(slices.Values(environ)) {
		name, text, _ := strings.Cut(entry, "=")
		rest, ok := strings.CutPrefix(name, prefix)
		section, key, two := strings.Cut(strings.ToLower(rest), "__")
		if !ok || !two || (butNot != "" && strings.HasPrefix(name, butNot)) {
			continue
		}
		d.src.env[section+"."+key] = name
		d.variable(v, section, key, text)
	}
}

func (d *decoder) variable(v reflect.Value, section, key, text string) {
	full := section + "." + key
	i, ok := fieldsOf(v.Type())[section]
	if !ok || v.Field(i).Kind() == reflect.Slice {
		d.complain(full, "no section of that name can be set by a variable", "unset it")
		return
	}
	s := v.Field(i)
	if s.Kind() == reflect.Pointer {
		if s.IsNil() {
			s.Set(fresh(s.Type()))
		}
		s = s.Elem()
	}
	known := fieldsOf(s.Type())
	j, ok := known[key]
	if !ok {
		d.complain(full, "unknown key", adviseKey(key, slices.Collect(maps.Keys(known))))
		return
	}
	d.value(s.Field(j), fromText(s.Field(j), text), full)
}

// fromText is the TOML value that a variable's text stands for; text that doesn't fit stays text, and is complained of
// like a quoted value in the file.
func fromText(f reflect.Value, text string) any {
	switch f.Kind() {
	case reflect.Slice:
		list := []any{}
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item != "" {
				list = append(list, item)
			}
		}
		return list
	case reflect.Bool:
		if b, err := strconv.ParseBool(text); err == nil {
			return b
		}
	case reflect.Int:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
	case reflect.Float64:
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			return n
		}
	}
	return text
}
