package json

import (
	"strconv"
	"strings"
	"testing"

	"flytt/internal/text"
)

func TestTheReasonOfDeepJSONNamesTheLimit(t *testing.T) {
	if fix := text.ReasonOf(deepJSON).Fix; !strings.Contains(fix, "more than "+strconv.Itoa(maxDepth)+" levels") {
		t.Errorf("the limit is %d: %s", maxDepth, fix)
	}
}
