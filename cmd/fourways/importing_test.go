package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/userfile"
)

// quayside makes whatever comes, until it fails.
type quayside struct {
	asked []int // rows of each request
	fail  int   // the request that fails; 0: none
}

func (q *quayside) ImportUsers(_ context.Context, ask api.Import) (api.Imported, error) {
	q.asked = append(q.asked, len(ask.Rows))
	if len(q.asked) == q.fail {
		return api.Imported{}, errors.New("the line was cut")
	}
	var done api.Imported
	for _, r := range ask.Rows {
		done.Made = append(done.Made, *r.UPN)
	}
	return done, nil
}

func importOf(t *testing.T, to *quayside, text string, f importFlags) (i *importing, said *bytes.Buffer, err error) {
	t.Helper()
	said = &bytes.Buffer{}
	list, err := userfile.Open(strings.NewReader(text), userfile.CSV)
	if err != nil {
		t.Fatal(err)
	}
	i = newImporting(&app{out: said, err: said}, to, list, f)
	return i, said, i.run(t.Context())
}

func manyLines(n, width int) string {
	var b strings.Builder
	b.WriteString("userPrincipalName,displayName\n")
	for i := range n {
		fmt.Fprintf(&b, "p%d@cloud.example,%s\n", i, strings.Repeat("x", width))
	}
	return b.String()
}

func TestALargeFileGoesInRequestsOfABoundedSize(t *testing.T) {
	for name, try := range map[string]struct {
		text string
		want string
	}{
		"many lines": {manyLines(450, 5), "[200 200 50]"},
		"long lines": {manyLines(70, 20_000), "[53 17]"},
		"no lines":   {manyLines(0, 0), "[]"},
	} {
		to := &quayside{}
		i, said, err := importOf(t, to, try.text, importFlags{})
		if err != nil || fmt.Sprint(to.asked) != try.want || i.report.Refused > 0 {
			t.Errorf("%s: requests of %v rows, want %s; %v\n%s", name, to.asked, try.want, err, said)
		}
	}
}

func TestANameIsFoundAgainHoweverFarAway(t *testing.T) {
	to := &quayside{}
	i, said, err := importOf(t, to, manyLines(450, 1)+" P7@CLOUD.example. ,again\n", importFlags{})
	if err != nil || i.report.Refused != 1 || !strings.Contains(said.String(), "line 452: p7@cloud.example: it stands in line 9 already") {
		t.Errorf("%v: %s", err, said)
	}
}

func TestAnImportThatStopsSaysHowFarItCame(t *testing.T) {
	_, said, err := importOf(t, &quayside{fail: 3}, manyLines(450, 1), importFlags{})
	if err == nil || !strings.Contains(said.String(), "stopped after line 401: imported 400, refused 0") {
		t.Errorf("%v: %s", err, said)
	}
}

func TestAllOrNoneIsOneRequestAndBounded(t *testing.T) {
	to := &quayside{}
	if _, said, err := importOf(t, to, manyLines(450, 1), importFlags{atomic: true}); err != nil || fmt.Sprint(to.asked) != "[450]" {
		t.Errorf("%v, %v: %s", to.asked, err, said)
	}
	for what, text := range map[string]string{"too many lines": manyLines(api.ImportRowsAtomic+1, 1), "too many bytes": manyLines(450, 20_000)} {
		to := &quayside{}
		_, _, err := importOf(t, to, text, importFlags{atomic: true})
		var f failure
		if !errors.As(err, &f) || len(to.asked) > 0 || !strings.Contains(f.why, "too long for --atomic") {
			t.Errorf("%s: %v after requests of %v rows", what, err, to.asked)
		}
	}
}
