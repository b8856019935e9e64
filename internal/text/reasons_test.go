package text_test

import (
	"strings"
	"testing"

	"flytt/internal/text"
)

func TestReasonsAreWordedWell(t *testing.T) {
	meanings := map[string]string{}
	for code, r := range text.Reasons {
		switch {
		case r.Meaning == "" || strings.HasSuffix(r.Meaning, ".") || strings.ToLower(r.Meaning[:1]) != r.Meaning[:1]:
			t.Errorf("%s: %q is not a phrase", code, r.Meaning)
		case !strings.HasSuffix(r.Fix, ".") && !strings.Contains(r.Fix, ": ") || strings.ToUpper(r.Fix[:1]) != r.Fix[:1]:
			t.Errorf("%s: %q is not a sentence", code, r.Fix)
		}
		if other, ok := meanings[r.Meaning]; ok {
			t.Errorf("%s and %s mean the same: %q", code, other, r.Meaning)
		}
		meanings[r.Meaning] = code
	}
}

func TestAnUnknownCodeIsShown(t *testing.T) {
	if got := text.ReasonOf("of_another_version"); got != (text.Reason{Meaning: "of another version"}) {
		t.Errorf("%+v", got)
	}
}
