package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/fourways-id/fourways/internal/directory"
)

// Contacts lists all contacts by name. It is for a synchronisation, and for what is as small as a lab.
func (d *DB) Contacts(ctx context.Context) ([]directory.Contact, error) {
	return list(ctx, d, "contacts", body[directory.Contact], `SELECT body FROM contacts ORDER BY name, id`)
}

// ContactPage lists contacts by name and id.
func (d *DB) ContactPage(ctx context.Context, q directory.GroupQuery) ([]directory.Contact, error) {
	return named[directory.Contact](ctx, d, "contacts", "contacts", q)
}

// ContactsNamed finds the contacts of a name or mail address, and the one of that id first, ten at most.
func (d *DB) ContactsNamed(ctx context.Context, named string) ([]directory.Contact, error) {
	return list(ctx, d, "contacts named "+named, body[directory.Contact],
		`SELECT body FROM contacts WHERE id = $1 OR name = $1 OR mail = $2 ORDER BY CASE WHEN id = $1 THEN 0 ELSE 1 END, id LIMIT 10`, named, strings.ToLower(named))
}

// CreateContact adds a contact; directory.ErrConflict when the id is taken, or the address by another contact.
func (d *DB) CreateContact(ctx context.Context, c directory.Contact) error {
	return d.write(ctx, func(t *tx) error {
		if taken, err := t.exists(`SELECT 1 FROM contacts WHERE id = $1`, c.ID); err != nil || taken {
			return errors.Join(err, conflict(taken, "create contact %s: the id %s is taken", c.Name, c.ID))
		}
		return errors.Join(freeMail(t, c), putContact(t, c))
	})
}

// ChangeContact changes a contact within one write. change's error changes nothing; it may be called never.
// directory.ErrNotFound when there is no such contact, directory.ErrConflict when another has the address.
func (d *DB) ChangeContact(ctx context.Context, id string, change func(*directory.Contact) error) (before, after directory.Contact, err error) {
	err = d.write(ctx, func(t *tx) error {
		if before, err = contactIn(t, id); err != nil {
			return err
		}
		after = before
		if err := change(&after); err != nil {
			return err
		}
		return errors.Join(freeMail(t, after), putContact(t, after))
	})
	return before, after, err
}

// DeleteContact removes a contact that allow lets go, from its groups too; directory.ErrNotFound when there is none.
func (d *DB) DeleteContact(ctx context.Context, id string, allow func(directory.Contact) error) error {
	return d.write(ctx, func(t *tx) error {
		c, err := contactIn(t, id)
		if err != nil {
			return err
		}
		if err := allow(c); err != nil {
			return err
		}
		return dropContact(t, id)
	})
}

// freeMail refuses an address that another contact has: mail for it goes to one of them. What is synchronised is a copy of
// what the premises have, and not asked.
func freeMail(t *tx, c directory.Contact) error {
	rows, err := t.rows(`SELECT body FROM contacts WHERE mail = $1 AND id <> $2 LIMIT 1`, strings.ToLower(c.Mail), c.ID)
	if err != nil {
		return err
	}
	same, err := collect(rows, body[directory.Contact])
	if err != nil || len(same) == 0 {
		return err
	}
	return conflict(true, "the contact %s has the address %s already (id %s)", same[0].Name, same[0].Mail, same[0].ID)
}

func dropContact(t *tx, id string) error {
	_, err1 := t.exec(`DELETE FROM nestings WHERE member = $1 AND kind = 'contact'`, id)
	_, err2 := t.exec(`DELETE FROM contacts WHERE id = $1`, id)
	return errors.Join(err1, err2)
}

func deleteSyncedContact(t *tx, id string) error {
	if synced, err := t.exists(`SELECT 1 FROM contacts WHERE id = $1 AND synced`, id); err != nil || !synced {
		return err
	}
	return dropContact(t, id)
}

// PutContact adds or replaces a contact.
func (d *DB) PutContact(ctx context.Context, c directory.Contact) error {
	return d.write(ctx, func(t *tx) error { return putContact(t, c) })
}

func contactIn(t *tx, id string) (directory.Contact, error) {
	rows, err := t.rows(`SELECT body FROM contacts WHERE id = $1`, id)
	if err != nil {
		return directory.Contact{}, err
	}
	found, err := collect(rows, body[directory.Contact])
	if err != nil || len(found) == 0 {
		return directory.Contact{}, errors.Join(err, missing(len(found) > 0, "contact %s", id))
	}
	return found[0], nil
}

func putContact(t *tx, c directory.Contact) error {
	if c.ID == "" {
		return fmt.Errorf("store contact %q: it has no id", c.Name)
	}
	text, err := encode(c)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO contacts (id, name, anchor, synced, body, mail) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, anchor = excluded.anchor, synced = excluded.synced, body = excluded.body, mail = excluded.mail`,
		c.ID, c.Name, c.Onprem.Anchor, c.Synced, text, strings.ToLower(c.Mail))
	return err
}
