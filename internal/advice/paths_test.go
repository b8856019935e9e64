package advice_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"flytt/internal/advice"
)

func TestPathsOfAMessageAreShown(t *testing.T) {
	show := func(path string) string { return strings.TrimPrefix(path, "/home/me/") }
	inner := advice.Errorf("%s: cannot be read", advice.Path("/home/me/runs/a/rejects.csv"))
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"no path", errors.New("/home/me/x is only text"), "/home/me/x is only text"},
		{"one", inner, "runs/a/rejects.csv: cannot be read"},
		{"wrapped", fmt.Errorf("run: %w", inner), "run: runs/a/rejects.csv: cannot be read"},
		{"usage", advice.Usagef("", "%s, which belongs to %s: %w", advice.Path("/home/me/runs/b"), advice.Path("/home/me/runs"), inner),
			"runs/b, which belongs to runs: runs/a/rejects.csv: cannot be read"},
		{"joined", errors.Join(errors.New("first"), inner), "first\nruns/a/rejects.csv: cannot be read"},
		{"another place", advice.Errorf("%s", advice.Path("/srv/run")), "/srv/run"},
	}
	for _, test := range tests {
		if got := advice.ShowPaths(test.err.Error(), test.err, show); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
