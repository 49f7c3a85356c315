package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// errOvertaken rolls a step back whose password is no longer the stored one.
var errOvertaken = errors.New("the password was changed meanwhile")

// change puts a password that the person chose in the place of the one that was checked: of two changes at once one is made.
// What asked for the change is cleared, and whoever is signed in with the old password is out.
func (d *DB) change(t *tx, f authn.Final, sealed []byte) error {
	id := f.Record.Account
	if err := d.stands(t, id, f.Checked); err != nil {
		return err
	}
	now := d.clock.Now()
	if _, err := t.exec(`UPDATE credentials SET sealed = $3, source = $4, changed = $5, stored = $5 WHERE account = $1 AND scheme = $2`,
		string(id), directory.SchemeCloud, sealed, sourceCloud, stamp(now)); err != nil {
		return err
	}
	u, err := userIn(t, id)
	if err != nil {
		return err
	}
	if u.MustChange || !u.Leaked.IsZero() {
		u.MustChange, u.Leaked, u.Changed = false, time.Time{}, now
		if err := putUser(t, u); err != nil {
			return err
		}
	}
	return endSessionsOf(t, string(id))
}

// sourceCloud is the source of a password that was chosen here.
const sourceCloud = "cloud"

// SetPassword sets an account's cloud password in one write with what change makes of the account, and puts out who is
// signed in with the old one. directory.ErrNotFound when there is no such account.
func (d *DB) SetPassword(ctx context.Context, id authn.AccountID, record []byte, change func(*directory.User)) error {
	return d.SetPasswords(ctx, id, []directory.Credential{{Account: id, Scheme: directory.SchemeCloud, Record: record, Source: sourceCloud, Changed: d.clock.Now()}}, change)
}

// SetPasswords is SetPassword for all the records that are kept of one password, in one write.
func (d *DB) SetPasswords(ctx context.Context, id authn.AccountID, records []directory.Credential, change func(*directory.User)) error {
	put := d.putCredentials(records)
	return d.write(ctx, func(t *tx) error {
		u, err := userIn(t, id)
		if err != nil {
			return err
		}
		change(&u)
		err = putUser(t, u)
		for i := 0; i < len(put) && err == nil; i++ {
			err = put[i](t)
		}
		return errors.Join(err, endSessionsOf(t, string(id)))
	})
}

// putPassword sets the cloud password, and puts out who is signed in with the old one.
func (d *DB) putPassword(t *tx, id authn.AccountID, record []byte, changed time.Time) error {
	c := directory.Credential{Account: id, Scheme: directory.SchemeCloud, Record: record, Source: sourceCloud, Changed: changed}
	return errors.Join(d.putCredentials([]directory.Credential{c})[0](t), endSessionsOf(t, string(id)))
}

// stands reports with errOvertaken that another record stands in the store than the one that was checked.
func (d *DB) stands(t *tx, id authn.AccountID, checked []byte) error {
	var sealed []byte
	err := t.row(`SELECT sealed FROM credentials WHERE account = $1 AND scheme = $2`, string(id), directory.SchemeCloud).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return errOvertaken
	}
	if err != nil {
		return err
	}
	record, err := d.ring.Unseal(credentialLabel, binding(id, directory.SchemeCloud), sealed)
	if err != nil {
		return fmt.Errorf("open the password that is to be replaced: %w", err)
	}
	if !bytes.Equal(record, checked) {
		return errOvertaken
	}
	return nil
}

// stillGood reports with errOvertaken that the password was replaced since the step began. A record that was only hashed anew
// by another sign-in is the same password's, and a clock that was set back makes no password an old one.
func (d *DB) stillGood(t *tx, f authn.Final) error {
	var changed int64
	err := t.row(`SELECT changed FROM credentials WHERE account = $1 AND scheme = $2`, string(f.Record.Account), directory.SchemeCloud).Scan(&changed)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return errOvertaken
	case err != nil || changed < stamp(f.Record.At):
		return err
	}
	return d.stands(t, f.Record.Account, f.Checked)
}
