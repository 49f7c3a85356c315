// Package architecture holds no program, only tests: they read the module's source and its import table and complain
// when a package points where it must not, grows past its budget, or does what only another room of the house may do.
//
// In comes `go list`, go.mod, the Dockerfile and the syntax trees; out go complaints that name the file and the rule.
// Nothing in here is ever imported.
package architecture
