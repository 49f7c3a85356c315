//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/fourways-id/fourways/internal/directory"
)

// lockFolder holds the data folder for this process until the file is closed or the process ends, however it ends. Two
// labs in one folder would write over each other's directory.
func lockFolder(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lab.lock"), os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // G304: the operator names the folder
	if err != nil {
		return nil, fmt.Errorf("lock the lab's data folder: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	_ = f.Close() // nothing was written
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("a lab in %s: use the one that runs there, or give this one a folder of its own with --dir and --port 0: %w", dir, directory.ErrConflict)
	}
	return nil, fmt.Errorf("lock the lab's data folder: %w", err)
}
