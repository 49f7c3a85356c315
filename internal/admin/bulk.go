package admin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/passhash"
	"github.com/fourways-id/fourways/internal/passpolicy"
	"github.com/fourways-id/fourways/internal/store"
)

// Bulk makes and changes many accounts at once.
type Bulk struct {
	Base
	Realms authn.Realms
	Policy Policy         // judges passwords in clear
	Hashes *passhash.Pool // in which they are hashed: one of its own, so that sign-ins have theirs
}

// bulkRow is a row on its way in.
type bulkRow struct {
	api.ImportRow
	who    authn.Identifier
	now    *directory.User // as it stood when the row was judged; nil: there was none
	id     authn.AccountID // of the account, if one is to be made
	clear  authn.Secret    // the password, when it is to be set
	record []byte          // what is to be stored of it
	err    error           // why the row is refused
}

// ImportUsers implements console.Bulk. Each row is judged for itself: accounts that are new, equal, or to be changed. What
// passwords there are is hashed before the store is asked, and the rows are judged again where they are stored.
func (a *Bulk) ImportUsers(ctx context.Context, ask api.Import) (api.Imported, error) {
	if err := importBounds(ask); err != nil {
		return noneImported(), err
	}
	rows, err := a.read(ctx, ask)
	defer wipe(rows)
	if err != nil {
		return noneImported(), err
	}
	if ask.Atomic && refused(rows) > 0 {
		return outcomes(rows, nil), nil
	}
	if !ask.DryRun {
		if err := a.hash(ctx, rows); err != nil {
			return noneImported(), err
		}
	}
	return a.put(ctx, rows, ask)
}

func importBounds(ask api.Import) error {
	clear := 0
	for _, r := range ask.Rows {
		if r.Password != "" {
			clear++
		}
	}
	switch {
	case len(ask.Rows) == 0:
		return BadRequest("There are no rows to import.")
	case !ask.Atomic && len(ask.Rows) > api.ImportRows:
		return BadRequest("%d rows are too many for one request: send at most %d at a time.", len(ask.Rows), api.ImportRows)
	case ask.Atomic && len(ask.Rows) > api.ImportRowsAtomic:
		return BadRequest("%d rows are too many to be stored all or none: at most %d are. Import them without --atomic, which can be repeated until all are in.", len(ask.Rows), api.ImportRowsAtomic)
	case ask.Atomic && !ask.DryRun && clear > api.ImportClearAtomic:
		return BadRequest("%d passwords in clear are too many to be stored all or none: at most %d are, since each is hashed first. Import them without --atomic, or bring their hashes.", clear, api.ImportClearAtomic)
	}
	return nil
}

