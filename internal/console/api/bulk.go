package api

import (
	"fmt"
	"strings"

	"github.com/fourways-id/fourways/internal/directory"
)

// What one import takes. Rows that are stored all or none hold the store's writer until they are in; of them, passwords in
// clear are hashed first, which takes about 35 ms each.
const (
	ImportRows         = 500
	ImportRowsAtomic   = 10_000
	ImportClearAtomic  = 2_000
	ImportLongestBytes = 16 << 20 // of the body
)

// Import asks for many accounts to be made, or to be changed where there are some of that name.
type Import struct {
	Rows   []ImportRow `json:"rows"`
	Atomic bool        `json:"atomic,omitempty"` // all or none
	DryRun bool        `json:"dryRun,omitempty"` // say what would be done, and do nothing
	Update bool        `json:"update,omitempty"` // change accounts that are there already; without it they must be equal
}

// ImportRow is one account. Of a new one, what is left out is empty, or as any new account has it.
type ImportRow struct {
	Line int `json:"line"` // of the file, for what is said of the row
	directory.UserChange
	Password     string `json:"password,omitempty"`
	PasswordHash string `json:"passwordHash,omitempty"` // a record that another system made, of a scheme that can be verified
}

// Imported is what became of the rows. After an atomic import with refused rows nothing was done.
type Imported struct {
	Made      []string     `json:"made"` // user principal names
	Changed   []ChangedRow `json:"changed"`
	Unchanged int          `json:"unchanged"`
	Refused   []RefusedRow `json:"refused"`
}

// ChangedRow is an account that was changed.
type ChangedRow struct {
	Who  string   `json:"userPrincipalName"`
	What []string `json:"what"` // "displayName: A -> B"; of a password only that there is another
}

// RefusedRow is a row that could not be taken, and why. It shows no password.
type RefusedRow struct {
	Line int    `json:"line"`
	Who  string `json:"userPrincipalName,omitempty"`
	Why  string `json:"why"`
}

// Target names the rows for the audit log.
func (i Import) Target() string {
	if len(i.Rows) == 0 {
		return "no rows"
	}
	return fmt.Sprintf("%d rows, lines %d to %d", len(i.Rows), i.Rows[0].Line, i.Rows[len(i.Rows)-1].Line)
}

// InWords names each account that was made or changed, for the audit log.
func (i Imported) InWords(ask Import) string {
	var parts []string
	if ask.DryRun {
		parts = append(parts, "dry run")
	}
	if len(i.Made) > 0 {
		parts = append(parts, fmt.Sprintf("%d made: %s", len(i.Made), strings.Join(i.Made, " ")))
	}
	if len(i.Changed) > 0 {
		changed := make([]string, len(i.Changed))
		for k, c := range i.Changed {
			changed[k] = fmt.Sprintf("%s (%s)", c.Who, strings.Join(c.What, ", "))
		}
		parts = append(parts, fmt.Sprintf("%d changed: %s", len(changed), strings.Join(changed, " ")))
	}
	parts = append(parts, fmt.Sprintf("%d unchanged", i.Unchanged), fmt.Sprintf("%d refused", len(i.Refused)))
	return strings.Join(parts, "; ")
}
