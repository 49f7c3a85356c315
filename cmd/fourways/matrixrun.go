package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/lab/matrix"
)

// matrixRuns implements console.Matrix: it runs the matrix in a copy of the lab and keeps the last report in the lab's
// folder, since the copy with its traces is gone when the report is read.
type matrixRuns struct{ copies *copies }

func (m matrixRuns) file() string { return filepath.Join(m.copies.of.dir, "matrix.json") }

// RunMatrix implements console.Matrix.
func (m matrixRuns) RunMatrix(ctx context.Context, ask api.MatrixRequest) (report api.Matrix, err error) {
	began := time.Now()
	err = m.copies.with(ctx, 1, func(ctx context.Context, w *workshop) error {
		report, err = matrix.Run(ctx, shown(w), ask.IdP, w.clock)
		return err
	})
	if err != nil {
		return api.Matrix{}, fmt.Errorf("run the matrix: %w", err)
	}
	report.Took = time.Since(began).Milliseconds()
	return report, keepReport(m.file(), report)
}

// LastMatrix implements console.Matrix.
func (m matrixRuns) LastMatrix(context.Context) (api.Matrix, error) {
	return lastReport[api.Matrix](m.file())
}

// keepReport keeps what a copy was made for, whole or not at all.
func keepReport(file string, report any) error {
	raw, err := json.Marshal(report)
	if err == nil {
		err = os.WriteFile(file+".new", raw, 0o600)
	}
	if err == nil {
		err = os.Rename(file+".new", file)
	}
	if err != nil {
		return fmt.Errorf("keep the report: %w", err)
	}
	return nil
}

// lastReport reads what keepReport kept; directory.ErrNotFound when there was nothing yet.
func lastReport[T any](file string) (T, error) {
	var report T
	raw, err := os.ReadFile(file) //nolint:gosec // G304: below the lab's own folder
	if errors.Is(err, fs.ErrNotExist) {
		return report, fmt.Errorf("nothing of the kind was run in this lab yet: %w", directory.ErrNotFound)
	}
	if err == nil {
		err = json.Unmarshal(raw, &report)
	}
	if err != nil {
		return report, fmt.Errorf("read the last report: %w: remove %s, and run it again", err, file)
	}
	return report, nil
}
