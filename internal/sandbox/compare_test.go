package sandbox_test

import (
	"encoding/json"

	"github.com/google/go-cmp/cmp"
)

func compare(want, got any) string { return cmp.Diff(want, got) }

// compareJSON compares two JSON texts by what they mean.
func compareJSON(want, got string) string {
	var w, g any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		return err.Error()
	}
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		return err.Error()
	}
	return cmp.Diff(w, g)
}
