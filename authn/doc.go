// Package authn says what a sign-in is: its vocabulary and its one flow.
//
//	Request -> Identifier -> Account -> Realm -> Guard.Reserve -> Provider.Step -> settle -> Commit -> Result
//
// In comes a Request (what a person typed, and from where) or, for a later step, a Pending and an Answer. Out comes a
// Result that has already been written down: by the time a caller sees it, the Record, the session, the lockout count and
// the ids that are good once are durable, all or none of them.
//
// Three answers are kept apart everywhere. Denied says that somebody looked and the answer is no. Unavailable says that
// nobody could look. Challenged asks for more. Only settle turns a provider's Allowed into a person who is in.
//
// The package never speaks HTTP, never logs, never opens a file or a socket, and imports the standard library only. What
// it needs from outside are the ports in ports.go.
package authn
