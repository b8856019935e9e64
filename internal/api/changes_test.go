package api_test

import (
	"errors"
	"net/http"
	"testing"

	"flytt/internal/api"
)

func TestChanges(t *testing.T) {
	for _, test := range []struct {
		sent, got, want string
	}{
		{`{"id":"A","name":"x"}`, `{"id":"B","name":"x"}`, "{}"},
		{`{"name":"x","title":"y","n":1}`, `{"n":1.0,"title":"z","name":"x"}`, `{"title":"y"}`},
		{`{"name":"x","title":null,"m":2}`, `{"name":"y"}`, `{"name":"x","m":2}`},
		{`{"title":null}`, `{"title":"y"}`, `{"title":null}`},
		{`{"external_client":{"id":"7D"},"ssn":"19850102-2399"}`, `{"external_client":"7D","ssn":"198501022399"}`, "{}"},
		{`{"external_client":{"id":"A"}}`, `{"external_client":{"id":"B","name":"x"}}`, `{"external_client":{"id":"A"}}`},
		{`{"na\u006de":"x", "a\"b" : [ 1 ]}`, `{"name":"x","a\"b":[2]}`, `{"a\"b":[ 1 ]}`},
		{`{}`, `{}`, `{}`},
	} {
		patch, changed := api.Changes([]byte("kept"), []byte(test.sent), []byte(test.got))
		if string(patch) != "kept"+test.want || changed != (test.want != "{}") {
			t.Errorf("%s and %s: %s, %v", test.sent, test.got, patch, changed)
		}
		if api.Same([]byte(test.sent), []byte(test.got)) && changed {
			t.Errorf("%s and %s are the same", test.sent, test.got)
		}
	}
	dst := make([]byte, 0, 1000)
	sent, got := []byte(`{"name":"x","title":"y","n":null}`), []byte(`{"name":"y","title":"y"}`)
	if n := testing.AllocsPerRun(10, func() { dst, _ = api.Changes(dst[:0], sent, got) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestStatusErrorOfAListIsNotFound(t *testing.T) {
	if !errors.Is(&api.StatusError{Status: http.StatusNotFound}, api.ErrNotFound) || errors.Is(&api.StatusError{Status: 403}, api.ErrNotFound) {
		t.Error("ErrNotFound is not 404")
	}
}