// read judges the rows as the store is now.
func (a *Bulk) read(ctx context.Context, ask api.Import) ([]*bulkRow, error) {
	rows, lines := make([]*bulkRow, len(ask.Rows)), map[string]int{}
	for i, given := range ask.Rows {
		r := &bulkRow{ImportRow: given}
		rows[i] = r
		if given.UPN != nil {
			r.who = authn.ParseIdentifier(*given.UPN)
		}
		upn := r.who.UPN()
		if line, twice := lines[upn]; twice && upn != "" {
			r.err = fmt.Errorf("%s stands in line %d already; upper and lower case, and blanks around it, make no other name", upn, line)
			continue
		}
		lines[upn] = given.Line
		if err := a.readRow(ctx, r, ask.Update); err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// readRow judges one row; the error is not the row's.
func (a *Bulk) readRow(ctx context.Context, r *bulkRow, update bool) error {
	switch {
	case r.who.UPN() == "":
		r.err = errors.New("there is no user principal name: give name@domain, ASCII, at most 64 characters before the @ and 48 after it")
		return nil
	case r.Admin != nil && *r.Admin:
		r.err = fmt.Errorf("a list makes no administrators: mark them one by one with `fourways user update %s --admin`", r.who)
		return nil
	}
	realm, err := a.Realms.Of(ctx, r.who, authn.Account{})
	if err != nil {
		return err
	}
	if realm.Path == authn.PathNone || realm.Path == "" {
		r.err = fmt.Errorf("%s is no domain of this tenant: `fourways domain list` shows them", r.who.Domain())
		return nil
	}
	switch u, err := a.Store.UserByUPN(ctx, r.who.UPN()); {
	case err == nil:
		r.now = &u
	case !errors.Is(err, directory.ErrNotFound):
		return err
	default:
		if r.id, err = a.unused(ctx, authn.AccountID(a.id(r.who.UPN()))); err != nil {
			return err
		}
	}
	to, err := r.apply(a, r.now)
	if err == nil {
		err = r.equalUnless(update, r.now, to)
	}
	if err == nil && (r.now == nil || update) {
		err = a.readPassword(ctx, r, to, realm.Path)
	}
	r.err = err
	return nil
}

// readPassword judges a password that is to be set.
func (a *Bulk) readPassword(ctx context.Context, r *bulkRow, to directory.User, path authn.Path) error {
	switch {
	case r.Password == "" && r.PasswordHash == "":
		return nil
	case r.Password != "" && r.PasswordHash != "":
		return errors.New("there are a password and a passwordHash: give one of them")
	case to.Synced:
		return fmt.Errorf("the password of %s is mastered on-premises: leave it out here, and change it there", r.who)
	case path != authn.PathCloud:
		return fmt.Errorf("%s is on the path %s, which takes no password that is stored here: leave it out, or swap the path first (`fourways mode set %s cloud`)", r.who.Domain(), path, r.who.Domain())
	}
	if r.PasswordHash != "" {
		if _, err := passhash.Parse(r.PasswordHash); err != nil {
			return fmt.Errorf("passwordHash: %w", err)
		}
		r.record = []byte(r.PasswordHash)
		return nil
	}
	r.clear = authn.NewSecret([]byte(r.Password))
	return a.Policy.Check(ctx, r.clear, passpolicy.Person{Names: []string{to.GivenName, to.Surname, to.DisplayName, to.UPN}})
}

// apply makes the account of the row from the one that there is.
func (r *bulkRow) apply(a *Bulk, now *directory.User) (directory.User, error) {
	if now != nil {
		c := r.UserChange
		if c.UsageLocation != nil && *c.UsageLocation == now.UsageLocation {
			c.UsageLocation = nil // a list that says what is so does not set the premises' value here
		}
		return c.Apply(*now)
	}
	at := a.Clock.Now()
	return r.UserChange.Apply(directory.User{
		ID: r.id, UPN: r.who.UPN(), DisplayName: r.who.UPN(), Enabled: true, Created: at, Changed: at,
	})
}

// equalUnless refuses a row that would change an account, unless that is wanted.
func (r *bulkRow) equalUnless(update bool, now *directory.User, to directory.User) error {
	if update || now == nil || now.Tag() == to.Tag() {
		return nil
	}
	return fmt.Errorf("%s exists already and differs (%s): --update changes it", now.UPN, strings.Join(directory.Differences(*now, to), ", "))
}

// put stores the rows that were not refused.
func (a *Bulk) put(ctx context.Context, rows []*bulkRow, ask api.Import) (api.Imported, error) {
	var asked []store.Import
	for _, r := range rows {
		if r.err != nil {
			continue
		}
		asked = append(asked, store.Import{UPN: r.who.UPN(), Record: r.record, Judge: func(now *directory.User) (directory.User, error) { return r.again(a, ask.Update, now) }})
	}
	mode := store.ImportEach
	switch {
	case ask.DryRun:
		mode = store.ImportNone
	case ask.Atomic:
		mode = store.ImportAll
	}
	results, err := a.Store.ImportUsers(ctx, asked, mode)
	done := outcomes(rows, results)
	if ask.Atomic && len(done.Refused) > 0 {
		done.Made, done.Changed, done.Unchanged = []string{}, []api.ChangedRow{}, 0
	}
	return done, err
}

// again judges the row by the account as it is when it is stored.
func (r *bulkRow) again(a *Bulk, update bool, now *directory.User) (directory.User, error) {
	to, err := r.apply(a, now)
	if err == nil {
		err = r.equalUnless(update, now, to)
	}
	switch {
	case err != nil:
		return to, err
	case now != nil && !update && r.record != nil, now == nil && r.now != nil:
		return to, fmt.Errorf("%s was made or deleted meanwhile: %w", r.who, directory.ErrChanged)
	case now != nil && (r.record != nil || to.Tag() != now.Tag()):
		to.Changed = a.Clock.Now()
	}
	if r.record != nil {
		to.Leaked = directory.User{}.Leaked // it was the password before
	}
	return to, nil
}

// outcomes says what became of each row; results are those of the rows that were not refused, as far as they came.
func outcomes(rows []*bulkRow, results []store.ImportResult) api.Imported {
	done := noneImported()
	for _, r := range rows {
		if r.err == nil {
			if len(results) == 0 {
				continue // its turn did not come
			}
			result := results[0]
			results = results[1:]
			switch {
			case result.Err != nil:
				r.err = lastAdmin(result.Err)
			case result.Made:
				done.Made = append(done.Made, r.who.UPN())
			case result.Changed:
				what := directory.Differences(result.Before, result.After)
				if r.record != nil {
					what = append(what, "another password")
				}
				done.Changed = append(done.Changed, api.ChangedRow{Who: r.who.UPN(), What: what})
			default:
				done.Unchanged++
			}
		}
		if r.err != nil {
			done.Refused = append(done.Refused, api.RefusedRow{Line: r.Line, Who: r.who.Key(), Why: r.err.Error()})
		}
	}
	return done
}

func noneImported() api.Imported {
	return api.Imported{Made: []string{}, Changed: []api.ChangedRow{}, Refused: []api.RefusedRow{}}
}

func refused(rows []*bulkRow) int {
	n := 0
	for _, r := range rows {
		if r.err != nil {
			n++
		}
	}
	return n
}

func wipe(rows []*bulkRow) {
	for _, r := range rows {
		if r != nil {
			r.clear.Wipe()
			clear(r.record)
		}
	}
}
