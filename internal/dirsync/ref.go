package dirsync

import (
	"crypto/sha256"
	"encoding/base64"
)

// Ref is what a group names a member by on its way to the gateway: a hash of the member's DN in the one spelling that
// onprem.NormalDN gives it. The gateway knows the DNs of what is in scope, and learns nobody else's from a group.
func Ref(dn string) string {
	sum := sha256.Sum256([]byte(dn))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
