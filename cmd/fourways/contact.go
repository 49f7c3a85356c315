package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

const contactLong = `Contacts: people outside who are in the address book. They can't sign in and get no licences; they can be members of groups.
CONTACT is a name, a mail address or an id. One that comes from the on-premises directory is changed there.`

func newContact(a *app) *cobra.Command {
	return newGroup("contact", "Contacts: people outside, in the address book", contactLong,
		"  fourways contact create sales@supplier.example --name \"Supplier, sales\"\n  fourways contact list",
		newContactList(a), newContactShow(a), newContactCreate(a), newContactUpdate(a), newContactDelete(a))
}

func contactColumns() columns[directory.Contact] {
	return columns[directory.Contact]{
		names: []string{"contact", "mail", "mastered", "id"},
		cells: func(k directory.Contact) []string { return []string{k.Name, k.Mail, masteredIn(k.Synced), k.ID} },
	}
}

func newContactList(a *app) *cobra.Command {
	var prefix string
	cmd := &cobra.Command{
		Use: "list", Short: "List the contacts", Long: "List the contacts by name.", Example: "  fourways contact list -o csv", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			return everyPage(a, contactColumns(), func(after string) (api.Page[directory.Contact], error) {
				return c.Contacts(cmd.Context(), directory.GroupQuery{Prefix: prefix, After: after, Limit: pageOf1000})
			})
		},
	}
	cmd.Flags().StringVar(&prefix, "prefix", "", "only those whose name begins with this `text`, spelled exactly")
	return cmd
}

func newContactShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show CONTACT", Short: "Show a contact", Long: "Show a contact.", Example: "  fourways contact show sales@supplier.example", Args: exactly("CONTACT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			k, err := c.Contact(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return show(a, k.Object, contactColumns(), func(w io.Writer) error { return writePairs(w, k.Object, contactColumns()) })
		},
	}
}

func (a *app) showContact(k directory.Contact, how string) error {
	return show(a, k, contactColumns(), func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s <%s> %s (id %s)\n", printable(k.Name), printable(k.Mail), how, k.ID)
		return err
	})
}

func newContactCreate(a *app) *cobra.Command {
	var ask api.NewContact
	cmd := &cobra.Command{
		Use: "create MAIL", Short: "Make a contact", Long: "Make a contact of a mail address. No other contact may have the address.",
		Example: "  fourways contact create sales@supplier.example --name \"Supplier, sales\"", Args: exactly("MAIL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			ask.Mail = args[0]
			made, err := c.CreateContact(cmd.Context(), ask)
			if err != nil {
				return err
			}
			return a.showContact(made, "is made")
		},
	}
	cmd.Flags().StringVar(&ask.Name, "name", "", "the `name` that people see; the address when it is not given")
	return cmd
}

func newContactUpdate(a *app) *cobra.Command {
	var name, mail string
	cmd := &cobra.Command{
		Use: "update CONTACT", Short: "Change a contact's name or address", Long: "Change the name or the mail address of a contact that is mastered here.",
		Example: "  fourways contact update sales@supplier.example --mail orders@supplier.example", Args: exactly("CONTACT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var ask api.ContactChange
			given(cmd, "name", &ask.Name, name)
			given(cmd, "mail", &ask.Mail, mail)
			if ask == (api.ContactChange{}) {
				return misuse(cmd, "nothing is to be changed: give --name or --mail")
			}
			c, err := a.console()
			if err != nil {
				return err
			}
			now, err := c.Contact(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			after, err := c.ChangeContact(cmd.Context(), now.Object.ID, now.Tag, ask)
			if err != nil {
				return err
			}
			return a.showContact(after, "is changed")
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "the `name` that people see")
	cmd.Flags().StringVar(&mail, "mail", "", "its mail `address`")
	return cmd
}

func newContactDelete(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "delete CONTACT", Short: "Delete a contact, for good", Long: "Delete a contact that is mastered here. It leaves its groups, and can't be restored.",
		Example: "  fourways contact delete sales@supplier.example", Args: exactly("CONTACT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			if err := c.DeleteContact(cmd.Context(), args[0]); err != nil {
				return err
			}
			return a.done(args[0], "deleted, for good")
		},
	}
}
