// Package onprem is the only place that speaks LDAP as a client: it asks the on-premises directory (Active Directory, or
// OpenLDAP with ppolicy) whether a password is right, reads people, groups and contacts, tells what changed among them, and
// carries out an administrator's changes.
//
// What comes in: a Config; a user principal name and a Secret for Bind; a Query for Read; a Position for Changes; ids for
// Entries; a DN and changes for Modify. What goes out: a Verdict that always says one of three things (right, refused and
// why, could not look), entries as raw octets, ids of what changed, or an error an operator can act on.
//
// The map: dial.go opens a connection and puts TLS on it, frames.go watches what really comes over it, pool.go keeps a few
// open, bind.go asks about a password, reason.go holds the one table from the directory's codes to reasons, read.go reads,
// entries.go reads and writes by id, change.go writes, check.go tells an operator what is wrong. Of what changed: position.go
// holds the common part, site.go who the server is, and dirsync.go, usn.go, syncrepl.go and csn.go one way each.
//
// The package never follows a referral, never sends an empty password, never waits longer than its context and its Timeout,
// never logs, and never puts a password into an error.
package onprem
