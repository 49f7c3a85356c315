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
	ready  time.Duration
}

// readyWithin is how long a lab may take until it is ready. It takes a second or two: this is for a machine that is busy.
const readyWithin = 90 * time.Second

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

// ReadyWithin is how long Start waits for the lab to be ready, without building the program. Default 90 seconds.
func ReadyWithin(d time.Duration) Option { return func(o *options) { o.ready = d } }
