package fourwaystest

import (
	"strconv"
	"time"
)

// Option changes how a lab is started.
type Option func(*options)

type options struct {
	binary string
	args   []string
}

// Seed makes another world: the same seed makes the same people with the same ids. Default 1.
func Seed(n int) Option { return Flags("--seed", strconv.Itoa(n)) }

// Crowd adds n people beside the demo world's own.
func Crowd(n int) Option { return Flags("--users", strconv.Itoa(n)) }

// Flags are given to `fourways up` as they are.
func Flags(args ...string) Option {
	return func(o *options) { o.args = append(o.args, args...) }
}

// Binary names the fourways program, and goes before FOURWAYS_BINARY.
func Binary(path string) Option { return func(o *options) { o.binary = path } }

// FaultOption changes how something is broken.
type FaultOption func(*faultSetting)

// faultSetting is what PUT /api/v1/faults/{name} takes.
type faultSetting struct {
	Scope  string  `json:"scope,omitempty"`
	Param  string  `json:"param,omitempty"`
	Rate   float64 `json:"rate,omitempty"`
	Next   int     `json:"next,omitempty"`
	For    string  `json:"for,omitempty"`
	Reason string  `json:"reason,omitempty"`
}

// Param is the fault's parameter: how long, or how many.
func Param(value string) FaultOption { return func(s *faultSetting) { s.Param = value } }

// Delay is Param for a duration.
func Delay(d time.Duration) FaultOption { return Param(d.String()) }

// Scope aims the fault: "user=NAME" or "domain=NAME", or what else `fourways fault list -o json` says that it may name.
func Scope(aim string) FaultOption { return func(s *faultSetting) { s.Scope = aim } }

// Rate is the share of messages that are hit, above 0 and at most 1.
func Rate(share float64) FaultOption { return func(s *faultSetting) { s.Rate = share } }

// Next ends the fault after n messages.
func Next(n int) FaultOption { return func(s *faultSetting) { s.Next = n } }

// For ends the fault by itself after a while: default 10 minutes, at most 30.
func For(d time.Duration) FaultOption { return func(s *faultSetting) { s.For = d.String() } }
