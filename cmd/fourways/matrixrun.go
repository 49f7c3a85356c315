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
		report, err = matrix.Run(ctx, world(w), ask.IdP, w.clock)
		return err
	})
	if err != nil {
		return api.Matrix{}, fmt.Errorf("run the matrix: %w", err)
	}
	report.Took = time.Since(began).Milliseconds()
	return report, m.keep(report)
}

func (m matrixRuns) keep(report api.Matrix) error {
	raw, err := json.Marshal(report)
	if err == nil {
		err = os.WriteFile(m.file()+".new", raw, 0o600)
	}
	if err == nil {
		err = os.Rename(m.file()+".new", m.file())
	}
	if err != nil {
		return fmt.Errorf("keep the matrix's report: %w", err)
	}
	return nil
}

// LastMatrix implements console.Matrix.
func (m matrixRuns) LastMatrix(context.Context) (api.Matrix, error) {
	var report api.Matrix
	raw, err := os.ReadFile(m.file())
	if errors.Is(err, fs.ErrNotExist) {
		return report, fmt.Errorf("no matrix was run in this lab yet (`fourways compare --matrix` runs one): %w", directory.ErrNotFound)
	}
	if err == nil {
		err = json.Unmarshal(raw, &report)
	}
	if err != nil {
		return report, fmt.Errorf("read the last matrix: %w: remove the file, and run another", err)
	}
	return report, nil
}
