package sandbox_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// unframed reads the objects of a list, however they are framed.
func unframed(t *testing.T, r reply) []map[string]any {
	t.Helper()
	body := strings.TrimSuffix(strings.TrimPrefix(r.body, `{"results":`), "}")
	if strings.HasPrefix(r.body, "[") {
		return r.array(t)
	}
	var objects []map[string]any
	if strings.HasPrefix(body, "[") {
		if err := json.Unmarshal([]byte(body), &objects); err != nil {
			t.Fatal(err)
		}
		return objects
	}
	for line := range strings.Lines(r.body) {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatal(err)
		}
		objects = append(objects, o)
	}
	return objects
}
