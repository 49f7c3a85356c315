package store_test

import (
	"testing"

	"github.com/fourways-id/fourways/internal/store/storetest"
)

func TestSQLite(t *testing.T) { storetest.Test(t, storetest.SQLite()) }
