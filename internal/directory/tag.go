package directory

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
)

// Tag is the version of an object: a short hash of its JSON. Two administrators who read the same version and change it
// are told apart by it (RFC 9110, section 8.8.3).
func Tag(object any) string {
	text, err := json.Marshal(object)
	if err != nil { // the directory's own types always marshal
		return ""
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}
