// Package passhash holds the password hash schemes as pure functions, proved by published vectors, and the one bounded
// Pool in which they are run.
//
// In come a password's bytes and a stored record; out comes whether they match. It stores nothing, logs nothing and knows
// no account.
package passhash
