package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/dirsync"
)

func TestARunThatAGuardStoppedIsNoFailureOfTheGateway(t *testing.T) {
	for _, cause := range []error{dirsync.ErrTooManyDeletes, dirsync.ErrEmptySource} {
		err := syncFailure("directory", fmt.Errorf("%w: 27 of 77", cause))
		var guard console.Guarded
		if !errors.As(err, &guard) || !errors.Is(err, cause) {
			t.Errorf("%v is not marked as a guard's refusal", err)
		}
	}
	var p api.Problem
	if err := syncFailure("hash", dirsync.ErrBusy); !errors.As(err, &p) || p.Status != http.StatusConflict {
		t.Errorf("another run is under way: %v", err)
	}
	var guard console.Guarded
	if err := syncFailure("hash", errors.New("no answer")); errors.As(err, &guard) || errors.As(err, &p) {
		t.Errorf("a directory that can't be read: %v", err)
	}
}
