package config

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/golden"
)

func mustLoad(t *testing.T, text string, environ ...string) *Config {
	t.Helper()
	c, err := load("test.toml", []byte(text), environ)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEveryMistakeIsNamedAtOnceWithItsPlace(t *testing.T) {
	for _, name := range []string{"mistakes", "agent-mistakes"} {
		data, err := os.ReadFile(filepath.Join("testdata", name+".toml"))
		if err != nil {
			t.Fatal(err)
		}
		environ := []string{"FOURWAYS_LOCKOUT__TRESHOLD=3", "FOURWAYS_PTA__REQUEST_TIMEOUT=soon", "FOURWAYS_AGENT_DIRECTORY__TIMEOUT=1h", "FOURWAYS_SERVER=http://localhost:8401", "HOME=/"}
		if strings.HasPrefix(name, "agent") {
			_, err = loadAgent(name+".toml", data, environ)
		} else {
			_, err = load(name+".toml", data, environ)
		}
		var all *Errors
		if !errors.As(err, &all) || len(all.List) < 10 {
			t.Fatalf("want many complaints, got %v", err)
		}
		golden.Check(t, "testdata/"+name+".golden", err.Error()+"\n")
	}
}

func TestWhatIsNotTOMLIsOneComplaintWithItsPlace(t *testing.T) {
	_, err := load("x.toml", []byte("[server]\npublic_url = \n"), nil)
	if err == nil || !strings.HasPrefix(err.Error(), "x.toml:2:") {
		t.Errorf("got %v", err)
	}
}

func TestTheExampleStartsWithCloudReady(t *testing.T) {
	c := mustLoad(t, string(Example()))
	if diff := cmp.Diff([]directory.Domain{{Name: "cloud.example.com", Path: authn.PathCloud}}, c.Domains()); diff != "" {
		t.Error(diff)
	}
	if c.Lab != nil {
		t.Error("the example has a lab table")
	}
	if err := errors.Join(c.Check(), c.RefuseLab()); err != nil {
		t.Error(err)
	}
	root, err := os.ReadFile("../../config.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(root, Example()) {
		t.Error("config.example.toml differs from internal/config/example.toml: copy it over")
	}
}

// uncommented is the example with every commented-out key and table switched on.
func uncommented() string {
	var lines []string
	for line := range strings.Lines(string(Example())) {
		if rest, ok := strings.CutPrefix(line, "#"); ok && rest != "" && rest[0] != ' ' && rest[0] != '\n' {
			line = rest
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "")
}

func TestTheExampleWorksUncommentedAndShowsTheDefaults(t *testing.T) {
	c := mustLoad(t, uncommented())
	if len(c.Domain) != 5 || len(c.IdP) != 2 {
		t.Errorf("%d domains, %d identity providers", len(c.Domain), len(c.IdP))
	}
	want := Default()
	want.Tenant.InitialDomain = "cloud.example.com"
	got := *c
	got.Domain, got.IdP, got.Rollout, got.License, got.App, got.source = nil, nil, nil, nil, nil, source{}
	if len(got.Server.TrustedProxies) == 0 {
		got.Server.TrustedProxies = nil
	}
	if len(got.Password.BannedWords) == 0 {
		got.Password.BannedWords = nil
	}
	if diff := cmp.Diff(*want, got, cmp.AllowUnexported(Config{}), cmp.Comparer(func(a, b source) bool { return true })); diff != "" {
		t.Errorf("a key of the example doesn't show its default (-default +example):\n%s", diff)
	}
	for _, key := range allKeys() {
		if !c.source.knows(key) {
			t.Errorf("the example doesn't have %s", key)
		}
	}
}

func TestEnvironmentWinsOverFileOverDefault(t *testing.T) {
	c := mustLoad(t, "[lockout]\nthreshold = 5\nduration = \"2m\"\n", "FOURWAYS_LOCKOUT__THRESHOLD=7", "FOURWAYS_SERVER__TRUSTED_PROXIES=10.0.0.7, 10.1.0.0/16", "FOURWAYS_SYNC__PAUSED=true")
	if c.Lockout.Threshold != 7 || time.Duration(c.Lockout.Duration) != 2*time.Minute || !c.Sync.Paused || len(c.Proxies()) != 2 {
		t.Errorf("%+v %+v %v", c.Lockout, c.Sync, c.Proxies())
	}
	var b bytes.Buffer
	if err := Show(&b, c); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "testdata/show.golden", b.String())
}

func TestDomainsKnowWhetherTheirHashesAreSynchronised(t *testing.T) {
	c := mustLoad(t, `
[[domain]]
name = "A.Example.test"
path = "phs"
[[domain]]
name = "b.example.test"
path = "pta"
password_hash_sync = true
[[domain]]
name = "c.example.test"
path = "pta"
`)
	want := []directory.Domain{{Name: "a.example.test", Path: "phs", PHS: true}, {Name: "b.example.test", Path: "pta", PHS: true}, {Name: "c.example.test", Path: "pta"}}
	if diff := cmp.Diff(want, c.Domains()); diff != "" {
		t.Error(diff)
	}
}

func TestServeRefusesLabSettingsFromFileAndEnvironment(t *testing.T) {
	if err := mustLoad(t, "[lab]\nseed = 2\n").RefuseLab(); err == nil || !strings.HasPrefix(err.Error(), "test.toml:1:") {
		t.Errorf("file: %v", err)
	}
	c := mustLoad(t, "", "FOURWAYS_LAB__SEED=3")
	if err := c.RefuseLab(); err == nil || !strings.Contains(err.Error(), "FOURWAYS_LAB__SEED") || c.Lab.Seed != 3 {
		t.Errorf("environment: %v", err)
	}
	if err := mustLoad(t, "").RefuseLab(); err != nil {
		t.Errorf("no lab setting: %v", err)
	}
}

func TestCheckWantsSecretsThatStrangersCantRead(t *testing.T) {
	dir := t.TempDir()
	secret, metadata := filepath.Join(dir, "secret"), filepath.Join(dir, "md.xml")
	for file, mode := range map[string]os.FileMode{secret: 0o644, metadata: 0o644} {
		if err := os.WriteFile(file, []byte("x"), mode); err != nil {
			t.Fatal(err)
		}
	}
	c := mustLoad(t, uncommented())
	c.IdP[0].MetadataFile, c.IdP[1].ClientSecretFile = filepath.Join(dir, "gone.xml"), secret
	err := c.Check()
	if err == nil || !strings.Contains(err.Error(), "there is no file") || !strings.Contains(err.Error(), "chmod 600") || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("want a missing and a readable file, got %v", err)
	}
	c.IdP[0].MetadataFile = metadata
	if err := os.Chmod(secret, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Check(); err != nil {
		t.Error(err)
	}
}

func TestChangesTellReloadFromRestart(t *testing.T) {
	old := mustLoad(t, string(Example()))
	text := strings.Replace(string(Example()), `path = "cloud"`, `path = "phs"`, 1)
	text = strings.Replace(text, "#threshold = 10", "threshold = 5", 1)
	text = strings.Replace(text, `#public_listen = ":8400"`, `public_listen = ":9400"`, 1)
	live, restart := Changes(old, mustLoad(t, text))
	if diff := cmp.Diff([]string{`domain "cloud.example.com".path`, "lockout.threshold"}, live); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"server.public_listen"}, restart); diff != "" {
		t.Error(diff)
	}
	if live, restart := Changes(old, old); len(live)+len(restart) != 0 {
		t.Errorf("nothing changed, got %v %v", live, restart)
	}
}

