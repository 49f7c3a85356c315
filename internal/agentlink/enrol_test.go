package agentlink_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agent/agenttest"
	"github.com/fourways-id/fourways/internal/agentlink"
)

func contains(b []byte, s string) bool { return bytes.Contains(b, []byte(s)) }

func TestTokenEnrolsOnce(t *testing.T) {
	w := agenttest.Start(t)
	_, hash := agentlink.NewToken()
	if len(hash) != 32 {
		t.Fatalf("hash of %d bytes", len(hash))
	}
	token := "0123456789abcdef"
	w.Registry.Invite(agentlink.TokenHash(token), "one", agentlink.RolePTA)
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		_, _ = b.ReadFrom(r.Body)
		req, err := agentlink.ParseEnrolRequest(b.Bytes())
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		res, err := w.Enroller.Enrol(r.Context(), req)
		if errors.Is(err, agentlink.ErrToken) {
			rw.WriteHeader(http.StatusForbidden)
			return
		}
		_ = json.NewEncoder(rw).Encode(res)
	}))
	defer srv.Close()
	enrol := func(token string) (*agentlink.Identity, error) {
		return agentlink.EnrolOverHTTP(context.Background(), srv.Client(), srv.URL, "one", "v1", authn.NewSecret([]byte(token)))
	}
	if _, err := enrol("a wrong token"); !errors.Is(err, agentlink.ErrToken) {
		t.Errorf("wrong token: %v", err)
	}
	id, err := enrol(token)
	if err != nil || id.Name != "one" || len(id.Roles) != 1 || len(id.Gateway.Sign) != 2 {
		t.Fatalf("good token: %+v, %v", id, err)
	}
	if _, err := enrol(token); !errors.Is(err, agentlink.ErrToken) {
		t.Errorf("used token: %v", err)
	}
	if all, _ := w.Registry.Agents(t.Context()); len(all) != 1 {
		t.Errorf("%d agents are enrolled, want 1", len(all))
	}
}

func TestEnrolmentGoesOverTLSOnly(t *testing.T) {
	for _, url := range []string{"http://gateway.example.test", "ftp://127.0.0.1", "gateway", ""} {
		if _, err := agentlink.EnrolOverHTTP(t.Context(), nil, url, "one", "v1", authn.NewSecret([]byte("t"))); err == nil {
			t.Errorf("%q was taken", url)
		}
	}
}

func TestEnrolmentFollowsNoRedirect(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the token went elsewhere") }))
	defer elsewhere.Close()
	asked := false
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		asked = true
		http.Redirect(rw, r, elsewhere.URL, http.StatusTemporaryRedirect)
	}))
	defer srv.Close()
	_, err := agentlink.EnrolOverHTTP(t.Context(), nil, srv.URL, "one", "v1", authn.NewSecret([]byte("t")))
	if err == nil || !strings.Contains(err.Error(), "307") || !asked {
		t.Errorf("asked %t: %v", asked, err)
	}
}

func TestKeyFileIsItsOwnersAlone(t *testing.T) {
	w := agenttest.Start(t)
	id := w.Enrol(t, "one", agentlink.RolePTA)
	path := filepath.Join(t.TempDir(), "data", agentlink.IdentityFile)
	if err := id.Save(path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}
	if err := id.Save(path); err == nil {
		t.Error("a key file was overwritten")
	}
	back, err := agentlink.LoadIdentity(path)
	if err != nil || back.AgentID != id.AgentID || back.CA != id.CA {
		t.Fatalf("%v, %v", back, err)
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]any
	if err := json.Unmarshal(written, &file); err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %+v %#v %s", id, id, back, id)
	for _, key := range []string{"nkey_seed", "sign_seed", "box_key"} {
		if secret, ok := file[key].(string); !ok || strings.Contains(printed, secret) {
			t.Errorf("%s is missing from the file, or printed", key)
		}
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := agentlink.LoadIdentity(path); err == nil || !strings.Contains(err.Error(), "read by others") {
		t.Errorf("a key file that others may read: %v", err)
	}
	if _, err := agentlink.LoadIdentity(path + ".none"); err == nil || !strings.Contains(err.Error(), "enrol") {
		t.Errorf("a missing key file: %v", err)
	}
}
