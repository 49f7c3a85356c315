package config

import (
	_ "embed" // the example is a file that people read
	"slices"
)

//go:embed example.toml
var example []byte

// Example is the commented file that `config init` writes: every key, its default, its unit and why.
func Example() []byte { return slices.Clone(example) }
