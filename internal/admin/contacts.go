package admin

import (
	"context"
	"errors"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Contacts manages people outside who are in the address book. They can't sign in and get no licences.
type Contacts struct{ Base }

// Contacts implements console.Contacts.
func (a *Contacts) Contacts(ctx context.Context, q directory.GroupQuery) ([]directory.Contact, error) {
	return a.Store.ContactPage(ctx, q)
}

// Contact implements console.Contacts.
func (a *Contacts) Contact(ctx context.Context, named string) (directory.Contact, error) {
	return a.contact(ctx, named)
}

// CreateContact implements console.Contacts.
func (a *Contacts) CreateContact(ctx context.Context, ask api.NewContact) (directory.Contact, error) {
	c := directory.Contact{ID: a.id("contact " + ask.Mail), Name: ask.Name, Mail: ask.Mail}
	if c.Name == "" {
		c.Name = c.Mail
	}
	if err := checkContact(c); err != nil {
		return directory.Contact{}, err
	}
	err := a.Store.CreateContact(ctx, c)
	if errors.Is(err, directory.ErrConflict) { // a lab's second of that address, or one that is taken
		c.ID = NewID()
		err = a.Store.CreateContact(ctx, c)
	}
	return c, err
}

func checkContact(c directory.Contact) error {
	return errors.Join(sentence(c.Check()), Text("a contact's name", c.Name, directory.LongestName))
}

// ChangeContact implements console.Contacts. version is the one that the caller read, "" for any.
func (a *Contacts) ChangeContact(ctx context.Context, named string, ask api.ContactChange, version string) (before, after directory.Contact, err error) {
	c, err := a.contact(ctx, named)
	if err != nil {
		return before, after, err
	}
	before, after, err = a.Store.ChangeContact(ctx, c.ID, func(c *directory.Contact) error {
		if err := mastered(c.Synced, "the contact "+c.Name, "Set-ADObject"); err != nil {
			return err
		}
		if err := unchanged(version, c.Tag(), "the contact "+c.Name); err != nil {
			return err
		}
		set(&c.Name, ask.Name)
		set(&c.Mail, ask.Mail)
		return checkContact(*c)
	})
	return before, after, noContact(err, named)
}

// DeleteContact implements console.Contacts. The contact leaves its groups, and can't be restored.
func (a *Contacts) DeleteContact(ctx context.Context, named, version string) (directory.Contact, error) {
	c, err := a.contact(ctx, named)
	if err != nil {
		return c, err
	}
	return c, noContact(a.Store.DeleteContact(ctx, c.ID, func(c directory.Contact) error {
		if err := mastered(c.Synced, "the contact "+c.Name, "Remove-ADObject"); err != nil {
			return err
		}
		return unchanged(version, c.Tag(), "the contact "+c.Name)
	}), named)
}

// contact finds a contact by name, mail address or id.
func (b Base) contact(ctx context.Context, named string) (directory.Contact, error) {
	all, err := b.Store.ContactsNamed(ctx, named)
	if err != nil {
		return directory.Contact{}, err
	}
	return only(all, named, "contact", func(c directory.Contact) string { return c.ID })
}

func noContact(err error, named string) error {
	return unknown(err, "there is no contact %q: `fourways contact list` shows them", named)
}
