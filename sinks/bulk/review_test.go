package bulk

import (
	"io"
	"net/http"
	"testing"
)

// TestBulkStopsWhenNoAnswerShowsARow meets a login page, or a list of nothing,
// in place of the API: success after success that proves nothing.
func TestBulkStopsWhenNoAnswerShowsARow(t *testing.T) {
	for _, body := range []string{`<html><title>Log in</title></html>`, `[]`, `{"task":"17"}`} {
		f := &fakeAPI{before: func(_ int, w http.ResponseWriter) bool {
			_, _ = io.WriteString(w, body)
			return true
		}}
		s := f.bulk(t, ImportOptions{Limits: Limits{MaxDoubts: 3}})
		for i := range 3 {
			c := bulkChunk(t, s, 0, 3)
			err := s.Write(t.Context(), c)
			wantFates(t, body, c, "3 in_doubt")
			if (err != nil) != (i == 2) {
				t.Errorf("%s: chunk %d: %v", body, i, err)
			}
		}
	}
}

// TestBulkRecordOfATwinProvesNothing has two equal rows, sent in two requests
// of which the second is refused: the one record is the first row's.
func TestBulkRecordOfATwinProvesNothing(t *testing.T) {
	f := &fakeAPI{detail: true}
	s := f.bulk(t, ImportOptions{Target: Target{KeyLookup: true}})
	id := "11111111-2222-3333-4444-555555555555"
	c := chunkFrom(t, s, [][]string{{"twin", id, "K-1"}, {"bad", id, "K-2"}, {"twin", id, "K-1"}, {"last", id, "K-3"}})
	if err := s.Write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantFates(t, "twins", c, "1 rejected, 2 written, 1 in_doubt")
}
