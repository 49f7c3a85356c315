package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// DeleteUser implements console.Leavers. For good, one that was deleted before is forgotten too.
func (a *People) DeleteUser(ctx context.Context, named, version string, forGood bool) (api.Removed, error) {
	u, err := a.person(ctx, named)
	if errors.Is(err, directory.ErrNotFound) && forGood {
		return a.forget(ctx, named)
	}
	if err != nil {
		return api.Removed{}, err
	}
	gone, err := a.Store.RemoveUser(ctx, u.ID, func(now directory.User) error {
		switch {
		case now.Synced:
			return directory.Mastered{Attribute: "the life", Object: now.UPN, How: "delete it in Active Directory, or move it out of the synchronisation's scope"}
		case version != "" && version != now.Tag():
			return fmt.Errorf("%s: %w", now.UPN, directory.ErrChanged)
		}
		return nil
	})
	if err != nil {
		return api.Removed{User: u}, lastAdmin(err)
	}
	if forGood {
		return api.Removed{User: gone}, a.Store.ForgetUser(ctx, gone.ID)
	}
	return api.Removed{User: gone, Until: a.Clock.Now().Add(directory.DeletedFor)}, nil
}

func (a *People) forget(ctx context.Context, named string) (api.Removed, error) {
	gone, err := a.deleted(ctx, named)
	if err != nil {
		return api.Removed{}, err
	}
	return api.Removed{User: gone.User}, a.Store.ForgetUser(ctx, gone.ID)
}

// DeletedUsers implements console.Leavers.
func (a *People) DeletedUsers(ctx context.Context, q directory.Query) ([]directory.DeletedUser, error) {
	return a.Store.DeletedUsers(ctx, q)
}

// RestoreUser implements console.Leavers.
func (a *People) RestoreUser(ctx context.Context, named string, as api.Restore) (directory.User, error) {
	gone, err := a.deleted(ctx, named)
	if err != nil {
		return directory.User{}, err
	}
	if age := a.Clock.Now().Sub(gone.Deleted); age > directory.DeletedFor { // it is forgotten within the hour
		return directory.User{}, unknown(directory.ErrNotFound, "%s was deleted more than %d days ago and can't be brought back", gone.UPN, directory.DeletedFor/(24*time.Hour))
	}
	u, err := a.Store.RestoreUser(ctx, gone.ID, func(u *directory.User) error {
		if as.UPN != "" {
			next, err := directory.UserChange{UPN: &as.UPN}.Apply(*u)
			if err != nil {
				return sentence(err)
			}
			*u = next
		}
		if err := a.serves(ctx, u.UPN); err != nil {
			return fmt.Errorf("%w: give another name with --upn", err)
		}
		u.Changed = a.Clock.Now()
		return nil
	})
	if !errors.Is(err, directory.ErrConflict) {
		return u, err
	}
	if _, free := a.Store.UserByUPN(ctx, cmp.Or(authn.ParseIdentifier(as.UPN).UPN(), gone.UPN)); free == nil {
		return u, fmt.Errorf("%w: restore it under another name with --upn", err)
	}
	return u, err
}

// deleted finds a deleted account by id, or by the name that it had if only one had it.
func (a *People) deleted(ctx context.Context, named string) (directory.DeletedUser, error) {
	all, err := a.Store.DeletedUser(ctx, named)
	switch {
	case err != nil:
		return directory.DeletedUser{}, err
	case len(all) == 0:
		return directory.DeletedUser{}, unknown(directory.ErrNotFound, "there is no deleted account %q: `fourways user deleted` lists them", named)
	case len(all) > 1:
		return directory.DeletedUser{}, conflict("%d deleted accounts were called %q: give the id of the one that you mean (`fourways user deleted`)", len(all), named)
	}
	return all[0], nil
}
