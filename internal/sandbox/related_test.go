package sandbox_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/internal/sandbox"
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
		got, err := sandbox.ReadIDs(strings.NewReader(text))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", text, err, diff)
		}
	}
	for text, want := range map[string]string{
		"name,number\nsecret,1\n":     "several columns and none called id",
		"id,name\n" + a + ",\"secret": "line 2",
		"id,name\nsecret\n":           "line 2",
	} {
		if _, err := sandbox.ReadIDs(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
