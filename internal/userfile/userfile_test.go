package userfile_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/userfile"
)

// all reads a list to its end.
func all(t rapid.TB, text, format string) (rows []api.ImportRow, bad []userfile.BadLine) {
	t.Helper()
	list, err := userfile.Open(strings.NewReader(text), format)
	if err != nil {
		t.Fatal(err)
	}
	for {
		row, err := list.Next()
		var no userfile.BadLine
		switch {
		case errors.Is(err, io.EOF):
			return rows, bad
		case errors.As(err, &no):
			bad = append(bad, no)
		case err != nil:
			t.Fatal(err)
		default:
			rows = append(rows, row)
		}
	}
}

func value(s *string) string {
	if s == nil {
		return "(nil)"
	}
	return *s
}

func TestAListAsSpreadsheetsWriteItIsRead(t *testing.T) {
	for name, text := range map[string]string{
		"comma":            "userPrincipalName,displayName,accountEnabled\nann@x.example,\"Ann, of the quay\",TRUE\n",
		"semicolon, CRLF":  "userPrincipalName;displayName;accountEnabled\r\nann@x.example;Ann, of the quay;true\r\n",
		"tab":              "userPrincipalName\tdisplayName\taccountEnabled\nann@x.example\tAnn, of the quay\tyes",
		"byte order mark":  "\ufeffuserPrincipalName;displayName;accountEnabled\nann@x.example;Ann, of the quay;1\n",
		"sep= and letters": "sep=;\nUSERPRINCIPALNAME; displayname ;AccountEnabled\n\nann@x.example;Ann, of the quay;TRUE\n   \n",
	} {
		rows, bad := all(t, text, userfile.CSV)
		if len(rows) != 1 || len(bad) > 0 {
			t.Errorf("%s: %d rows, %v", name, len(rows), bad)
			continue
		}
		r := rows[0]
		if value(r.UPN) != "ann@x.example" || value(r.DisplayName) != "Ann, of the quay" || r.Enabled == nil || !*r.Enabled || r.Mail != nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestABrokenLineSpoilsNoOther(t *testing.T) {
	const text = "userPrincipalName,displayName,accountEnabled\n" +
		"ann@x.example,\"Ann,true\n" + // 2: a quote that is not closed
		"ben@x.example,Ben,true\n" +
		"too,few\n" + // 4
		"carl@x.example,Carl,perhaps\n" + // 5
		"dora@x.example,D\xf6ra,true\n" + // 6: Latin-1
		"erin@x.example,Erin,false\n"
	rows, bad := all(t, text+strings.Repeat("x", 100_000)+",,\nfay@x.example,Fay,true", userfile.CSV)
	var good, broken []int
	for _, r := range rows {
		good = append(good, r.Line)
	}
	for _, b := range bad {
		broken = append(broken, b.Line)
	}
	if want := []int{3, 7, 9}; !slices.Equal(good, want) {
		t.Errorf("good lines are %v, want %v", good, want)
	}
	if want := []int{2, 4, 5, 6, 8}; !slices.Equal(broken, want) {
		t.Errorf("broken lines are %v, want %v: %v", broken, want, bad)
	}
}

func TestJSONLinesAreReadStrictly(t *testing.T) {
	rows, bad := all(t, `{"userPrincipalName":"ann@x.example","accountEnabled":false,"password":"pw"}
{"userPrincipalName":"ben@x.example","displyName":"Ben"}
null
{"userPrincipalName":7}
{"userPrincipalName":"carl@x.example"} {}
{"userPrincipalName":"dora@x.example","displayName":""}
[1]
`, userfile.JSONL)
	if len(rows) != 2 || len(bad) != 5 || rows[0].Password != "pw" || *rows[0].Enabled || rows[1].Line != 6 || value(rows[1].DisplayName) != "" {
		t.Errorf("%+v\n%v", rows, bad)
	}
	for _, b := range bad {
		if b.Why == "" {
			t.Errorf("line %d: no reason", b.Line)
		}
	}
}

func TestAFileThatIsNoListIsRefusedWhole(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "empty lines": "\n\n", "no header": "ann@x.example,Ann\n", "no names": "displayName,mail\n", "twice": "userPrincipalName,mail,Mail\n",
		"UTF-16": "\xff\xfeu\x00s\x00e\x00r\x00\n\x00", "a broken header": "\"userPrincipalName\n",
		"lines that end with CR": "userPrincipalName\rann@x.example\r",
	} {
		_, err := userfile.Open(strings.NewReader(text), userfile.CSV)
		var bad userfile.BadFile
		if !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := userfile.Open(strings.NewReader("userPrincipalName\n"), userfile.CSV); err != nil {
		t.Errorf("control: %v", err)
	}
}

// person draws an account with whatever a name may hold.
func person(t *rapid.T) directory.User {
	name := rapid.StringMatching(`['=+@ -]{0,3}[^\p{C}\p{Z}]{0,8}[;,"'\t]?[a-zé漢]{0,3}`)
	return directory.User{
		UPN: rapid.StringMatching(`[a-z]{1,8}@x\.example`).Draw(t, "upn"), DisplayName: name.Draw(t, "displayName"), GivenName: name.Draw(t, "givenName"),
		Surname: name.Draw(t, "surname"), Mail: name.Draw(t, "mail"), Department: name.Draw(t, "department"), JobTitle: name.Draw(t, "jobTitle"),
		UsageLocation: rapid.SampledFrom([]string{"", "NL", "DE"}).Draw(t, "usageLocation"), Enabled: rapid.Bool().Draw(t, "enabled"),
		Blocked: rapid.Bool().Draw(t, "blocked"), MustChange: rapid.Bool().Draw(t, "mustChange"), Onprem: directory.Onprem{Anchor: name.Draw(t, "anchor")},
	}
}

func TestWhatIsWrittenIsReadAsItWas(t *testing.T) {
	for _, format := range userfile.Formats() {
		t.Run(format, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				u := person(t)
				var file bytes.Buffer
				w, err := userfile.NewWriter(&file, format)
				if err := errors.Join(err, w.Write(u), w.Flush()); err != nil {
					t.Fatal(err)
				}
				rows, bad := all(t, file.String(), format)
				if len(rows) != 1 {
					t.Fatalf("%d rows, %v of\n%s", len(rows), bad, file.String())
				}
				r := rows[0]
				for name, pair := range map[string][2]string{
					"displayName": {u.DisplayName, orEmpty(r.DisplayName)}, "givenName": {u.GivenName, orEmpty(r.GivenName)}, "surname": {u.Surname, orEmpty(r.Surname)},
					"mail": {u.Mail, orEmpty(r.Mail)}, "department": {u.Department, orEmpty(r.Department)}, "jobTitle": {u.JobTitle, orEmpty(r.JobTitle)},
					"usageLocation": {u.UsageLocation, orEmpty(r.UsageLocation)}, "immutableId": {u.Onprem.Anchor, orEmpty(r.ImmutableID)}, "upn": {u.UPN, orEmpty(r.UPN)},
				} {
					if pair[0] != pair[1] {
						t.Errorf("%s: %q came back as %q", name, pair[0], pair[1])
					}
				}
				if *r.Enabled != u.Enabled || *r.Blocked != u.Blocked || *r.MustChange != u.MustChange || r.Password+r.PasswordHash != "" {
					t.Errorf("flags of %+v came back as %+v", u, r)
				}
				if format == userfile.CSV {
					noFormula(t, file.String())
				}
			})
		})
	}
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// noFormula looks at the cells as a spreadsheet does.
func noFormula(t *rapid.T, file string) {
	records, err := csv.NewReader(strings.NewReader(file)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, cell := range slices.Concat(records...) {
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			t.Errorf("a spreadsheet takes %q for a formula", cell)
		}
	}
}

