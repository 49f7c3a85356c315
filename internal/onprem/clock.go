package onprem

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// ErrNoClock says that the directory does not tell its time: only Active Directory does.
var ErrNoClock = errors.New("the directory does not tell its time")

// Time is the directory's own time, to the second: currentTime of the rootDSE ([MS-ADTS] 3.1.1.3.2.3). It is
// ErrNoClock when the directory has none, such as OpenLDAP.
func (d *Directory) Time(ctx context.Context) (time.Time, error) {
	const attribute = "currentTime"
	req := ldap.NewSearchRequest("", ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, "(objectClass=*)", []string{attribute}, nil)
	var told string
	err := d.withService(ctx, true, func(l *link) error {
		res, err := d.searchOn(ctx, l, req)
		if err == nil && len(res.Entries) > 0 {
			told = res.Entries[0].GetEqualFoldAttributeValue(attribute)
		}
		return err
	})
	switch {
	case err != nil:
		return time.Time{}, fmt.Errorf("reading the directory's time: %w", err)
	case told == "":
		return time.Time{}, ErrNoClock
	}
	return parseTime(told)
}

// parseTime reads a GeneralizedTime (RFC 4517 section 3.3.13) with minutes and seconds, as Active Directory writes it.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse("20060102150405Z0700", s)
	if err != nil {
		return time.Time{}, fmt.Errorf("the directory's time %.40q is no GeneralizedTime", s)
	}
	return t.UTC(), nil
}
