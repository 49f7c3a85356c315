package endtoend_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/fourways-id/fourways/internal/console/api"
)

func TestARequestThatIsSentAgainIsCarriedOutOnceAndItsAnswerIsKeptSealed(t *testing.T) {
	h := openHouse(t, nil)
	send := func(key string) (int, []byte) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.api+"/api/v1/tokens", strings.NewReader(`{"name":"robot","role":"reader"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+h.token)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", key)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Error(err)
			return 0, nil
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Error(err)
		}
		return res.StatusCode, body
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	answers := map[string]int{}
	for range 8 { // some of them at once
		wg.Go(func() {
			status, body := send(`"one"`)
			mu.Lock()
			defer mu.Unlock()
			if status == http.StatusCreated {
				answers[string(body)]++
			} else if status != http.StatusConflict || !bytes.Contains(body, []byte(api.UnderWay)) {
				t.Errorf("%d %s", status, body)
			}
		})
	}
	wg.Wait()
	status, body := send(`"one"`)
	if len(answers) != 1 || answers[string(body)] == 0 || status != http.StatusCreated {
		t.Fatalf("the same request was answered with %d different answers", len(answers))
	}
	tokens, err := h.console.Tokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	for _, token := range tokens {
		if token.Name == "robot" {
			made++
		}
	}
	if made != 1 {
		t.Errorf("%d tokens were made", made)
	}
	var token api.Token
	if err := json.Unmarshal(body, &token); err != nil || token.Secret == "" {
		t.Fatalf("%v %s", err, body)
	}
	h.gateway.Close()
	files, err := filepath.Glob(filepath.Join(h.dir, "fourways.db*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v %v", files, err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte(token.Secret)) {
			t.Errorf("%s holds the token that was made", filepath.Base(file))
		}
		if strings.HasSuffix(file, ".db") && !bytes.Contains(raw, []byte("robot")) {
			t.Errorf("%s does not even hold the token's name: was anything looked at?", filepath.Base(file))
		}
	}
}
