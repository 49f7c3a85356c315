package userfile

import (
	"errors"
	"strconv"
	"strings"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// column is a column of a CSV file. of is nil for what is never written.
type column struct {
	name string
	of   func(directory.User) string
	set  func(*api.ImportRow, string) error
}

// columns are those that are known, in the order in which they are written.
func columns() []column {
	return []column{
		{"userPrincipalName", func(u directory.User) string { return u.UPN }, text(func(r *api.ImportRow) **string { return &r.UPN })},
		{"displayName", func(u directory.User) string { return u.DisplayName }, text(func(r *api.ImportRow) **string { return &r.DisplayName })},
		{"givenName", func(u directory.User) string { return u.GivenName }, text(func(r *api.ImportRow) **string { return &r.GivenName })},
		{"surname", func(u directory.User) string { return u.Surname }, text(func(r *api.ImportRow) **string { return &r.Surname })},
		{"mail", func(u directory.User) string { return u.Mail }, text(func(r *api.ImportRow) **string { return &r.Mail })},
		{"department", func(u directory.User) string { return u.Department }, text(func(r *api.ImportRow) **string { return &r.Department })},
		{"jobTitle", func(u directory.User) string { return u.JobTitle }, text(func(r *api.ImportRow) **string { return &r.JobTitle })},
		{"usageLocation", func(u directory.User) string { return u.UsageLocation }, text(func(r *api.ImportRow) **string { return &r.UsageLocation })},
		{"accountEnabled", func(u directory.User) string { return strconv.FormatBool(u.Enabled) }, flag(func(r *api.ImportRow) **bool { return &r.Enabled })},
		{"signInBlocked", func(u directory.User) string { return strconv.FormatBool(u.Blocked) }, flag(func(r *api.ImportRow) **bool { return &r.Blocked })},
		{"immutableId", func(u directory.User) string { return u.Onprem.Anchor }, text(func(r *api.ImportRow) **string { return &r.ImmutableID })},
		{"forceChangePasswordNextSignIn", func(u directory.User) string { return strconv.FormatBool(u.MustChange) }, flag(func(r *api.ImportRow) **bool { return &r.MustChange })},
		{"password", nil, func(r *api.ImportRow, s string) error { r.Password = s; return nil }},
		{"passwordHash", nil, func(r *api.ImportRow, s string) error { r.PasswordHash = strings.TrimSpace(s); return nil }},
	}
}

func text(at func(*api.ImportRow) **string) func(*api.ImportRow, string) error {
	return func(r *api.ImportRow, s string) error {
		s = restored(s)
		*at(r) = &s
		return nil
	}
}

func flag(at func(*api.ImportRow) **bool) func(*api.ImportRow, string) error {
	return func(r *api.ImportRow, s string) error {
		on := false
		switch strings.ToLower(strings.TrimSpace(s)) {
		case "true", "yes", "1":
			on = true
		case "false", "no", "0":
		default:
			return errors.New("neither true nor false")
		}
		*at(r) = &on
		return nil
	}
}

// known finds a column by the name in a header, in whatever case.
func known(name string) (column, bool) {
	for _, c := range columns() {
		if strings.EqualFold(c.name, strings.TrimSpace(name)) {
			return c, true
		}
	}
	return column{}, false
}

// ColumnNames lists the columns of a CSV file, which are the fields of a JSON line too.
func ColumnNames() []string {
	var names []string
	for _, c := range columns() {
		names = append(names, c.name)
	}
	return names
}

// formula reports that a spreadsheet would take a cell for a formula, or would without the apostrophes before it.
func formula(s string) bool {
	s = strings.TrimLeft(s, "'")
	return s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0]))
}

// inert keeps a spreadsheet from taking a name for a formula (CSV injection); restored undoes it.
func inert(s string) string {
	if formula(s) {
		return "'" + s
	}
	return s
}

func restored(s string) string {
	if formula(s) {
		return strings.TrimPrefix(s, "'")
	}
	return s
}
