package api

// What one check takes: so many pairs, which with a record of Argon2id for each are about fifteen seconds, in a body of so
// many bytes.
const (
	LeakedPairs        = 200
	LeakedLongestBytes = 1 << 20
)

// LeakedCheck asks whether names and passwords of a leak are those of accounts.
type LeakedCheck struct {
	Pairs         []LeakedPair `json:"pairs"`
	Flag          bool         `json:"flag,omitempty"`          // flag the accounts that match
	RequireChange bool         `json:"requireChange,omitempty"` // flag them, and require another password at the next sign-in
	DryRun        bool         `json:"dryRun,omitempty"`        // check, and change nothing
}

// LeakedPair is one line of a leak.
type LeakedPair struct {
	Line     int    `json:"line"`
	User     string `json:"user"`
	Password string `json:"password"`
}

// LeakedReport is what was found. It holds no password.
type LeakedReport struct {
	Matches []LeakedMatch   `json:"matches"`
	Missing []LeakedMissing `json:"missing"`
	Unknown int             `json:"unknown"` // pairs whose name is no account
	Tries   int             `json:"tries"`   // records that were compared
	Clear   int             `json:"clear"`   // pairs of an account whose password is another
}

// LeakedMatch is an account whose password stands in the leak.
type LeakedMatch struct {
	Line    int      `json:"line"`
	User    string   `json:"userPrincipalName"`
	Records []string `json:"records"` // cloud, phs
	Flagged bool     `json:"flagged"`
	Change  bool     `json:"changeRequired"`
	Note    string   `json:"note,omitempty"` // what is left to do
}

// LeakedMissing are pairs of accounts that have no record to compare with, by domain and reason.
type LeakedMissing struct {
	Domain string `json:"domain"`
	Pairs  int    `json:"pairs"`
	Why    string `json:"why"`
}
