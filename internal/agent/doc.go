// Package agent is the loop of the on-premises agent: it dials out to the gateway, tries the passwords that it is asked to
// try at the directory next to it, and reads that directory when it is asked to synchronise.
//
// In come an enrolled identity, a directory to bind to and a source to read; out go signed verdicts and sealed objects. The
// loop goes on until its context ends, whatever happens to the connection, and then finishes what it began.
//
// The reading, one file per concern:
//
//	source.go  what is asked for, by kind     scope.go     who is in scope, and why not: pure
//	whole.go   everything, scope by scope     changes.go   what changed since a cursor (cursor.go)
//	object.go  an entry as it is sent         hashes.go    whose hash is sent, and when it was set
//	look.go    one object by name             writeback.go the only writing there is, off unless configured
//	parts.go   bounded parts                  sync.go      parts on their way to the gateway, a run at a time
//
// It never opens a listening port, never writes a password or an NT hash anywhere, never binds twice for one request,
// never binds for a stranger (a decoy request binds the agent's own decoy account), sends nothing of who is out of scope but an
// id and the reason unless that one is looked for by name, and writes no attribute that its configuration doesn't name.
package agent
