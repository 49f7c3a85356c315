// Package dc is the lab's simulated Active Directory domain controller: an LDAPv3 server (RFC 4511) on one TCP port that
// answers the way a domain controller does.
//
// What comes in: LDAP requests over TCP, StartTLS first; entries from Seed; a clock and a certificate from the caller.
// What goes out: LDAP answers, with Active Directory's diagnostic texts and sub-codes (bind.go, account.go), one Event for
// each request, and one JSON file that holds the domain between two starts (persist.go).
//
// The map, one file per concern:
//
//	server.go   options, listener, graceful end          conn.go      one connection: frames, StartTLS, dispatch
//	message.go  requests and responses in BER            domain.go    the entries and their indexes
//	bind.go     names, passwords, compare                account.go   Active Directory's account rules, lockout
//	search.go   scope, paging, limits                    result.go    attribute selection, ranges, rootDSE
//	filter.go   three-valued filter evaluation           schema.go    syntaxes, hidden and protected attributes
//	modify.go   add and modify                           value.go     what a value must be, passwords
//	rename.go   delete and rename                        seed.go      loading entries without LDAP
//	dn.go       distinguished names (RFC 4514)           builtin.go   what every domain is made with
//	persist.go  the state file                           intercept.go a seam to break it
//
// Everybody who signed in may search, as in Active Directory; without a bind only the rootDSE can be read. Only the
// administrator may change anything, and passwords only over TLS. The attribute fourwaysNTHash is the lab's stand-in for
// replication rights: over TLS the sync reader, and nobody else, can read a person's NT hash in it. For everyone else, the
// administrator included, it doesn't exist: not in results, not in filters, not in compare.
//
// The package never holds a clear password longer than a request, never logs one, never speaks Kerberos, NTLM or DRSR, never
// follows a referral, and knows nothing of the lab's people.
package dc
