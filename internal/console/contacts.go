package console

import (
	"context"
	"net/http"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Contacts are people outside who are in the address book.
type Contacts interface {
	ContactReader
	ContactWriter
}

// ContactReader lists contacts.
type ContactReader interface {
	Contacts(ctx context.Context, q directory.GroupQuery) ([]directory.Contact, error)
	Contact(ctx context.Context, named string) (directory.Contact, error)
}

// ContactWriter makes and changes them. version is the one that the caller read, "" for any.
type ContactWriter interface {
	CreateContact(ctx context.Context, ask api.NewContact) (directory.Contact, error)
	ChangeContact(ctx context.Context, named string, ask api.ContactChange, version string) (before, after directory.Contact, err error)
	DeleteContact(ctx context.Context, named, version string) (directory.Contact, error)
}

func (c *console) contactOperations() []operation {
	return []operation{
		look(c, "GET /contacts", Reader, "List the contacts, by name", c.contacts, paged(query("prefix", "Only those whose name begins so, spelled exactly."))...),
		look(c, "GET /contacts/{contact}", Reader, "Show a contact, by its name, mail address or id", c.contact),
		act(c, "POST /contacts", Admin, "Add contact", "Make a contact", c.createContact).created(),
		act(c, "PATCH /contacts/{contact}", Admin, "Update contact", "Change a contact that is mastered here", c.changeContact),
		act(c, "DELETE /contacts/{contact}", Admin, "Delete contact", "Delete a contact that is mastered here, for good", c.deleteContact),
	}
}

func (c *console) contacts(r *http.Request) (api.Page[directory.Contact], error) {
	after, most, err := pageAsked(r)
	if err != nil {
		return api.Page[directory.Contact]{}, err
	}
	all, err := c.Tenant.Contacts.Contacts(r.Context(), directory.GroupQuery{Prefix: r.URL.Query().Get("prefix"), After: after, Limit: most})
	return pageOf(all, most, directory.Contact.Cursor), err
}

func (c *console) contact(r *http.Request) (directory.Contact, error) {
	return c.Tenant.Contacts.Contact(r.Context(), r.PathValue("contact"))
}

func (c *console) createContact(r *http.Request, ask api.NewContact, _ api.Token) (did[directory.Contact], error) {
	made, err := c.Tenant.Contacts.CreateContact(r.Context(), ask)
	return did[directory.Contact]{Target: ask.Mail, After: made.ID, Answer: made}, err
}

func (c *console) changeContact(r *http.Request, ask api.ContactChange, _ api.Token) (did[directory.Contact], error) {
	before, after, err := c.Tenant.Contacts.ChangeContact(r.Context(), r.PathValue("contact"), ask, ifMatch(r))
	return did[directory.Contact]{Target: before.Name, After: difference(before, after), Answer: after}, err
}

func (c *console) deleteContact(r *http.Request, _ none, _ api.Token) (did[none], error) {
	gone, err := c.Tenant.Contacts.DeleteContact(r.Context(), r.PathValue("contact"), ifMatch(r))
	return did[none]{Target: gone.Name, Before: gone.ID + " " + gone.Mail}, err
}
