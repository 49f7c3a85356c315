package lab

import (
	"errors"
	"net/http"
	"testing"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/lab/fault"
)

func TestRateOfNothingIsNotARateOfEverything(t *testing.T) {
	l := &Lab{faults: fault.NewBoard()}
	t.Cleanup(l.faults.Close)
	for _, x := range []struct {
		rate *float64
		want float64 // 0: refused
	}{{nil, 1}, {new(0.5), 0.5}, {new(0.0), 0}} {
		f, err := l.SetFault(t.Context(), "idp-slow", api.FaultSetting{Rate: x.rate}, "somebody")
		if x.want == 0 {
			var p api.Problem
			if !errors.As(err, &p) || p.Status != http.StatusBadRequest {
				t.Errorf("a rate of 0: %+v, %v", f, err)
			}
			continue
		}
		if err != nil || f.Active.Rate != x.want {
			t.Errorf("%v: %+v, %v", x.rate, f.Active, err)
		}
	}
}
