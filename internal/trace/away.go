package trace

import (
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Attempt is one sign-in as it is drawn: its Records and, in the lab, the identity provider's own lines about it.
type Attempt struct {
	Records []authn.Record `json:"records"`
	Away    []Away         `json:"away,omitempty"`
}

// Away is a line of the identity provider's own log: what happened there while we were not looking.
type Away struct {
	At      time.Time `json:"at"`
	Request string    `json:"request"` // the id that joins it with F1
	Who     string    `json:"who"`     // as typed there
	Result  string    `json:"result"`  // its own word, such as signed_in
	Reason  string    `json:"reason,omitempty"`
}
