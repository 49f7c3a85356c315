package endtoend_test

import (
	"os"
	"testing"

	"github.com/fourways-id/fourways/internal/realtest"
)

func TestMain(m *testing.M) { os.Exit(realtest.Main(m)) }