// What a reload does not take over must stay announced, and in force, until the restart.
func TestReloadedKeepsExactlyWhatNeedsARestart(t *testing.T) {
	old := mustLoad(t, string(Example()))
	fresh := mustLoad(t, string(Example())+"\n[lab]\nusers = 5\n")
	changeAll(reflect.ValueOf(fresh).Elem())
	live, restart := Changes(old, fresh)
	if len(live) == 0 || len(restart) == 0 {
		t.Fatalf("nothing was changed: %v %v", live, restart)
	}
	inForce := Reloaded(old, fresh)
	if later, still := Changes(inForce, fresh); len(later) > 0 || cmp.Diff(restart, still) != "" {
		t.Errorf("after the reload: live %v, want none; restart (-announced +still to come):\n%s", later, cmp.Diff(restart, still))
	}
	if now, waiting := Changes(old, inForce); len(waiting) > 0 || cmp.Diff(live, now) != "" {
		t.Errorf("taken over without a restart: %v; live (-announced +in force):\n%s", waiting, cmp.Diff(live, now))
	}
	for _, key := range []string{"server.public_url", "signin.session_ttl", "pta.request_timeout", "sync.hash_interval", "lab.users"} {
		if !slices.Contains(restart, key) {
			t.Errorf("%s is not announced as waiting for a restart", key)
		}
	}
	for _, key := range []string{"lockout.threshold", "sync.paused", "sync.max_deletes"} {
		if !slices.Contains(live, key) {
			t.Errorf("%s is not announced as in force", key)
		}
	}
}

