package realtest

import (
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// crowdAtOnce is how many people one ldbadd adds, in one transaction.
const crowdAtOnce = 500

// SambaCrowd gives a domain controller of the test's own with that many people more, all in OU=Crowd: person00001 and so on,
// enabled, without a password. The first call takes minutes; what it made is kept in the user's cache folder for the next.
func SambaCrowd(t testing.TB, people int) *SambaDC {
	t.Helper()
	Need(t, "samba")
	if os.Getenv("FOURWAYS_LONG") != "1" {
		t.Skipf("SKIPPED: fills a Samba with %d people; run `make test-long` (it sets FOURWAYS_LONG=1)", people)
	}
	return own(t, func(on *stage) (*SambaDC, error) {
		return startSambaFrom(on, func(*stage) (string, error) { return crowded(people) })
	})
}

// Crowd is where the people of SambaCrowd are.
func (dc *SambaDC) Crowd() string { return "OU=Crowd," + dc.BaseDN }

func crowded(people int) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	stamp, err := templatesStamp()
	if err != nil {
		return "", err
	}
	return kept(filepath.Join(cache, "fourways-real"), fmt.Sprintf("samba-%d-%x", people, stamp), func(folder string) error {
		if err := provision(folder); err != nil {
			return err
		}
		return crowd(folder, people)
	})
}

// templatesStamp changes with the templates that a domain is made from.
func templatesStamp() (uint32, error) {
	sum := fnv.New32a()
	err := fs.WalkDir(files, "files/samba", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := files.ReadFile(path)
		_, _ = sum.Write(text)
		return err
	})
	return sum.Sum32(), err
}

func crowd(folder string, people int) error {
	for from := 1; from <= people; from += crowdAtOnce {
		var names []string
		for n := from; n < from+crowdAtOnce && n <= people; n++ {
			names = append(names, fmt.Sprintf("person%05d", n))
		}
		ldif, err := render("samba/crowd.ldif", map[string]any{"BaseDN": sambaBaseDN, "Domain": sambaDomain, "Names": names, "First": from == 1})
		if err != nil {
			return err
		}
		if _, err := tool(folder, ldif, "ldbadd", sambaDatabase(folder)...); err != nil {
			return fmt.Errorf("people %d to %d: %w", from, from+len(names)-1, err)
		}
	}
	return nil
}
