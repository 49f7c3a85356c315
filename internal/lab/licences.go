package lab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/lab/mail"
	"github.com/fourways-id/fourways/internal/lab/world"
)

// Licensing is the tenant's licences and applications as the demo world fills them.
type Licensing interface {
	Products
	Grants
	Locate(ctx context.Context, upn, location string) error
	PutGroup(ctx context.Context, name string, members []string) error
	Date(ctx context.Context, since time.Time) error
}

// Products are what there is to be had.
type Products interface {
	CreatePlan(ctx context.Context, ask api.NewPlan) (directory.Usage, error)
	CreateApp(ctx context.Context, ask api.NewApp) (directory.App, error)
}

// Grants are who gets it.
type Grants interface {
	Assign(ctx context.Context, plan, user string) (directory.User, error)
	AssignGroup(ctx context.Context, plan, group string) (directory.Usage, error)
	AssignApp(ctx context.Context, app string, ask api.NewAssignment) (directory.AssignmentRow, error)
}

// License gives the people of the demo world what they are licensed for and assigned to; they must be there. It can be
// repeated.
func (l *Lab) License(ctx context.Context, t Licensing) error {
	for _, step := range []func(context.Context, Licensing) error{products, seatCloud, seatGroups, assignMail} {
		if err := step(ctx, t); err != nil {
			return fmt.Errorf("license the lab's people: %w", err)
		}
	}
	return t.Date(ctx, world.Licensed())
}

func products(ctx context.Context, t Licensing) error {
	for _, p := range world.Plans() {
		if _, err := t.CreatePlan(ctx, api.NewPlan{ID: p.ID, Name: p.Name, Seats: p.Seats, Services: p.Services}); err != nil && !errors.Is(err, directory.ErrConflict) {
			return err
		}
	}
	m := world.Mail()
	_, err := t.CreateApp(ctx, api.NewApp{ID: mail.ID, Name: m.Name, Service: m.Service, Assigned: true, Roles: m.Roles})
	if errors.Is(err, directory.ErrConflict) {
		return nil
	}
	return err
}

// seatCloud gives the cloud's people licences of their own.
func seatCloud(ctx context.Context, t Licensing) error {
	for _, p := range world.CloudUPNs() {
		if err := t.Locate(ctx, p, world.Location); err != nil {
			return err
		}
	}
	for _, upn := range world.CloudLicensed() {
		if _, err := t.Assign(ctx, world.PlanE5, upn); err != nil {
			return err
		}
	}
	return nil
}

func seatGroups(ctx context.Context, t Licensing) error {
	if err := t.PutGroup(ctx, world.GroupFrontline, world.FrontlineMembers()); err != nil {
		return err
	}
	for group, plan := range map[string]string{world.GroupE3: world.PlanE3, world.GroupFrontline: world.PlanFrontline} {
		if _, err := t.AssignGroup(ctx, plan, group); err != nil {
			return err
		}
		if _, err := t.AssignApp(ctx, mail.ID, api.NewAssignment{Group: group}); err != nil {
			return err
		}
	}
	return nil
}

func assignMail(ctx context.Context, t Licensing) error {
	people := world.MailPeople()
	for _, upn := range slices.Sorted(maps.Keys(people)) {
		if _, err := t.AssignApp(ctx, mail.ID, api.NewAssignment{User: upn, Role: people[upn]}); err != nil {
			return err
		}
	}
	return nil
}
