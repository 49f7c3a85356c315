package premises

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/lab/world"
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
func (p *Premises) OnpremUsers(ctx context.Context) ([]api.OnpremUser, error) {
	var all []api.OnpremUser
	for e, err := range p.admin.Read(ctx, onprem.Query{Filter: peopleFilter, Attributes: peopleAttributes()}) {
		if err != nil {
			return nil, fmt.Errorf("read the lab's directory: %w", err)
		}
		all = append(all, p.user(e))
	}
	return all, nil
}

func (p *Premises) user(e onprem.Entry) api.OnpremUser {
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
	if ends := number(e, "accountExpires"); ends > 0 && ends < world.Ticks(p.with.Clock.Now()) {
		u.States = append(u.States, "account expired")
	}
	if set == 0 {
		u.States = append(u.States, "must change password")
	} else {
		at := world.FromTicks(set)
		u.Changed = at.UTC().Format(time.RFC3339)
		const neverExpires = 0x10000
		if flags&neverExpires == 0 && at.AddDate(0, 0, 42).Before(p.with.Clock.Now()) {
			u.States = append(u.States, "password expired")
		}
	}
	if hours := e.First("logonHours"); hours != "" && strings.Trim(hours, "\x00") == "" {
		u.States = append(u.States, "no logon hours")
	}
	return u
}

// OnpremChange implements console.Onprem. upn is the tenant's name of a person or the forest's.
func (p *Premises) OnpremChange(ctx context.Context, upn string, ask api.OnpremChange) error {
	pw := authn.NewSecret([]byte(ask.Password))
	defer pw.Wipe()
	if ask.Do == "create" {
		return p.create(ctx, upn, ask, pw)
	}
	dn, flags, err := p.find(ctx, upn)
	if err != nil {
		return err
	}
	switch ask.Do {
	case "password":
		if pw.Empty() {
			return errors.New("an empty password can't be set")
		}
		return p.admin.SetPassword(ctx, dn, pw)
	case "delete":
		return p.admin.Delete(ctx, dn)
	case "change":
		return p.rewrite(ctx, dn, ask)
	case "disable":
		return p.replace(ctx, dn, "userAccountControl", strconv.Itoa(flags|accountDisabled))
	case "enable":
		return p.replace(ctx, dn, "userAccountControl", strconv.Itoa(flags&^accountDisabled))
	}
	return fmt.Errorf("%q can't be done to a person: create, change, disable, enable, password and delete can", ask.Do)
}

// The bits of userAccountControl that are used here (MS-ADTS 2.2.16).
const (
	accountDisabled = 0x2
	ordinaryAccount = 0x10200 // its password doesn't expire
)

// create makes a person where the first synchronisation reads.
func (p *Premises) create(ctx context.Context, upn string, ask api.OnpremChange, pw authn.Secret) error {
	who := authn.ParseIdentifier(upn)
	if who.UPN() == "" {
		return fmt.Errorf("%q is no user principal name: give name@domain", upn)
	}
	local, _, _ := strings.Cut(who.UPN(), "@")
	short, _, _ := strings.Cut(who.Domain(), ".")
	name := cmp.Or(ask.Name, local)
	attrs := map[string][]string{
		"objectClass": {"top", "person", "organizationalPerson", "user"}, "userPrincipalName": {who.UPN()}, "mail": {who.UPN()},
		"sAMAccountName": {local + "." + short}, "displayName": {name}, "userAccountControl": {strconv.Itoa(ordinaryAccount | accountDisabled)},
	}
	if ask.UsageLocation != "" {
		attrs["msExchUsageLocation"] = []string{ask.UsageLocation}
	}
	dn := "CN=" + onprem.EscapeDN(local+" ("+short+")") + "," + world.PeopleDN
	if err := p.admin.Add(ctx, dn, attrs); err != nil {
		return err
	}
	// As in Active Directory: the account is made disabled, gets its password, and is enabled.
	if err := p.admin.SetPassword(ctx, dn, pw); err != nil {
		return errors.Join(err, p.admin.Delete(context.WithoutCancel(ctx), dn))
	}
	return p.replace(ctx, dn, "userAccountControl", strconv.Itoa(ordinaryAccount))
}

// rewrite changes what a person is called and where.
func (p *Premises) rewrite(ctx context.Context, dn string, ask api.OnpremChange) error {
	var changes []onprem.Change
	for attr, value := range map[string]string{"displayName": ask.Name, "msExchUsageLocation": ask.UsageLocation} {
		if value != "" {
			changes = append(changes, onprem.Change{Op: onprem.Replace, Attr: attr, Values: []string{value}})
		}
	}
	if len(changes) == 0 {
		return errors.New("nothing to change was named")
	}
	return p.admin.Modify(ctx, dn, changes...)
}

func (p *Premises) replace(ctx context.Context, dn, attr, value string) error {
	return p.admin.Modify(ctx, dn, onprem.Change{Op: onprem.Replace, Attr: attr, Values: []string{value}})
}

func (p *Premises) find(ctx context.Context, upn string) (string, int, error) {
	name := onprem.Escape(upn)
	q := onprem.Query{Filter: "(|(mail=" + name + ")(userPrincipalName=" + name + "))", Attributes: []string{"userAccountControl"}}
	for e, err := range p.admin.Read(ctx, q) {
		if err != nil {
			return "", 0, fmt.Errorf("look %s up in the lab's directory: %w", upn, err)
		}
		flags, _ := strconv.Atoi(e.First("userAccountControl"))
		return e.DN, flags, nil
	}
	return "", 0, fmt.Errorf("the lab's directory has nobody called %s: %w", upn, directory.ErrNotFound)
}

// Remove has somebody leave the forest; who is not there has left.
func (p *Premises) Remove(ctx context.Context, dn string) error {
	if err := p.admin.Delete(ctx, dn); err != nil && !errors.Is(err, onprem.ErrNotFound) {
		return err
	}
	return nil
}

func number(e onprem.Entry, attr string) int64 {
	n, _ := strconv.ParseInt(e.First(attr), 10, 64) // an absent attribute counts as 0
	return n
}
