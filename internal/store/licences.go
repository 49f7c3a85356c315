package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// relicense brings the licences of accounts in line with their groups, within the write that changed them: memberships,
// usage locations, deletions and restorations. An account that is gone for good loses them. Seats that come free by it go
// to whoever has waited longest. Not more than a few hundred accounts belong in one write.
func relicense(t *tx, accounts []authn.AccountID) error {
	l := licensing{tx: t, now: stamp(t.clock.Now()), plans: map[string]bool{}}
	err := l.row(`SELECT value FROM meta WHERE name = $1`, markLocation).Scan(&l.location)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	for _, id := range slices.Sorted(slices.Values(accounts)) {
		if err := l.review(id); err != nil {
			return err
		}
	}
	for _, plan := range slices.Sorted(maps.Keys(l.plans)) {
		if _, err := seat(t, plan); err != nil {
			return err
		}
	}
	return nil
}

// markLocation is the usage location of the tenant, for who has none.
const markLocation = markPrefix + "usage_location"

// licensing is one write's look at licences.
type licensing struct {
	*tx
	now      int64
	location string
	plans    map[string]bool // for which somebody waits, or a seat may have come free
}

// review judges all licences of one account. Who has no seat yet waits for one, however many there are: seat deals them.
func (l *licensing) review(id authn.AccountID) error {
	held, err := licencesIn(l.tx, id)
	if err != nil {
		return err
	}
	holder, known, err := l.holder(id)
	if err != nil {
		return err
	}
	if !known {
		return l.forget(id, held)
	}
	for _, g := range slices.Sorted(maps.Keys(holder.Gives)) {
		for _, plan := range holder.Gives[g] {
			if !slices.ContainsFunc(held, func(h directory.Licence) bool { return h.Group == g && h.Plan == plan }) {
				held = append(held, directory.Licence{Account: id, Plan: plan, Group: g})
			}
		}
	}
	return l.settle(held, holder)
}

// forget removes what an account that is gone for good was given, so that no later account can come by it.
func (l *licensing) forget(id authn.AccountID, held []directory.Licence) error {
	for _, h := range held {
		l.plans[h.Plan] = true
	}
	_, err1 := l.exec(`DELETE FROM licences WHERE account = $1`, string(id))
	_, err2 := l.exec(`DELETE FROM assignments WHERE kind = $1 AND subject = $2`, kindAccount, string(id))
	return errors.Join(err1, err2)
}

// settle writes what became of an account's licences. Several for one plan share a seat, and a state.
func (l *licensing) settle(held []directory.Licence, holder directory.Holder) error {
	seated := map[string]bool{}
	for _, h := range held {
		seated[h.Plan] = seated[h.Plan] || h.State == directory.LicenceActive
	}
	for _, h := range held {
		state, why := h.Judge(holder)
		if state == directory.LicenceActive && !seated[h.Plan] {
			state, why = directory.LicenceRefused, directory.WhyNoSeat
		}
		if state == h.State && why == h.Why {
			continue
		}
		l.plans[h.Plan] = true
		if err := l.put(h, state, why); err != nil {
			return err
		}
	}
	return nil
}

func (l *licensing) put(h directory.Licence, state directory.LicenceState, why string) error {
	_, err := l.exec(`INSERT INTO licences (account, plan, source, state, why, since) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (account, plan, source) DO UPDATE SET state = excluded.state, why = excluded.why, since = excluded.since`,
		string(h.Account), h.Plan, h.Group, string(state), why, l.now)
	return err
}

// gives are the plans of the groups that the account is a direct member of.
func (l *licensing) gives(id authn.AccountID) (map[string][]string, error) {
	rows, err := l.rows(`SELECT m.member_of, p.plan FROM memberships m JOIN group_plans p ON p.member_of = m.member_of
		WHERE m.account = $1 ORDER BY m.member_of, p.plan`, string(id))
	if err != nil {
		return nil, err
	}
	gives := map[string][]string{}
	_, err = collect(rows, func(r row) (_ struct{}, err error) {
		var group, plan string
		err = r.Scan(&group, &plan)
		gives[group] = append(gives[group], plan)
		return struct{}{}, err
	})
	return gives, err
}

// holder is who the account is to its licences; unknown when it is gone for good.
func (l *licensing) holder(id authn.AccountID) (h directory.Holder, known bool, err error) {
	u, err := userIn(l.tx, id)
	switch {
	case err == nil:
		gives, err := l.gives(id)
		return directory.Holder{Location: cmp.Or(u.UsageLocation, l.location), Gives: gives}, true, err
	case !errors.Is(err, directory.ErrNotFound):
		return h, false, err
	}
	known, err = l.exists(`SELECT 1 FROM deleted_users WHERE id = $1`, string(id))
	return directory.Holder{Deleted: true}, known, err
}