// changeAll gives every setting of the tables that don't repeat another value.
func changeAll(v reflect.Value) {
	for i := range v.NumField() {
		f := v.Field(i)
		switch {
		case !f.CanSet() || f.Kind() == reflect.Slice:
		case f.Kind() == reflect.Struct:
			changeAll(f)
		case f.Kind() == reflect.String:
			f.SetString(f.String() + "x")
		case f.Kind() == reflect.Bool:
			f.SetBool(!f.Bool())
		case f.CanInt():
			f.SetInt(f.Int() + 1)
		case f.CanFloat():
			f.SetFloat(f.Float() + 1)
		}
	}
}

func TestWhatIsEncodedIsReadBack(t *testing.T) {
	c := mustLoad(t, uncommented()+"\n[lab]\nusers = 5\n")
	c.IdP[1].Binding = "" // of the other protocol: not written
	var b bytes.Buffer
	if err := Encode(&b, c); err != nil {
		t.Fatal(err)
	}
	again := mustLoad(t, b.String())
	if live, restart := Changes(c, again); len(live)+len(restart) != 1 { // binding has its default again
		t.Errorf("changed on the way: %v %v\n%s", live, restart, b.String())
	}
}

func TestAgentFile(t *testing.T) {
	good := `
[agent]
name = "agent-1"
gateway_url = "https://login.example.com/"
roles = ["pta", "sync"]
[directory]
kind = "ad"
urls = ["ldaps://dc1.corp.example"]
base_dn = "DC=corp,DC=example"
bind_dn = "CN=sync,DC=corp,DC=example"
bind_password_file = "gone"
[decoy]
upn = "decoy@corp.example"
password_file = "gone"
`
	a, err := loadAgent("agent.toml", []byte(good), []string{"FOURWAYS_AGENT_DIRECTORY__TIMEOUT=3s"})
	if err != nil {
		t.Fatal(err)
	}
	if a.Agent.GatewayURL != "https://login.example.com" || !a.HasRole("sync") || time.Duration(a.Directory.Timeout) != 3*time.Second {
		t.Errorf("%+v", a)
	}
	if a.Directory.AnchorAttribute != "objectGUID" || a.Sync.CloudUPNAttribute != "userPrincipalName" {
		t.Errorf("attributes of an AD: %+v %+v", a.Directory, a.Sync)
	}
	ldap, err := loadAgent("agent.toml", []byte(strings.Replace(good, `"ad"`, `"ldap"`, 1)), nil)
	if err != nil || ldap.Directory.AnchorAttribute != "entryUUID" || ldap.Directory.UPNAttribute != "mail" || ldap.Sync.CloudUPNAttribute != "mail" {
		t.Errorf("attributes of an LDAP directory: %v %+v", err, ldap)
	}
	if _, err := loadAgent("agent.toml", []byte(strings.Replace(good, "[decoy]", "user_filter = \"(uid=x)\"\n[decoy]", 1)), nil); err == nil || !strings.Contains(err.Error(), "same person for everybody") {
		t.Errorf("a filter without a name: %v", err)
	}
	if err := a.Check(); err == nil || strings.Count(err.Error(), "there is no file gone") != 2 {
		t.Errorf("want two missing secrets, got %v", err)
	}
}

func TestAMissingFileSaysWhatToDo(t *testing.T) {
	_, err := LoadFile(filepath.Join(t.TempDir(), "none.toml"))
	if err == nil || !strings.Contains(err.Error(), "config init") {
		t.Errorf("got %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(uncommented()))
	f.Add([]byte("domain = [{name='a.b', path='phs'}, {nam='c.d'}]\nserver.public_url = 'x'"))
	f.Add([]byte("[[domain]]\n[domain.sub]\nx.y = 1\n[[idp]]\n[[idp.z]]\n"))
	f.Add([]byte("lockout = 3\nidp = 'x'\ndomain = [1]\n[server]\ntrusted_proxies = [[1]]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := load("f.toml", data, nil)
		var all *Errors
		if err != nil && (!errors.As(err, &all) || len(all.List) == 0) {
			t.Fatalf("not a list of complaints: %v", err)
		}
		if err == nil {
			var b bytes.Buffer
			if err := Show(&b, c); err != nil {
				t.Fatal(err)
			}
			if len(c.Domains()) != len(c.Domain) || len(c.IdPs()) != len(c.IdP) {
				t.Fatal("domains were lost")
			}
		}
	})
}
