package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadIDs(t *testing.T) {
	const a, b = "497f6eca-6276-4993-bfeb-53cbbbba6f08", "00000000-0000-4000-8000-000000000000"
	for text, want := range map[string][]string{
		"":                                      nil,
		"id\n":                                  nil,
		"id\n" + a + "\n" + b + "\n":            {a, b},
		"\ufeffNamn; ID \r\nKund;" + a + "\r\n": {a},
		"number,name,Id\n1,\"x\ny\"," + a:       {a},
		a + "\n" + b + "\n":                     {a, b}, // no header
		"\ufeff " + a + "\n":                    {a},
		"legacy\n" + a + "\n":                   {a}, // the only column
		"id\n\n" + a + "\nnot an id\n":          {a, "not an id"},
	} {
		got, err := readIDs(writeIDs(t, text))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", text, err, diff)
		}
	}
	for text, want := range map[string]string{
		"name,number\nsecret,1\n":     "several columns and none called id",
		"id,name\n" + a + ",\"secret": "line 2",
		"id,name\nsecret\n":           "line 2",
	} {
		if _, err := readIDs(writeIDs(t, text)); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := readIDs(t.TempDir()); err == nil || strings.Contains(err.Error(), os.TempDir()) {
		t.Errorf("a directory: %v", err)
	}
}

func writeIDs(t *testing.T, text string) string {
	path := filepath.Join(t.TempDir(), "ids.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
