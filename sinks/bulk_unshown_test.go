package sinks

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestAnswersOfIDsAlone creates rows in an API that answers their ids and nothing else, in
// an order of its own: the records, read by these ids, tell which is whose, and how they
// are stored.
func TestAnswersOfIDsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRegister(0)
		g.form = func(item map[string]any) { item["name"] = strings.ToUpper(item["name"].(string)) }
		g.answer = func(_ int, answer []map[string]any) (int, string) {
			var ids []map[string]any
			for _, record := range slices.Backward(answer) {
				ids = append(ids, map[string]any{"id": record["id"]})
			}
			body, _ := json.Marshal(ids)
			return http.StatusCreated, string(body)
		}
		r := &trial{api: g, journal: newMemory(), chunks: creates(0, 2, 5), options: BulkOptions{Mode: CreateOnly, Settle: time.Second}}
		s := r.sink(t)
		for seq, rows := range r.chunks {
			c := r.chunk(t, s, seq, rows)
			if err := s.Write(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if got := sequence(c); got != each("written stored_otherwise", 5) {
				t.Errorf("%s", got)
			}
			for i := range c.Rows {
				if got, want := string(c.IDs.Value(i)), recordID(5*seq+i); got != want {
					t.Errorf("row %d has the id %s, not %s", i, got, want)
				}
			}
			for _, p := range c.Problems {
				if name := s.schema.Fields[p.Field].Name; name != "name" {
					t.Errorf("%s is said to be stored otherwise", name)
				}
			}
		}
		r.wantOnce(t)
	})
}
