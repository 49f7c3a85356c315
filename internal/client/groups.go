package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Groups gives one page of groups. q.After is the page's Next.
func (c *Console) Groups(ctx context.Context, q directory.GroupQuery) (api.Page[directory.Group], error) {
	return call[api.Page[directory.Group]](ctx, c, http.MethodGet, "groups?"+named(q).Encode(), nil)
}

func named(q directory.GroupQuery) url.Values {
	v := url.Values{}
	setIf(v, "prefix", q.Prefix)
	setIf(v, "after", q.After)
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	return v
}

// Group shows a group, with the version that a change names.
func (c *Console) Group(ctx context.Context, group string) (Version[api.GroupDetail], error) {
	return callVersion[api.GroupDetail](ctx, c, http.MethodGet, "groups/"+url.PathEscape(group), "", nil)
}

// CreateGroup makes a group.
func (c *Console) CreateGroup(ctx context.Context, ask api.NewGroup) (directory.Group, error) {
	return call[directory.Group](ctx, c, http.MethodPost, "groups", ask)
}

// ChangeGroup changes a group that has that version still; "" is any.
func (c *Console) ChangeGroup(ctx context.Context, group, version string, ask api.GroupChange) (directory.Group, error) {
	v, err := callVersion[directory.Group](ctx, c, http.MethodPatch, "groups/"+url.PathEscape(group), version, ask)
	return v.Object, err
}

// DeleteGroup deletes a group for good; sure: although something depends on it.
func (c *Console) DeleteGroup(ctx context.Context, group string, sure bool) error {
	path := "groups/" + url.PathEscape(group)
	if sure {
		path += "?sure=true"
	}
	_, err := call[struct{}](ctx, c, http.MethodDelete, path, nil)
	return err
}

// Members gives one page of a group's members. q.After is the page's Next.
func (c *Console) Members(ctx context.Context, group string, q directory.MemberQuery) (api.Page[directory.Member], error) {
	v := url.Values{}
	setIf(v, "kind", string(q.Kind))
	setIf(v, "after", q.After)
	if q.Transitive {
		v.Set("transitive", "true")
	}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	return call[api.Page[directory.Member]](ctx, c, http.MethodGet, "groups/"+url.PathEscape(group)+"/members?"+v.Encode(), nil)
}

// AddMembers adds members to a group, all of them or none.
func (c *Console) AddMembers(ctx context.Context, group string, who api.MemberChange) (api.MembersChanged, error) {
	return call[api.MembersChanged](ctx, c, http.MethodPost, "groups/"+url.PathEscape(group)+"/members", who)
}

// RemoveMembers takes members out of a group, all of them or none.
func (c *Console) RemoveMembers(ctx context.Context, group string, who api.MemberChange) (api.MembersChanged, error) {
	return call[api.MembersChanged](ctx, c, http.MethodPost, "groups/"+url.PathEscape(group)+"/members/remove", who)
}

// Contacts gives one page of contacts. q.After is the page's Next.
func (c *Console) Contacts(ctx context.Context, q directory.GroupQuery) (api.Page[directory.Contact], error) {
	return call[api.Page[directory.Contact]](ctx, c, http.MethodGet, "contacts?"+named(q).Encode(), nil)
}

// Contact shows a contact, with the version that a change names.
func (c *Console) Contact(ctx context.Context, contact string) (Version[directory.Contact], error) {
	return callVersion[directory.Contact](ctx, c, http.MethodGet, "contacts/"+url.PathEscape(contact), "", nil)
}

// CreateContact makes a contact.
func (c *Console) CreateContact(ctx context.Context, ask api.NewContact) (directory.Contact, error) {
	return call[directory.Contact](ctx, c, http.MethodPost, "contacts", ask)
}

// ChangeContact changes a contact that has that version still; "" is any.
func (c *Console) ChangeContact(ctx context.Context, contact, version string, ask api.ContactChange) (directory.Contact, error) {
	v, err := callVersion[directory.Contact](ctx, c, http.MethodPatch, "contacts/"+url.PathEscape(contact), version, ask)
	return v.Object, err
}

// DeleteContact deletes a contact for good.
func (c *Console) DeleteContact(ctx context.Context, contact string) error {
	_, err := call[struct{}](ctx, c, http.MethodDelete, "contacts/"+url.PathEscape(contact), nil)
	return err
}
