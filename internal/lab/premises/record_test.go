package premises

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fourways-id/fourways/internal/lab/evidence"
	"github.com/fourways-id/fourways/internal/lab/world"
)

func TestTheDomainControllerTellsOfEachBindAndOfNoPassword(t *testing.T) {
	t.Parallel()
	v := openWard(t, 1)
	alice := who("alice", world.PTADomain)
	before := time.Now()
	v.allowed("before", alice)
	binds := 0
	for _, e := range v.seen.DCEvents(before) {
		if e.Op == "bind" && e.Name == alice.UPN && e.Result == 0 {
			binds++
		}
	}
	if binds != 1 {
		t.Errorf("%d binds of alice are told of, want one", binds)
	}
	if later := v.seen.DCEvents(time.Now().Add(time.Hour)); len(later) != 0 {
		t.Errorf("told of what did not happen: %+v", later)
	}
	v.stop()
	v.close()
	for _, name := range []string{evidence.DCLogFile, evidence.HarbourLogFile} {
		path := filepath.Join(v.dir, name)
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	text, err := os.ReadFile(filepath.Join(v.dir, evidence.DCLogFile))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte(world.Password)) || !bytes.Contains(text, []byte(`"op":"bind","name":"`+alice.UPN+`"`)) {
		t.Errorf("the file has a password, or no bind:\n%s", text)
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if !json.Valid(lines.Bytes()) {
			t.Errorf("not JSON: %s", lines.Bytes())
		}
	}
}