func TestPairsOfALeakAreReadOneByOne(t *testing.T) {
	list := userfile.OpenPairs(strings.NewReader("\ufeffann@x.example:pass:word;\r\n ben@x.example ; spaces stay \nnothing\n:x\ncarl@x.example:\n\ndora@x.example;p:w"))
	var got []api.LeakedPair
	var broken []int
	for {
		p, err := list.Next()
		var bad userfile.BadLine
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.As(err, &bad) {
			broken = append(broken, bad.Line)
			continue
		}
		got = append(got, p)
	}
	want := []api.LeakedPair{{Line: 1, User: "ann@x.example", Password: "pass:word;"}, {Line: 2, User: "ben@x.example", Password: " spaces stay "}, {Line: 7, User: "dora@x.example", Password: "p:w"}}
	if len(got) != len(want) || !slices.Equal(broken, []int{3, 4, 5}) {
		t.Fatalf("%v, broken %v", got, broken)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%v, want %v", got[i], want[i])
		}
	}
}

// A list that was joined from several files has marks in the middle, and one of an old Mac has no line ends that are known:
// neither may make a leaked password pass for nobody's, or for another one.
func TestPairsAreNotLostToMarksAndCarriageReturns(t *testing.T) {
	list := userfile.OpenPairs(strings.NewReader("ann@x.example:one\r\n\ufeffben@x.example:two\ncarl@x.example:three\rdora@x.example:four\nerin@x.example:five\r"))
	for _, want := range []api.LeakedPair{{Line: 1, User: "ann@x.example", Password: "one"}, {Line: 2, User: "ben@x.example", Password: "two"}} {
		if got, err := list.Next(); got != want || err != nil {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
	}
	var bad userfile.BadLine
	if p, err := list.Next(); !errors.As(err, &bad) || bad.Line != 3 || strings.Contains(err.Error(), "three") {
		t.Errorf("%v, %v, want line 3 to be bad", p, err)
	}
	if got, err := list.Next(); got != (api.LeakedPair{Line: 4, User: "erin@x.example", Password: "five"}) || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("userPrincipalName;displayName\nann@x.example;\"Ann\"\n", true)
	f.Add(`{"userPrincipalName":"ann@x.example"}`, false)
	f.Fuzz(func(t *testing.T, text string, asCSV bool) {
		format := userfile.JSONL
		if asCSV {
			format = userfile.CSV
		}
		list, err := userfile.Open(strings.NewReader(text), format)
		var badFile userfile.BadFile
		if err != nil {
			if !errors.As(err, &badFile) {
				t.Fatal(err)
			}
			return
		}
		last := 0
		for {
			row, err := list.Next()
			var bad userfile.BadLine
			line := row.Line
			switch {
			case errors.Is(err, io.EOF):
				return
			case errors.As(err, &bad):
				line = bad.Line
			case errors.As(err, &badFile):
				return
			case err != nil:
				t.Fatal(err)
			}
			if line <= last || line > strings.Count(text, "\n")+1 {
				t.Fatalf("line %d after %d", line, last)
			}
			last = line
		}
	})
}

func FuzzPairs(f *testing.F) {
	f.Add("ann@x.example:pw\n")
	f.Fuzz(func(t *testing.T, text string) {
		list := userfile.OpenPairs(strings.NewReader(text))
		for {
			p, err := list.Next()
			var bad userfile.BadLine
			var badFile userfile.BadFile
			switch {
			case errors.Is(err, io.EOF), errors.As(err, &badFile):
				return
			case errors.As(err, &bad):
				continue
			case err != nil:
				t.Fatal(err)
			}
			if p.User == "" || p.Password == "" || !strings.Contains(text, p.Password) {
				t.Fatalf("%+v", p)
			}
		}
	})
}
