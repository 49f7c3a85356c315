package api

import "github.com/fourways-id/fourways/authn"

// NewRollout moves the direct members of a group to a path.
type NewRollout struct {
	Path authn.Path `json:"path"` // phs or pta
}
