package directory

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Rollout moves the direct members of a group from federation to a managed path, one person at a time (Microsoft:
// "Migrate to cloud authentication using Staged Rollout").
type Rollout struct {
	Group string     `json:"group"`
	Path  authn.Path `json:"path"` // phs or pta
	By    string     `json:"by,omitempty"`
	At    time.Time  `json:"at,omitzero"`
	File  bool       `json:"file,omitempty"` // declared in the configuration file, and changed there
}

// NamedRollout is a roll-out with its group's name.
type NamedRollout struct {
	Rollout
	Name    string `json:"groupName"`
	Members int    `json:"members"`        // accounts; those of groups in it don't count
	Note    string `json:"note,omitempty"` // why it does nothing, or not all that one may think
}

// Counted is the roll-out with how many people it is for. A group may have got groups and contacts since it was added.
func (n NamedRollout) Counted(accounts, others int) NamedRollout {
	n.Members = accounts
	if others > 0 {
		n.Note = fmt.Sprintf("groups and contacts in it, which don't count: %d", others)
	}
	return n
}

// The limits of staged roll-out as Microsoft documents them.
const (
	RolloutGroups = 10  // a path
	RolloutFirst  = 200 // members of a group when it is added
)

// RolloutPaths are the paths to which a group can be moved.
func RolloutPaths() []authn.Path { return []authn.Path{authn.PathPHS, authn.PathPTA} }

// CheckPath complains of a path to which no group can be moved.
func (r Rollout) CheckPath() error {
	if slices.Contains(RolloutPaths(), r.Path) {
		return nil
	}
	return fmt.Errorf("%.20q is no path of a staged roll-out: a group is moved to phs or pta", r.Path)
}

// RolloutFacts are what decides whether a group may be added to a roll-out.
type RolloutFacts struct {
	Group            Group
	Accounts, Nested int // members: people, and groups
	Contacts         int
	Others           map[authn.Path]int // groups of each path, this one left out
	Before           *Rollout           // nil: it is not in a roll-out yet
}

// Check applies the documented limits.
func (r Rollout) Check(f RolloutFacts) error {
	if err := r.CheckPath(); err != nil {
		return err
	}
	switch name := f.Group.Name; {
	case f.Others[r.Path] >= RolloutGroups:
		return fmt.Errorf("%d groups are in the roll-out to %s, and no more than that may be: remove one (`fourways rollout list`)", f.Others[r.Path], r.Path)
	case f.Nested > 0:
		return fmt.Errorf("%s contains %d groups, and nested groups don't count in a roll-out: put the people themselves into the group", name, f.Nested)
	case f.Contacts > 0:
		return fmt.Errorf("%s contains %d contacts, and nobody can sign in as a contact: take them out of the group", name, f.Contacts)
	case f.Before == nil && f.Accounts > RolloutFirst:
		return fmt.Errorf("%s has %d members, and a group that is added has %d at most: begin with a smaller group, or add the others to this one later", name, f.Accounts, RolloutFirst)
	}
	return nil
}

// groupsOf names the groups of the configuration's roll-outs.
func groupsOf(all []Rollout) []string {
	names := make([]string, len(all))
	for i, r := range all {
		names[i] = r.Group
	}
	return names
}

// choose picks the roll-out of somebody who may be in several: phs before pta, since it needs nothing on the premises, then
// by the group's name and id. phs counts only where the domain's hashes are synchronised. What the file says of a group
// wins over what was set at run time.
func choose(file []Rollout, now Standing, hashes bool) (NamedRollout, bool) {
	var all []NamedRollout
	for _, g := range now.Groups {
		if i := slices.IndexFunc(file, func(r Rollout) bool { return r.Group == g.ID || r.Group == g.Name }); i >= 0 {
			all = append(all, NamedRollout{Rollout: Rollout{Group: g.ID, Path: file[i].Path, File: true}, Name: g.Name})
		}
	}
	declared := all
	for _, r := range now.Rollouts {
		if !slices.ContainsFunc(declared, func(d NamedRollout) bool { return d.Group == r.Group }) {
			all = append(all, r)
		}
	}
	all = slices.DeleteFunc(all, func(r NamedRollout) bool { return r.CheckPath() != nil || r.Path == authn.PathPHS && !hashes })
	if len(all) == 0 {
		return NamedRollout{}, false
	}
	return slices.MinFunc(all, func(a, b NamedRollout) int {
		return cmp.Or(slices.Index(RolloutPaths(), a.Path)-slices.Index(RolloutPaths(), b.Path), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Group, b.Group))
	}), true
}
