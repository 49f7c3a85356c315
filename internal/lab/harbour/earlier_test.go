package harbour

import (
	"fmt"
	"testing"
)

// A crowd's answers don't fill the memory, and the newest is there.
func TestEarlierAnswersAreBounded(t *testing.T) {
	var e earlier
	for n := range 2 * mostEarlier {
		who := fmt.Sprint(n)
		e.keep(who, sent{id: who})
		if out, ok := e.of(answer{who: who, Tampering: Tampering{Replay: true}}); !ok || out.id != who {
			t.Fatalf("the answer for %s is not there", who)
		}
	}
	if len(e.last) != mostEarlier {
		t.Errorf("%d answers are kept", len(e.last))
	}
	if _, ok := e.of(answer{who: fmt.Sprint(2*mostEarlier - 1)}); ok {
		t.Error("it is sent again without being asked for")
	}
}
