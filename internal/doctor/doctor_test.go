package doctor

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
)

func TestFindingsKeepTheOrderAndAHangingOrBrokenCheckIsAFinding(t *testing.T) {
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	got := Run(t.Context(), []Check{
		{ID: "hangs", Within: time.Millisecond, Run: func(context.Context) Seen { <-never; return OK("late") }},
		{ID: "fine", Run: func(context.Context) Seen { return OK("seen %d", 1) }},
		{ID: "breaks", Run: func(context.Context) Seen { panic("oh") }},
		{ID: "silent", Run: func(context.Context) Seen { return Seen{} }},
		{ID: "warns", Run: func(context.Context) Seen { return Warn("do it", "so-so") }},
	})
	var says []string
	for _, f := range got {
		says = append(says, f.ID+" "+f.Result)
	}
	want := []string{"hangs fail", "fine ok", "breaks fail", "silent fail", "warns warn"}
	if !slices.Equal(says, want) {
		t.Errorf("got %q, want %q", says, want)
	}
	if got[4].Fix != "do it" || got[4].Finding != "so-so" || !Failed(got) || Failed(got[1:2]) {
		t.Errorf("%+v", got)
	}
}

func TestTheWorstOfSeveralIsTold(t *testing.T) {
	for want, all := range map[string][]Seen{
		api.FindingOK: {OK("a"), OK("b")}, api.FindingSkip: {OK("a"), Skip("", "b")},
		api.FindingWarn: {Warn("", "a"), Skip("", "b")}, api.FindingFail: {Warn("", "a"), Fail("", "b"), OK("c")},
	} {
		if got := Worst(Seen{}, all...); got.result != want {
			t.Errorf("%v: %+v, want %s", all, got, want)
		}
	}
	if got := Worst(Seen{}, Fail("x", "a"), OK("b"), Fail("y", "c"), Fail("x", "d")); got.finding != "a; c; d" || got.fix != "x; y" {
		t.Errorf("%+v", got)
	}
	if got := Worst(OK("none")); got.finding != "none" {
		t.Errorf("%+v", got)
	}
}

func TestStoreFileThatIsCutOffOrNoDatabaseIsFound(t *testing.T) {
	head := make([]byte, 2*4096)
	copy(head, magic)
	head[16], head[31] = 16, 2 // pages of 4096 bytes, two of them
	write := func(b []byte) string {
		path := filepath.Join(t.TempDir(), "fourways.db")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"whole": {head, api.FindingOK}, "one page lost": {head[:4096], api.FindingFail}, "cut in a page": {head[:5000], api.FindingFail},
		"empty": {nil, api.FindingFail}, "text": {[]byte(strings.Repeat("x", 4096)), api.FindingFail},
	} {
		if got := storeFile(write(c.data)); got.result != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := disk(filepath.Join(t.TempDir(), "a", "b")); runtime.GOOS == "linux" && got.result == api.FindingSkip {
		t.Errorf("no folder yet: %+v", got)
	}
	if got := storeFile(filepath.Join(t.TempDir(), "none")); got.result != api.FindingSkip {
		t.Errorf("no file yet: %+v", got)
	}
}

func FuzzHeader(f *testing.F) {
	f.Add([]byte(magic+strings.Repeat("\x00", headerSize)), int64(4096))
	f.Fuzz(func(_ *testing.T, b []byte, size int64) {
		if len(b) >= headerSize {
			_ = header(b, size) // it must not panic
		}
	})
}

func TestSecretsThatOthersCanReadAreTold(t *testing.T) {
	c := config.Default()
	c.Store.Path, c.Store.RootKeyFile = filepath.Join(t.TempDir(), "db"), filepath.Join(t.TempDir(), "key")
	if got := secretModes(c); got.result != api.FindingSkip {
		t.Errorf("no file: %+v", got)
	}
	for mode, want := range map[os.FileMode]string{0o600: api.FindingOK, 0o640: api.FindingWarn, 0o604: api.FindingFail} {
		if err := os.WriteFile(c.Store.RootKeyFile, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(c.Store.RootKeyFile, mode); err != nil {
			t.Fatal(err)
		}
		if got := secretModes(c); got.result != want {
			t.Errorf("%04o: %+v, want %s", mode, got, want)
		}
	}
}

func TestAFileOfAnotherUserIsNotToBeCorrected(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may read everything")
	}
	path := filepath.Join(t.TempDir(), "fourways.toml")
	if err := os.WriteFile(path, nil, 0o000); err != nil {
		t.Fatal(err)
	}
	_, check := ConfigFile(path)
	if f := Run(t.Context(), []Check{check})[0]; f.Result != api.FindingFail || !strings.Contains(f.Fix, "as the user that runs fourways") {
		t.Errorf("%+v", f)
	}
}

func TestExpiryDiskClockAndLockoutAreJudged(t *testing.T) {
	now := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		got  Seen
		want string
	}{
		"expired":             {expiry("c", now, now, ""), api.FindingFail},
		"in 29 days":          {expiry("c", now.AddDate(0, 0, 29), now, ""), api.FindingWarn},
		"in a year":           {expiry("c", now.AddDate(1, 0, 0), now, ""), api.FindingOK},
		"full":                {room("/", full-1), api.FindingFail},
		"tight":               {room("/", full), api.FindingWarn},
		"roomy":               {room("/", tight), api.FindingOK},
		"same time":           {clocks("x", now, now, now), api.FindingOK},
		"29 s behind":         {clocks("x", now.Add(-29*time.Second), now, now), api.FindingOK},
		"30 s ahead":          {clocks("x", now.Add(30*time.Second), now, now), api.FindingWarn},
		"2 min behind":        {clocks("x", now.Add(-2*time.Minute), now, now), api.FindingFail},
		"10 here 30 there":    {lockouts(10, time.Hour, 30, 0), api.FindingOK},
		"10 here 20 there":    {lockouts(10, 2*time.Minute, 20, time.Minute), api.FindingOK},
		"10 here 19 there":    {lockouts(10, time.Hour, 19, 0), api.FindingWarn},
		"10 here 10 there":    {lockouts(10, time.Hour, 10, 0), api.FindingFail},
		"Microsoft's example": {lockouts(10, time.Hour, 5, 0), api.FindingFail},
		"never there":         {lockouts(10, time.Hour, 0, 0), api.FindingOK},
		"shorter here":        {lockouts(5, time.Minute, 10, time.Minute), api.FindingWarn},
	} {
		if c.got.result != c.want {
			t.Errorf("%s: %+v, want %s", name, c.got, c.want)
		}
	}
}

