// Package endtoend holds the tests that drive whole gateways the way people and programs do: over their listeners, with
// agents that dial in, browsers that fill in forms, and directories and identity providers behind them.
//
// In come whole gateways, opened as the commands open them; out comes the proof that the parts hold together: each path
// signs in the right person and nobody else, an outage is said to be one and heals, nothing of a password is left
// anywhere, and no answer tells who exists. Tests whose file begins with real_ need servers that this project did not
// write and run under `make test-real`; the others need Go alone. Nothing imports this package, and it never judges one
// part by itself: each package has tests of its own.
package endtoend
