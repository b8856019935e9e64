package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"flytt/internal/api"
)

// TestFindByKeysInAnotherForm has a list that answers with a record under
// another form of the key asked for: it is there, so the key is not absent.
func TestFindByKeysInAnotherForm(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("_page") != "1" {
			_, _ = io.WriteString(w, `[]`)
			return
		}
		_, _ = io.WriteString(w, `[{"id":"1","custom_id":"A"},{"id":"2","custom_id":"K-3"}]`)
	}))
	defer s.Close()
	c := newClient(t, api.Config{BaseURL: s.URL})
	defer c.Close()
	found, err := c.FindByKeys(t.Context(), api.Lookup{Path: path, Field: "custom_id", Keys: []string{"k-3"}, Control: "A"})
	if err == nil {
		t.Errorf("k-3 believed absent: %v", found)
	}
}