// waits selects who waits for a seat; the index licences_waiting is of the same words.
const waits = `plan = $1 AND state = 'refused' AND why = 'no seats left'`

// seat deals the free seats of a plan to whoever has waited longest, to as many as go into one write. More remain to be
// dealt when it says so.
func seat(t *tx, plan string) (more bool, err error) {
	if somebody, err := t.exists(`SELECT 1 FROM licences WHERE `+waits+` LIMIT 1`, plan); err != nil || !somebody {
		return false, err // seats are counted only when that matters
	}
	free, err := freeSeats(t, plan)
	for dealt := 0; err == nil && free > 0; {
		rows, err := t.rows(`SELECT account FROM licences WHERE `+waits+` ORDER BY since, account LIMIT $2`, plan, min(free, chunk))
		if err != nil {
			return false, err
		}
		next, err := collect(rows, column[string])
		if err != nil || len(next) == 0 {
			return false, err
		}
		for _, account := range slices.Compact(next) {
			n, err := t.exec(`UPDATE licences SET state = 'active', why = '', since = $3 WHERE account = $2 AND `+waits, plan, account, stamp(t.clock.Now()))
			if err != nil {
				return false, err
			}
			if n > 0 { // else it had two turns, which share a seat
				free, dealt = free-1, dealt+1
			}
		}
		if dealt >= chunk {
			return free > 0, nil
		}
	}
	return false, err
}

func freeSeats(t *tx, plan string) (int, error) {
	p, err := planIn(t, plan)
	if errors.Is(err, directory.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	used, err := usedSeats(t, plan)
	return p.Seats - used, err
}

// usedSeats counts people, not licences: who has a plan from two sources takes one seat.
func usedSeats(t *tx, plan string) (n int, err error) {
	err = t.row(`SELECT count(*) FROM (SELECT account FROM licences WHERE plan = $1 AND state = 'active' GROUP BY account) holders`, plan).Scan(&n)
	return n, err
}

// dropGroupGrants takes from a group that is about to go what it gives: its plans, whose licences are suspended, and its
// assignments to applications.
func dropGroupGrants(t *tx, group string) error {
	rows, err := t.rows(`SELECT plan FROM group_plans WHERE member_of = $1 ORDER BY plan`, group)
	if err != nil {
		return err
	}
	plans, err := collect(rows, column[string])
	if err != nil {
		return err
	}
	if _, err := t.exec(`DELETE FROM assignments WHERE kind = $1 AND subject = $2`, kindGroup, group); err != nil {
		return err
	}
	if len(plans) == 0 {
		return nil
	}
	if _, err := t.exec(`DELETE FROM group_plans WHERE member_of = $1`, group); err != nil {
		return err
	}
	if _, err := t.exec(`UPDATE licences SET state = $2, why = $3, since = $4 WHERE source = $1 AND state <> $2`,
		group, string(directory.LicenceSuspended), directory.WhyLeft, stamp(t.clock.Now())); err != nil {
		return err
	}
	for _, plan := range plans {
		if _, err := seat(t, plan); err != nil {
			return err
		}
	}
	return nil
}

// SetUsageLocation says where people are who get a licence by a group and have no usage location of their own ("": nobody
// knows), and gives those theirs who were refused for lack of one.
func (d *DB) SetUsageLocation(ctx context.Context, location string) error {
	var before string
	if err := d.write(ctx, func(t *tx) error {
		err := t.row(`SELECT value FROM meta WHERE name = $1`, markLocation).Scan(&before)
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		if err != nil || before == location {
			return err
		}
		_, err = t.exec(`INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, markLocation, []byte(location))
		return err
	}); err != nil || location == "" {
		return err
	}
	// Also when it was so already: what an earlier call began and did not end is ended by this one.
	plans, err := d.Plans(ctx)
	for _, p := range plans {
		err = errors.Join(err, d.reviewAll(ctx, `SELECT DISTINCT account FROM licences WHERE plan = $1 AND state = 'refused' AND why = 'no usage location' AND account > $2
			ORDER BY account LIMIT $3`, p.ID))
	}
	return err
}

// reviewAll relicenses the accounts that a query finds, some to a write. The query takes a name, the account to go on after,
// and a bound.
func (d *DB) reviewAll(ctx context.Context, query, name string) error {
	for after := ""; ; {
		var some []authn.AccountID
		err := d.writeBulk(ctx, func(t *tx) error {
			rows, err := t.rows(query, name, after, chunk)
			if err != nil {
				return err
			}
			if some, err = collect(rows, column[authn.AccountID]); err != nil {
				return err
			}
			return relicense(t, some)
		})
		if err != nil || len(some) < chunk {
			return err
		}
		after = string(some[len(some)-1])
	}
}
