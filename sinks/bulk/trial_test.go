package bulk

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"flytt/internal/api"
	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
	"flytt/sinks/recorder"
)

// trial is a run over some chunks that can be gone on with.
type trial struct {
	api     *register
	journal Journal
	options ImportOptions
	chunks  [][][]string // values of updateFields
	noKey   bool
	seeks   bool // keys are looked up in a pass of its own: see Options.KeysLookedUp
	passes  int

	began int // records that there were when the run began, and one more; 0: it did not
}

// strays returns the records that were made since the run began and that no row of it is
// known to have made.
func (r *trial) strays(context.Context) (out [][]byte, err error) {
	known := map[string]bool{}
	for seq := range r.chunks {
		e, err := r.journal.Find(int64(seq))
		if err != nil || e == nil {
			continue
		}
		for i := range e.IDs.Len() {
			known[string(e.IDs.Value(i))] = true
		}
	}
	r.api.mu.Lock()
	defer r.api.mu.Unlock()
	for i := r.began - 1; i < len(r.api.records); i++ {
		if time.Since(r.api.made[i]) < r.api.lag {
			return nil, api.ErrCanaryMissing
		}
		if record := r.api.records[i]; !known[record["id"].(string)] {
			object, _ := json.Marshal(record)
			out = append(out, object)
		}
	}
	return out, nil
}

// sink makes the sink of a pass.
func (r *trial) sink(t testing.TB) *Import {
	t.Helper()
	client, err := api.New(api.Config{
		BaseURL: "https://api.example.se", Transport: r.api, Drain: r.options.Drain,
		Credentials: api.Credentials{CustomerID: "x", ApplicationID: "x", ServiceID: "x", ServiceVersionID: "x", ClientCT: "x", ClientEntity: "x", ClientSecret: "x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.began == 0 {
		r.began = len(r.api.records) + 1
	}
	o := r.options
	if r.journal != nil {
		r.passes++
		o.Unmatched, o.KeysLookedUp = r.strays, !r.seeks || r.passes > 2
	}
	o.Path, o.Key, o.Journal = bulkPath, "custom_id", r.journal
	o.KeyLookup = !r.noKey
	s, err := NewImport(client, pipelinetest.Schema(updateFields...), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// made is what a pass makes of a chunk: fates and the record of it.
type made struct {
	fates  string
	record pipeline.Record
}

// pass goes once over all chunks and returns what it makes of them.
func (r *trial) pass(t testing.TB, s *Import) (out []made, err error) {
	t.Helper()
	rec, err := recorder.New(t.TempDir(), recorder.Options{Fields: s.engine.schema.Fields})
	if err != nil {
		t.Fatal(err)
	}
	for seq, rows := range r.chunks {
		c := r.chunk(t, s, seq, rows)
		if err := s.Write(t.Context(), c); err != nil {
			return out, err
		}
		m := made{fates: sequence(c)}
		slices.SortStableFunc(c.Problems, func(a, b pipeline.Problem) int { return int(a.Row) - int(b.Row) })
		rec.Render(c, &m.record)
		out = append(out, m)
	}
	return out, nil
}

func (r *trial) chunk(t testing.TB, s pipeline.Sink, seq int, rows [][]string) *pipeline.Chunk {
	t.Helper()
	c := chunkFrom(t, s, rows)
	c.Seq = int64(seq)
	for i := range c.Rows {
		c.Rows[i] += int64(100 * seq)
	}
	return c
}

// finish makes passes until nothing is left that another could settle.
func (r *trial) finish(t testing.TB) []made {
	t.Helper()
	for range 30 {
		s := r.sink(t)
		out, err := r.pass(t, s)
		if err != nil {
			t.Fatalf("the run cannot go on: %v", err)
		}
		if !s.Resolvable() {
			return out
		}
	}
	t.Fatal("rows stay in doubt for ever")
	return nil
}

// creates returns chunks of new rows, with keys K-from and on; those in bad are
// called bad.
func creates(from, chunks, rows int, bad ...int) (out [][][]string) {
	n := from
	for range chunks {
		var chunk [][]string
		for range rows {
			name := fmt.Sprintf("Ada %d", n)
			if slices.Contains(bad, n) {
				name = "bad"
			}
			chunk = append(chunk, []string{name, pipelinetest.Null, fmt.Sprintf("K-%d", n), clientID, pipelinetest.Null, pipelinetest.Null})
			n++
		}
		out = append(out, chunk)
	}
	return out
}

// wantOnce checks that the API has each of the rows that is not bad once, and
// none of those that are.
func (r *trial) wantOnce(t testing.TB) {
	t.Helper()
	for _, rows := range r.chunks {
		for _, row := range rows {
			want := 1
			if row[0] == "bad" {
				want = 0
			}
			if n := r.api.times(row[2]); n != want {
				t.Errorf("row %s is there %d times, want %d", row[2], n, want)
			}
		}
	}
}
