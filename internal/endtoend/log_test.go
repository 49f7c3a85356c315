package endtoend_test

import "testing"

// The sign-in log says which agent and which domain controller decided, how long each stage took, and who held what.
func TestARowOfTheLogSaysWhoDecided(t *testing.T) {
	h := openHouse(t, nil)
	h.populate()
	row := h.row(h.signIn("alice@pta.example.test", "Spring-2025!").ID)
	f := row.Fourways
	if f.Agent == "" || f.DC == "" || len(f.Stages) == 0 || len(f.Custody) == 0 || len(row.AuthenticationProcessing) == 0 {
		t.Errorf("%+v", row)
	}
	synced := h.row(h.signIn("alice@phs.example.test", "Spring-2025!").ID)
	if synced.Fourways.HashAge == nil || synced.Fourways.Agent != "" {
		t.Errorf("%+v", synced)
	}
}
