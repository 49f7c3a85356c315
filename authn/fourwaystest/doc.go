// Package fourwaystest starts a real fourways lab inside a Go test and talks to it.
//
// In come options and what people type; out come addresses, people with their passwords, results and traces as data.
// It runs the fourways program on free loopback ports in a temporary folder and ends it with the test: nothing is shared
// between two labs, and nothing is left behind. A mistake ends the test with a message that says what to do.
//
// The program is the one that FOURWAYS_BINARY or the option Binary names. Else it is built from the module that the test
// belongs to, once for each test process; `go get -tool github.com/fourways-id/fourways/cmd/fourways` puts it there.
//
// It imports the standard library and authn only, never signs anybody in by itself (the program does, the way a browser
// would), and never reaches another machine.
package fourwaystest
