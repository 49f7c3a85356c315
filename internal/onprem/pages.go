package onprem

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// Bounds of what a directory may answer without getting anywhere.
const (
	mostEmpty  = 1000      // pages in a row
	mostValues = 5_000_000 // of one attribute of one entry
)

// progress sees to it that the pages of an answer lead somewhere. Their cookies don't tell: Samba gives the same one with
// every page.
type progress struct {
	begun map[string]struct{} // first DN of each page
	empty int                 // pages in a row
}

func (p *progress) page(entries []*ldap.Entry) error {
	if len(entries) == 0 {
		if p.empty++; p.empty > mostEmpty {
			return fmt.Errorf("the directory promises more, and gave %d empty pages in a row", mostEmpty)
		}
		return nil
	}
	first := entries[0].DN
	if _, again := p.begun[first]; again {
		return fmt.Errorf("the directory gives the page that begins with %.200q again", first)
	}
	if p.begun == nil {
		p.begun = map[string]struct{}{}
	}
	p.begun[first], p.empty = struct{}{}, 0
	return nil
}

// goesOn reports that a part of a long list of values ("1500-2999", "3000-*") begins where the part before it ended.
func goesOn(bounds string, from int) bool {
	low, _, _ := strings.Cut(bounds, "-")
	n, err := strconv.Atoi(low)
	return err == nil && n == from
}
