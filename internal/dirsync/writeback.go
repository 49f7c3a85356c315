package dirsync

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/fourways-id/fourways/internal/directory"
)

// CloudID is the attribute that the id of what stands for an object here is written to (Microsoft: Exchange hybrid writeback).
const CloudID = "msDS-ExternalDirectoryObjectID"

// writeBack has the agent write what the cloud masters, where it may and something else stands there. What could not be
// written is tried again with the next run.
func (j *job) writeBack(ctx context.Context, s step, settled []directory.Settled) {
	if !slices.Contains(j.writable, CloudID) {
		return
	}
	here := cloudIDs(s.now)
	maps.Copy(here, cloudIDs(s.plan.changes.Put))
	var writes []Write
	for _, o := range s.page {
		if id := here[o.Anchor]; id != "" && !o.Gone && o.Written[CloudID] != id {
			writes = append(writes, Write{ID: o.ID, Attribute: CloudID, Value: id})
		}
	}
	if len(writes) == 0 {
		return
	}
	failed := j.written(ctx, writes)
	j.run.WroteBack += len(writes) - len(failed)
	for id, why := range failed {
		j.unwritten[id] = "write-back: " + why
	}
	for i := range settled {
		settled[i].Error = cmp.Or(settled[i].Error, j.unwritten[settled[i].ID])
	}
}

// cloudIDs are what is written for objects, by anchor.
func cloudIDs(o directory.Objects) map[string]string {
	ids := map[string]string{}
	for _, u := range o.Users {
		ids[u.Onprem.Anchor] = "User_" + string(u.ID)
	}
	for _, g := range o.Groups {
		ids[g.Onprem.Anchor] = "Group_" + g.ID
	}
	for _, k := range o.Contacts {
		ids[k.Onprem.Anchor] = "Contact_" + k.ID
	}
	return ids
}

// written asks the agent, and says why what could not be written could not.
func (j *job) written(ctx context.Context, writes []Write) (failed map[string]string) {
	failed = map[string]string{}
	asked := map[string]bool{}
	for _, w := range writes {
		asked[w.ID] = true
	}
	run := directory.Run{ID: j.run.ID}
	err := j.ask(ctx, &run, Ask{Kind: KindWriteBack, Writes: writes}, func(b Batch) error {
		for _, o := range b.Objects {
			if o.Error != "" && asked[o.ID] {
				failed[o.ID] = sentence(o.Error)
			}
		}
		return nil
	})
	if err == nil {
		return failed
	}
	j.run.Skipped = append(j.run.Skipped, "write-back: "+sentence(err.Error()))
	for _, w := range writes {
		failed[w.ID] = sentence(err.Error())
	}
	return failed
}
