package main

import (
	"errors"
	"testing"
)

func TestAnErrorThatQuotesADirectoryDrawsNothingOnTheTerminal(t *testing.T) {
	if got, want := told(errors.New("CN=\x1b[2J\r\a\u202eé came without its objectGUID\nand so on")), "CN=?[2J???é came without its objectGUID\nand so on"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
