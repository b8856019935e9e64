package bulk

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

// skipping is a run over rows of which the API has the first few.
func skipping(there int, chunks ...[][]string) *trial {
	return &trial{api: newRegister(there), journal: newMemory(), chunks: chunks,
		options: ImportOptions{Target: Target{Mode: CreateOnly, SkipExisting: true}, Settle: time.Second}}
}

// rowOf returns values of updateFields: a new row with the key K-i, changed as
// creates would not.
func rowOf(i int, name string) []string {
	if name == "" {
		name = fmt.Sprintf("Ada %d", i)
	}
	return []string{name, pipelinetest.Null, fmt.Sprintf("K-%d", i), clientID, pipelinetest.Null, pipelinetest.Null}
}

func TestSkipExistingLeavesOutWhatIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := skipping(3,
			[][]string{rowOf(0, ""), rowOf(1, "Other"), rowOf(7, ""), rowOf(8, "bad"), {"Nobody", pipelinetest.Null, pipelinetest.Null, clientID, pipelinetest.Null, pipelinetest.Null}},
			[][]string{rowOf(2, ""), rowOf(9, ""), {"Tab", pipelinetest.Null, "K\t1", clientID, pipelinetest.Null, pipelinetest.Null}})
		s := r.sink(t)
		var chunks []*pipeline.Chunk
		for seq, rows := range r.chunks {
			c := r.chunk(t, s, seq, rows)
			if err := s.Write(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			chunks = append(chunks, c)
		}
		wantFates(t, "first", chunks[0], "2 rejected, 1 written, 1 unchanged, 1 existing")
		wantFates(t, "second", chunks[1], "1 rejected, 1 written, 1 unchanged")
		if got := codes(chunks[0]); got != "1 exists_otherwise, 1 no_key, 1 refused" {
			t.Error(got)
		}
		if got := codes(chunks[1]); got != "1 key_unusable" {
			t.Error(got)
		}
		for _, p := range chunks[0].Problems {
			if p.Code == codeExistsOtherwise && (p.Field != int16(s.engine.schema.Index("name")) || p.Severity != pipeline.Warning || p.Private+p.Shape != "") {
				t.Errorf("%+v", p)
			}
		}
		if string(chunks[0].IDs.Value(0)) != recordID(0) || string(chunks[1].IDs.Value(0)) != recordID(2) {
			t.Error("a row that is unchanged has not the id of its record")
		}
		if len(r.api.records) != 5 {
			t.Errorf("%d records", len(r.api.records))
		}
		if !s.Repeatable() {
			t.Error("it could be done again")
		}
		r.again(t, chunks)
	})
}

// again makes another pass, and another run, over the same rows: nothing is sent,
// and the pass gives the same account.
func (r *trial) again(t *testing.T, was []*pipeline.Chunk) {
	t.Helper()
	posts := r.api.posts
	s := r.sink(t)
	for seq, rows := range r.chunks {
		c := r.chunk(t, s, seq, rows)
		if err := s.Write(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(c.Fates, was[seq].Fates) || codes(c) != codes(was[seq]) {
			t.Errorf("another pass: %s, %s", fates(c), codes(c))
		}
	}
	if r.api.posts != posts {
		t.Errorf("another pass sent %d requests", r.api.posts-posts)
	}
	r.journal = newMemory()
	out, _ := r.first(t)
	if strings.Contains(strings.Join(out, " "), "written") || len(r.api.records) != 5 {
		t.Errorf("another run: %s, %d records", out, len(r.api.records))
	}
}

// TestSkipExistingCostsOneListForManyKeys counts what the API is asked for before
// the rows are sent.
func TestSkipExistingCostsOneListForManyKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := skipping(3, creates(0, 1, 60)[0], creates(60, 1, 60)[0])
		r.options.Atomicity = AllOrNothing
		gets := 0
		r.api.pass = func(point string) {
			if point == http.MethodGet {
				gets++
			}
		}
		fates, _ := r.first(t)
		if strings.Count(fates[0], "unchanged") != 3 || strings.Count(strings.Join(fates, ""), "written") != 117 {
			t.Errorf("%s", fates)
		}
		if gets > 6 || r.api.posts != 3 { // any key, two lists of keys up to their ends, the first row written read back
			t.Errorf("%d reads, %d writes", gets, r.api.posts)
		}
	})
}

// TestSkipExistingInAnEmptyAPI sends the first row alone, for there is none to hold
// an answer against, and looks the others up then. Of a key in several chunks one
// row is sent.
func TestSkipExistingInAnEmptyAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := skipping(0, creates(0, 1, 5)[0], creates(0, 1, 5)[0], creates(3, 1, 5)[0])
		s := r.sink(t)
		var wg sync.WaitGroup
		for seq, rows := range r.chunks {
			c := r.chunk(t, s, seq, rows)
			wg.Go(func() {
				if err := s.Write(t.Context(), c); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for i := range 8 {
			if n := r.api.times(fmt.Sprintf("K-%d", i)); n != 1 {
				t.Errorf("K-%d is there %d times", i, n)
			}
		}
	})
}

// TestSkipExistingBelievesNoBlindList has a list that shows nothing of what is
// there: nothing but one row is sent.
func TestSkipExistingBelievesNoBlindList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := skipping(10, creates(0, 1, 8)[0])
		r.api.empty = func(int) bool { return true }
		_, err := r.pass(t, r.sink(t))
		if !errors.Is(err, errCannotFind) || len(r.api.records) > 11 {
			t.Errorf("%v, %d records", err, len(r.api.records))
		}
		r.api.empty = func(get int) bool { return get%2 == 0 }
		r.journal = newMemory()
		r.api.records = r.api.records[:10]
		if _, err := r.pass(t, r.sink(t)); err == nil && r.api.times("K-5") != 1 {
			t.Errorf("K-5 is there %d times", r.api.times("K-5"))
		}
	})
}

func TestSkipExistingNeedsAKey(t *testing.T) {
	for _, o := range []ImportOptions{
		{Target: Target{SkipExisting: true}},
		{Target: Target{SkipExisting: true, KeyLookup: true, Mode: Upsert}},
		{Target: Target{SkipExisting: true, KeyLookup: true, Mode: UpdateOnly}},
	} {
		o.Path, o.Key = bulkPath, "custom_id"
		var usage *pipeline.UsageError
		if _, err := NewImport(nil, pipelinetest.Schema(updateFields...), o); !errors.As(err, &usage) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
