package api

// The results of a Finding.
const (
	FindingOK   = "ok"
	FindingWarn = "warn"
	FindingFail = "fail"
	FindingSkip = "skip" // it could not be looked at, and the finding says why
)

// Finding is what one check of the doctor found.
type Finding struct {
	ID      string `json:"id"` // stable: dc.bind, idp.clock…
	Title   string `json:"title"`
	Result  string `json:"result"`
	Finding string `json:"finding"`       // what was seen, with its figures
	Fix     string `json:"fix,omitempty"` // what to do, as a command where there is one
}
