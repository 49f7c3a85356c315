package lab

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/onprem"
)

// peopleFilter finds people, not machines.
const peopleFilter = "(&(objectClass=user)(!(objectClass=computer))(mail=*))"

func peopleAttributes() []string {
	return []string{
		"userPrincipalName", "mail", "sAMAccountName", "displayName", "userAccountControl", "lockoutTime", "accountExpires", "pwdLastSet", "logonHours",
	}
}

// OnpremUsers implements console.Onprem: it reads the forest as its administrator, over LDAP.
func (l *Lab) OnpremUsers(ctx context.Context) ([]api.OnpremUser, error) {
	var all []api.OnpremUser
	for e, err := range l.servers.admin.Read(ctx, onprem.Query{Filter: peopleFilter, Attributes: peopleAttributes()}) {
		if err != nil {
			return nil, fmt.Errorf("read the lab's directory: %w", err)
		}
		all = append(all, l.user(e))
	}
	return all, nil
}

func (l *Lab) user(e onprem.Entry) api.OnpremUser {
	u := api.OnpremUser{
		UPN: e.First("userPrincipalName"), Mail: e.First("mail"), SAM: e.First("sAMAccountName"), Name: e.First("displayName"), DN: e.DN, States: []string{},
	}
	flags, _ := strconv.Atoi(e.First("userAccountControl"))
	set := number(e, "pwdLastSet")
	if flags&2 != 0 {
		u.States = append(u.States, "disabled")
	}
	if number(e, "lockoutTime") > 0 {
		u.States = append(u.States, "locked")
	}
	if ends := number(e, "accountExpires"); ends > 0 && ends < ticks(l.clock.Now()) {
		u.States = append(u.States, "account expired")
	}
	if set == 0 {
		u.States = append(u.States, "must change password")
	} else {
		at := fromTicks(set)
		u.Changed = at.UTC().Format(time.RFC3339)
		const neverExpires = 0x10000
		if flags&neverExpires == 0 && at.AddDate(0, 0, 42).Before(l.clock.Now()) {
			u.States = append(u.States, "password expired")
		}
	}
	if hours := e.First("logonHours"); hours != "" && strings.Trim(hours, "\x00") == "" {
		u.States = append(u.States, "no logon hours")
	}
	return u
}

// OnpremChange implements console.Onprem. upn is the tenant's name of a person or the forest's.
func (l *Lab) OnpremChange(ctx context.Context, upn, do string, pw authn.Secret) error {
	defer pw.Wipe()
	dn, flags, err := l.find(ctx, upn)
	if err != nil {
		return err
	}
	switch do {
	case "password":
		if pw.Empty() {
			return errors.New("an empty password can't be set")
		}
		return l.servers.admin.SetPassword(ctx, dn, pw)
	case "disable":
		flags |= 2
	case "enable":
		flags &^= 2
	default:
		return fmt.Errorf("%q can't be done to a person: disable, enable or password can", do)
	}
	return l.servers.admin.Modify(ctx, dn, onprem.Change{Op: onprem.Replace, Attr: "userAccountControl", Values: []string{strconv.Itoa(flags)}})
}

func (l *Lab) find(ctx context.Context, upn string) (string, int, error) {
	name := onprem.Escape(upn)
	q := onprem.Query{Filter: "(|(mail=" + name + ")(userPrincipalName=" + name + "))", Attributes: []string{"userAccountControl"}}
	for e, err := range l.servers.admin.Read(ctx, q) {
		if err != nil {
			return "", 0, fmt.Errorf("look %s up in the lab's directory: %w", upn, err)
		}
		flags, _ := strconv.Atoi(e.First("userAccountControl"))
		return e.DN, flags, nil
	}
	return "", 0, fmt.Errorf("the lab's directory has nobody called %s: %w", upn, directory.ErrNotFound)
}

func number(e onprem.Entry, attr string) int64 {
	n, _ := strconv.ParseInt(e.First(attr), 10, 64) // an absent attribute counts as 0
	return n
}

// sinceUnix is 1970 in units of 100 ns since 1601.
const sinceUnix = 116444736000000000

func ticks(t time.Time) int64     { return t.UnixNano()/100 + sinceUnix }
func fromTicks(n int64) time.Time { return time.Unix(0, (n-sinceUnix)*100) }
