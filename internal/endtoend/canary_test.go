package endtoend_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/lab/world"
	"github.com/fourways-id/fourways/internal/passhash"
)

// canary is a password of this run alone, with characters that every encoding treats in its own way.
func canary() string { return `Kanari <"&+%/\'=~ ` + rand.Text()[:12] }

// TestNoPasswordIsLeftAnywhere has one password work on every path, signs in with it and with words that hold it, and then
// looks for it everywhere.
func TestNoPasswordIsLeftAnywhere(t *testing.T) {
	h := openHouse(t, nil)
	h.populate()
	secret := canary()
	tap := h.tapBroker()
	said := h.useEverywhere(secret)

	messages := tap.heard(h)
	if !slices.ContainsFunc(messages, func(m spoken) bool { return strings.HasPrefix(m.subject, "pta.") }) {
		t.Fatalf("the broker was not heard: %d messages, none to an agent", len(messages))
	}
	for _, m := range messages {
		said["broker message on "+m.subject] = append(said["broker message on "+m.subject], m.data...)
	}
	said["the log"] = h.log.bytes()
	if len(said["the log"]) == 0 {
		t.Fatal("nothing was logged: the search would prove nothing")
	}
	said["the metrics"] = fetch(t, h.metrics, "")
	h.readTraces(said)
	if err := h.lab.Worlds().Join(t.Context(), h.gateway.Operator()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.lab.Worlds().SaveSnapshot(t.Context(), "kept"); err != nil {
		t.Fatal(err)
	}
	readFolder(t, h.dir, said)

	sum := passhash.NTHash([]byte(secret))
	hash := string(sum[:])
	for where, text := range said {
		if forms := authntest.Leaks(text, secret); len(forms) > 0 {
			t.Errorf("%s holds the password: %v", where, forms)
		}
		if forms := authntest.Leaks(text, hash); len(forms) > 0 && !slices.Contains(dcFiles(), where) {
			t.Errorf("%s holds the NT hash: %v", where, forms)
		}
	}
	own, journal, kept := said[dcFiles()[0]], said[dcFiles()[1]], said[dcFiles()[2]]
	if len(authntest.Leaks(slices.Concat(own, journal), hash)) == 0 || len(authntest.Leaks(kept, hash)) == 0 {
		t.Error("the NT hash was not found where it must be, in the domain controller's own files: the search is blind")
	}
	findsWhatIsPlanted(t, h.dir, secret, hash)
}

// dcFiles are the domain controller's own state, its journal, and its half of a kept world: they alone hold NT hashes.
func dcFiles() []string {
	return []string{"dc.json", "dc.json.journal", filepath.Join("snapshots", "kept", "dc.json")}
}

// findsWhatIsPlanted proves that the search sees what it looks for, in a copy of the database.
func findsWhatIsPlanted(t *testing.T, dir, secret, hash string) {
	t.Helper()
	database, err := os.ReadFile(filepath.Join(dir, "fourways.db"))
	if err != nil {
		t.Fatal(err)
	}
	quoted, err := json.Marshal("x" + secret)
	if err != nil {
		t.Fatal(err)
	}
	for form, planted := range map[string]string{"password": secret, "password in JSON": string(quoted)} {
		folder, said := t.TempDir(), map[string][]byte{}
		if err := os.WriteFile(filepath.Join(folder, "copy.db"), append(slices.Clone(database), planted+"."...), 0o600); err != nil {
			t.Fatal(err)
		}
		if readFolder(t, folder, said); len(authntest.Leaks(said["copy.db"], secret)) == 0 {
			t.Errorf("a planted %s was not found", form)
		}
	}
	if len(authntest.Leaks(append(slices.Clone(database), hash...), hash)) == 0 {
		t.Error("a planted NT hash was not found")
	}
}

// useEverywhere makes the secret alice's password on every path and signs in with it, rightly and wrongly. It gives
// what was answered.
func (h *house) useEverywhere(secret string) map[string][]byte {
	h.t.Helper()
	ctx, said := h.t.Context(), map[string][]byte{}
	if _, err := h.console.CreateUser(ctx, api.NewUser{UPN: "canary@" + world.CloudDomain, Password: secret}); err != nil {
		h.t.Fatal(err)
	}
	for _, domain := range []string{world.PHSDomain, world.PTADomain, world.SAMLDomain, world.OIDCDomain} {
		if err := h.console.OnpremChange(ctx, "alice@"+domain, api.OnpremChange{Do: "password", Password: secret}); err != nil {
			h.t.Fatal(err)
		}
	}
	if _, err := h.console.SyncRun(ctx, "hash"); err != nil {
		h.t.Fatal(err)
	}
	maps.Copy(said, h.useInBulk(secret))
	for domain, path := range managedDomains() {
		upn := "alice@" + domain
		if path == authn.PathCloud {
			upn = "canary@" + domain
		}
		right := h.signIn(upn, secret)
		h.allowed(right, upn, path)
		wrong := h.signIn(upn, secret+"!")
		h.refused(wrong, http.StatusUnauthorized, authn.BadPassword)
		unknown := h.signIn("nobody@"+domain, secret)
		h.refused(unknown, http.StatusUnauthorized, authn.UnknownUser)
		said["pages for "+upn] = h.useOnPages(upn, secret)
		for _, a := range []answer{right, wrong, unknown} {
			said["an answer on "+string(path)] = fmt.Appendf(said["an answer on "+string(path)], "%v %s\n", a.Header, a.Raw)
		}
	}
	for _, domain := range []string{world.SAMLDomain, world.OIDCDomain} {
		upn := "alice@" + domain
		p := newPerson(h.t, h.url)
		wrong := p.signsIn(upn, upn, secret+"!")
		if p.session() != "" {
			h.t.Errorf("%s is signed in by a wrong password", upn)
		}
		right := p.signsIn(upn, upn, secret)
		if got := p.session(); got != upn {
			h.t.Errorf("signed in is %q, not %s: %s", got, upn, right.Text())
		}
		said["pages for "+upn] = slices.Concat(wrong.Body, right.Body)
	}
	return said
}

// useOnPages signs in on the pages, wrongly and then rightly, and gives what they said.
func (h *house) useOnPages(upn, secret string) []byte {
	h.t.Helper()
	p := newPerson(h.t, h.url)
	wrong := p.fill(p.types(upn), map[string]string{"password": secret + "?"})
	right := p.fill(wrong, map[string]string{"password": secret})
	if got := p.session(); got != upn {
		h.t.Errorf("signed in on the pages is %q, not %s: %s", got, upn, right.Text())
	}
	return slices.Concat(wrong.Body, right.Body)
}

// readTraces adds every trace and every row of the sign-in log as the console gives them.
func (h *house) readTraces(said map[string][]byte) {
	h.t.Helper()
	said["the sign-in log"] = fetch(h.t, h.api+"/api/v1/signins?limit=200", h.token)
	rows, err := h.console.SignIns(h.t.Context(), 200)
	if err != nil || len(rows) < 10 {
		h.t.Fatalf("%d rows in the sign-in log: %v", len(rows), err)
	}
	for _, row := range rows {
		said["the trace of "+row.ID] = fetch(h.t, h.api+"/api/v1/traces/"+row.ID, h.token)
		said["the drawing of "+row.ID] = fetch(h.t, h.url+"/trace/"+row.ID, "")
	}
}

// readFolder adds every file of a folder, by its name.
func readFolder(t *testing.T, dir string, said map[string][]byte) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		said[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func fetch(t *testing.T, url, token string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := (&http.Client{Timeout: hang}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || len(body) == 0 {
		t.Fatalf("%s: %s %v", url, res.Status, err)
	}
	return body
}

// spoken is one message on the broker.
type spoken struct {
	subject string
	data    []byte
}

// tap hears every message on the broker.
type tap struct {
	conn *nats.Conn
	mu   sync.Mutex
	all  []spoken
}

func (h *house) tapBroker() *tap {
	h.t.Helper()
	conn, err := h.gateway.InspectBroker()
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(conn.Close)
	tp := &tap{conn: conn}
	if _, err := conn.Subscribe(">", func(m *nats.Msg) {
		tp.mu.Lock()
		defer tp.mu.Unlock()
		tp.all = append(tp.all, spoken{m.Subject, fmt.Appendf(slices.Clone(m.Data), "%s%v", m.Reply, m.Header)})
	}); err != nil {
		h.t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		h.t.Fatal(err)
	}
	return tp
}

// heard is every message so far: what the broker got before the flush is here after it.
func (tp *tap) heard(h *house) []spoken {
	h.t.Helper()
	if err := tp.conn.Flush(); err != nil {
		h.t.Fatal(err)
	}
	eventually(h.t, "the tap has worked off what it heard", func() bool {
		tp.mu.Lock()
		defer tp.mu.Unlock()
		return uint64(len(tp.all)) >= tp.conn.Stats().InMsgs
	})
	tp.mu.Lock()
	defer tp.mu.Unlock()
	return slices.Clone(tp.all)
}
