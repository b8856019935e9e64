package sinks

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"flytt/pipeline"
)

func TestCodesAreDocumentedOnce(t *testing.T) {
	seen := map[pipeline.Code]bool{}
	for _, c := range Codes {
		if seen[c.Code] || c.Meaning == "" || !strings.HasSuffix(c.Fix, ".") {
			t.Errorf("%+v", c)
		}
		seen[c.Code] = true
	}
	if !seen[codeNotJSON] || !seen[codeLongCell] {
		t.Errorf("codes documented: %v", slices.Collect(maps.Keys(seen)))
	}
}
