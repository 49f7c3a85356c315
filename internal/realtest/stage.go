package realtest

import (
	"fmt"
	"os"
	"sync"
	"testing"
)

// stage is where a server lives: it hands out folders and remembers how to end what was started, last first.
type stage struct {
	cleanup func(func())
}

// folder makes a private folder that goes when the stage is struck. It is short on purpose: a path to a Unix socket
// may have 107 bytes, which the folder of a test with a long name would fill.
func (s *stage) folder(name string) (string, error) {
	path, err := os.MkdirTemp("", "fourways-"+name+"-")
	if err != nil {
		return "", fmt.Errorf("folder for %s: %w", name, err)
	}
	s.cleanup(func() { _ = os.RemoveAll(path) })
	return path, nil
}

// house holds the servers that the tests of one package share. It is the one variable of the package: a TestMain
// and the tests it runs have no other place to meet.
var house tenants

type tenants struct {
	mu      sync.Mutex
	open    bool // Main is running
	ends    []func()
	samba   shared[*SambaDC]
	ldap    shared[*OpenLDAPServer]
	cluster shared[*cluster]
}

// Main runs a package's tests and then ends the servers they shared:
//
//	func TestMain(m *testing.M) { os.Exit(realtest.Main(m)) }
//
// Without it every test gets servers of its own, which costs Samba's provisioning each time.
func Main(m interface{ Run() int }) int {
	house.mu.Lock()
	house.open = true
	house.mu.Unlock()
	code := m.Run()
	house.mu.Lock()
	defer house.mu.Unlock()
	house.open = false
	for i := len(house.ends) - 1; i >= 0; i-- {
		house.ends[i]()
	}
	house.ends = nil
	return code
}

// stageFor gives the package's stage under Main, else one that ends with the test.
func (h *tenants) stageFor(t testing.TB) (*stage, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.open {
		return &stage{cleanup: t.Cleanup}, false
	}
	return &stage{cleanup: func(end func()) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.ends = append(h.ends, end)
	}}, true
}

// shared starts a server for the first test that asks and hands it to the others.
type shared[T any] struct {
	once  sync.Once
	value T
	err   error
}

func (s *shared[T]) get(t testing.TB, start func(*stage) (T, error)) T {
	t.Helper()
	on, together := house.stageFor(t)
	if !together {
		return must(t, start, on)
	}
	s.once.Do(func() { s.value, s.err = start(on) })
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.value
}

// own starts a server that ends with the test.
func own[T any](t testing.TB, start func(*stage) (T, error)) T {
	t.Helper()
	return must(t, start, &stage{cleanup: t.Cleanup})
}

func must[T any](t testing.TB, start func(*stage) (T, error), on *stage) T {
	t.Helper()
	value, err := start(on)
	if err != nil {
		t.Fatal(err)
	}
	return value
}
