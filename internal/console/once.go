package console

import (
	"net/http"

	"github.com/fourways-id/fourways/internal/console/api"
)

// once carries a change out.
func (c *console) once(_ *http.Request, _ api.Token, _ []byte, do func() reply) reply { return do() }
