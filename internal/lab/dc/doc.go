// Package dc is the lab's simulated Active Directory domain controller: an LDAPv3 server (RFC 4511) on one TCP port that
// answers the way a domain controller does.
//
// What comes in: LDAP requests over TCP, StartTLS first; entries from Seed; a clock and a certificate from the caller.
// What goes out: LDAP answers, with Active Directory's diagnostic texts and sub-codes (bind.go, account.go), one Event for
// each request, and one JSON file that holds the domain between two starts (persist.go).
//
// The map, one file per concern:
//
//	server.go    options, listener, graceful end          conn.go      one connection: frames, StartTLS, dispatch
//	message.go   requests and responses in BER            domain.go    the entries and their indexes
//	entry.go     one object                               history.go   the order of changes
//	bind.go      names, passwords, compare                account.go   Active Directory's account rules, lockout
//	search.go    scope, paging, limits                    result.go    attribute selection, ranges
//	filter.go    three-valued filter evaluation           narrow.go    which entries a filter is tried on
//	rootdse.go   rootDSE, NTDS Settings                   dirsync.go   what has changed since a cookie
//	modify.go    add and modify                           merge.go     values that come and go
//	rename.go    rename and move                          tombstone.go delete, and what is left
//	schema.go    syntaxes, hidden, protected attributes   value.go     what a value must be, passwords
//	seed.go      loading entries without LDAP             builtin.go   what every domain is made with
//	dn.go        distinguished names (RFC 4514)           intercept.go a seam to break it
//	persist.go   the state file                           world.go     kept states
//
// Everybody who signed in may search, as in Active Directory; without a bind only the rootDSE can be read. Only the
// administrator may change anything, and passwords only over TLS. The attribute fourwaysNTHash is the lab's stand-in for
// replication rights: over TLS the sync reader, and nobody else, can read a person's NT hash in it. For everyone else, the
// administrator included, it doesn't exist: not in results, not in filters, not in compare, and for nobody in DirSync.
//
// The two built-in accounts may follow changes: by uSNChanged, or by DirSync, and they alone see tombstones. What counts as a
// change, and of which object, is as a Samba domain controller was seen to do it: a member that is renamed or deleted doesn't
// move its groups' uSNChanged, a unit not that of what is below it, and the random password of a smart card not pwdLastSet.
//
// The package never holds a clear password longer than a request, never logs one, never speaks Kerberos, NTLM or DRSR, never
// follows a referral, and knows nothing of the lab's people.
package dc
