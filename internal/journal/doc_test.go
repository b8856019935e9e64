package journal

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestScenariosAreWhatIsTested holds the table in the documentation to the tests
// there are: a test for each scenario that is named, and no other.
func TestScenariosAreWhatIsTested(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	named := faultTests(string(doc), `\bTestFault\d\d\w+`)
	var there []string
	err = filepath.WalkDir("../..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		there = append(there, faultTests(string(text), `(?m)^func TestFault\d\d\w+`)...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range named {
		if !slices.Contains(there, name) {
			t.Errorf("%s is named, and there is no such test", name)
		}
	}
	for _, name := range there {
		if !slices.Contains(named, name) {
			t.Errorf("%s is not in the table", name)
		}
	}
	if len(named) < 40 {
		t.Errorf("the table names %d tests", len(named))
	}
}

func faultTests(text, pattern string) (names []string) {
	for _, name := range regexp.MustCompile(pattern).FindAllString(text, -1) {
		names = append(names, strings.TrimPrefix(name, "func "))
	}
	return names
}
