package leak

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/doctor"
	"github.com/fourways-id/fourways/internal/passhash"
)

const mark = "0197-correlation-id"

func lookAt(t *testing.T, files map[string][]byte, marks ...string) (result, says string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := doctor.Run(t.Context(), []doctor.Check{Check(Place{ID: "leak.store", Marks: marks, Open: Folder(dir)}, canary)})[0]
	return f.Result, f.Finding
}

var canary = Canary()

func TestAPlantedPasswordIsFoundInEveryForm(t *testing.T) {
	clear := string(canary.Reveal())
	quoted, err := json.Marshal(clear)
	if err != nil {
		t.Fatal(err)
	}
	nt := passhash.NTHash([]byte(clear))
	for name, planted := range map[string]string{
		"clear": clear, "JSON": string(quoted), "hex": hex.EncodeToString([]byte(clear)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(clear))),
		"HTML": html.EscapeString(clear), "Go": strconv.QuoteToASCII(clear), "lower case": strings.ToLower(clear), "its second half": clear[len(clear)-26:],
		"query": url.QueryEscape(clear), "path": url.PathEscape(clear), "NT hash": strings.ToUpper(hex.EncodeToString(nt[:])), "raw NT hash": string(nt[:]),
		"base64":         base64.StdEncoding.EncodeToString([]byte(clear)),
		"base64, second": base64.StdEncoding.EncodeToString([]byte("x" + clear + "yz")),
		"base64, third":  base64.URLEncoding.EncodeToString([]byte("xx" + clear + "y")),
	} {
		// Across the border of two windows, where a search piece by piece could miss it.
		text := append(bytes.Repeat([]byte{'.'}, window-len(planted)/2), planted+"..."+mark...)
		result, says := lookAt(t, map[string][]byte{"gateway.log": text, "fourways.db": []byte("clean")}, mark)
		if result != "fail" || !strings.Contains(says, "gateway.log") {
			t.Errorf("planted as %s: %s, %s", name, result, says)
		}
		if len(authntest.Leaks([]byte(says), clear)) > 0 {
			t.Errorf("the finding itself tells the password: %s", says)
		}
	}
	if result, says := lookAt(t, map[string][]byte{"fourways.db": []byte(mark + " and nothing else")}, mark); result != "ok" {
		t.Errorf("a clean folder: %s, %s", result, says)
	}
}

func TestAWrongPlaceIsNeverClean(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		marks []string
	}{
		"without what the sign-ins left": {"something else", []string{mark}},
		"with one of two":                {mark, []string{mark, "another"}},
		"nothing to be found":            {mark, nil},
		"empty":                          {"", []string{mark}},
	} {
		if result, says := lookAt(t, map[string][]byte{"f": []byte(c.text)}, c.marks...); result != "fail" {
			t.Errorf("%s: %s, %s", name, result, says)
		}
	}
	broken := Place{ID: "x", Marks: []string{mark}, Open: func(_ context.Context, each func(string, io.Reader) error) error {
		if err := each("a", strings.NewReader(mark)); err != nil {
			return err
		}
		return os.ErrPermission
	}}
	if f := doctor.Run(t.Context(), []doctor.Check{Check(broken, canary)})[0]; f.Result != "skip" {
		t.Errorf("half a place: %+v", f)
	}
}
