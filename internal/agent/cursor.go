package agent

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/onprem"
)

// cursor is where a read ended, in this agent's own words. Another agent with the same rules goes on from it.
type cursor struct {
	Rules    string          `json:"rules"`             // digest of the rules that it was read by
	Members  string          `json:"members,omitempty"` // digest of the members of the groups that make the scope
	Position json.RawMessage `json:"position"`          // onprem.Position
}

// rulesVersion changes when this program comes to read otherwise what was read already.
const rulesVersion = 2

// digest names the rules of one kind of read.
func (s *source) digest(kind dirsync.Kind) string {
	o := s.o
	about := []any{rulesVersion, kind, o.Kind, o.Scope, o.Narrow, o.CloudUPN, o.BindUPN, o.AnchorAttribute}
	if kind == dirsync.KindHash {
		about = append(about, o.HashAttribute, o.SelectiveHashes)
	} else {
		about = append(about, o.WriteBack)
	}
	b, _ := json.Marshal(about) // strings alone
	return fingerprint(b)
}

func fingerprint(b []byte) string {
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// write is a cursor's text; nil when the directory gives no position, or one that is too long to be kept.
func (c cursor) write() []byte {
	if len(c.Position) == 0 {
		return nil
	}
	b, err := json.Marshal(c)
	if err != nil || len(b) > dirsync.LongestCursor {
		return nil
	}
	return b
}

// goOn reads a cursor; why says what keeps a read from going on from it.
func goOn(text []byte, rules, members string) (from onprem.Position, why string) {
	var c cursor
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	switch err := dec.Decode(&c); {
	case err != nil || len(c.Position) == 0:
		return nil, "the cursor is none of this version of the agent"
	case c.Rules != rules:
		return nil, "the rules of this agent are others than those of the last read: scope, exclusions, groups, filter or attributes"
	case c.Members != members:
		return nil, "the members of a group that makes the scope have changed"
	}
	return onprem.Position(c.Position), ""
}
