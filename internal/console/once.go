package console

import (
	"net/http"

	"github.com/fourways-id/fourways/internal/console/api"
)

// longestKey bounds an Idempotency-Key, in characters.
const longestKey = 255

// once carries a change out.
func (c *console) once(_ *http.Request, _ api.Token, _ []byte, do func() reply) reply { return do() }
