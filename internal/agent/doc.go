// Package agent is the loop of the on-premises agent: it dials out to the gateway, tries the passwords that it is asked to
// try at the directory next to it, and reads that directory when it is asked to synchronise.
//
// In come an enrolled identity, a directory to bind to and a source to read; out go signed verdicts and sealed objects. The
// loop goes on until its context ends, whatever happens to the connection, and then finishes what it began.
//
// It never opens a listening port, never writes a password or an NT hash anywhere, never binds twice for one request, and
// never binds for a stranger: a decoy request binds the agent's own decoy account.
package agent