func TestAnIssuerMustCallItselfWhatTheConfigurationDoes(t *testing.T) {
	var issuer, algorithms string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"issuer":"` + issuer + `","id_token_signing_alg_values_supported":["` + algorithms + `"]}`))
	}))
	defer s.Close()
	p := config.IdP{ID: "one", Protocol: "oidc", Issuer: s.URL}
	for name, c := range map[string]struct{ issuer, algorithms, want string }{
		"right": {s.URL, "RS256", api.FindingOK}, "a slash more": {s.URL + "/", "RS256", api.FindingFail}, "HMAC only": {s.URL, "HS256", api.FindingFail},
	} {
		issuer, algorithms = c.issuer, c.algorithms
		if got := discovery(t.Context(), s.Client(), p); got.result != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := idpClock(t.Context(), s.Client(), p, time.Now); got.result != api.FindingOK {
		t.Errorf("the same machine: %+v", got)
	}
	if got := idpClock(t.Context(), s.Client(), p, func() time.Time { return time.Now().Add(time.Hour) }); got.result != api.FindingFail {
		t.Errorf("an hour ahead: %+v", got)
	}
	s.Close()
	if got := discovery(t.Context(), http.DefaultClient, p); got.result != api.FindingFail {
		t.Errorf("nobody there: %+v", got)
	}
}

func TestAPortThatASilentProgramHoldsIsTold(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	c := config.Default()
	for _, address := range []*string{&c.Server.PublicListen, &c.Server.ConsoleListen, &c.Server.TelemetryListen, &c.Server.AgentListen} {
		*address = "127.0.0.1:0"
	}
	c.Server.ConsoleListen = silent.Addr().String()
	f := Run(t.Context(), []Check{Ports(c)})[0]
	if f.Result != api.FindingFail || !strings.Contains(f.Finding, "console_listen "+c.Server.ConsoleListen+" is held by another program") {
		t.Errorf("%+v", f)
	}
}

func TestAPortThatAnotherProgramHoldsIsNoGateways(t *testing.T) {
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	address := other.Listener.Addr().String()
	if got := listener(t.Context(), "public_listen", address, false); got.result != api.FindingFail {
		t.Errorf("held by a stranger: %+v", got)
	}
	if got := listener(t.Context(), "public_listen", address, true); got.result != api.FindingOK {
		t.Errorf("held by our gateway: %+v", got)
	}
	if isConsole(t.Context(), address) || isTelemetry(t.Context(), address) {
		t.Error("any server is taken for a gateway's")
	}
	if got := listener(t.Context(), "public_listen", "127.0.0.1:0", false); got.result != api.FindingOK {
		t.Errorf("a free one: %+v", got)
	}
}
