package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"

	"flytt/pipeline"
)

// rejectedAt is n rows, those at the given numbers, from 1, invalid.
func rejectedAt(n int, rows ...int) []string {
	out := words(n, good)
	for _, r := range rows {
		out[r-1] = invalid
	}
	return out
}

func TestTooManyRejectsStopTheRunBeforeTheirChunk(t *testing.T) {
	for _, test := range []struct {
		name    string
		rows    []string
		limit   pipeline.RejectLimit
		written int64
	}{
		{"none allowed", rejectedAt(10_000, 11), pipeline.RejectLimit{Set: true}, 8},
		{"three allowed", rejectedAt(10_000, 2, 4, 6, 17), pipeline.RejectLimit{Set: true, Rows: 3}, 12},
		{"one allowed, two in the first chunk", rejectedAt(10_000, 1, 2), pipeline.RejectLimit{Set: true, Rows: 1}, 0},
		{"a tenth, one in four rejected", words(10_000, good, good, invalid, good), pipeline.RejectLimit{Set: true, Percent: 10}, 748},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, mode := range modes {
				g := mode.set(newRig(test.rows))
				g.Limit = test.limit
				report, err := g.Do(t.Context())
				if !errors.Is(err, pipeline.ErrMaxRejects) || !report.Balanced() || g.store.aborted != 1 {
					t.Errorf("%s: rows %+v, error %v", mode.name, report.Rows, err)
				}
				written := test.written
				if g.store.undo {
					written = 0
				}
				if report.Rows.Written != written {
					t.Errorf("%s: %d rows written, want %d", mode.name, report.Rows.Written, written)
				}
				if g.source.next > 1200 {
					t.Errorf("%s: %d rows were read", mode.name, g.source.next)
				}
			}
		})
	}
}

func TestRejectsUpToTheLimitAreAllowed(t *testing.T) {
	for _, test := range []struct {
		rows  []string
		limit pipeline.RejectLimit
	}{
		{rejectedAt(100, 2, 4, 6), pipeline.RejectLimit{Set: true, Rows: 3}},
		{words(100, good), pipeline.RejectLimit{Set: true}},
		{words(100, invalid), pipeline.RejectLimit{}},
		{words(999, invalid), pipeline.RejectLimit{Set: true, Percent: 10}}, // too few to speak of a share
		{words(3000, append(words(9, good), invalid)...), pipeline.RejectLimit{Set: true, Percent: 10}},
	} {
		for _, mode := range modes {
			g := mode.set(newRig(test.rows))
			g.Limit = test.limit
			if report, err := g.Do(t.Context()); err != nil || !report.Balanced() {
				t.Errorf("%s, %+v: rows %+v, error %v", mode.name, test.limit, report.Rows, err)
			}
		}
	}
}

func TestAShareThatFallsAgainStillStopsTheRun(t *testing.T) {
	rows := append(words(1000, append(words(8, good), invalid)...), words(9000, good)...)
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		g := newRig(rows).chunked(2, 100)
		g.source.blocks = []int{len(rows)} // cut into chunks in one go
		g.Limit = pipeline.RejectLimit{Set: true, Percent: 10}
		g.store.before = func(_ context.Context, c *pipeline.Chunk) {
			if c.Seq == 7 { // the last before row 1,000 is slow, those behind it come first
				<-gate
			}
		}
		go func() {
			synctest.Wait()
			close(gate)
		}()
		report, err := g.Do(t.Context())
		if !errors.Is(err, pipeline.ErrMaxRejects) || report.Rows.Written != 800 {
			t.Errorf("rows %+v, error %v; want the 800 of the chunks before row 1,000 written", report.Rows, err)
		}
	})
}

func TestRowsTheSinkRejectsCountTowardsTheLimit(t *testing.T) {
	g := newRig(words(10_000, refused)).chunked(1, 4)
	g.Limit = pipeline.RejectLimit{Set: true, Rows: 5}
	report, err := g.Do(t.Context())
	if !errors.Is(err, pipeline.ErrMaxRejects) || !report.Balanced() || report.Rows.Rejected < 6 {
		t.Errorf("rows %+v, error %v", report.Rows, err)
	}
	if len(g.store.sizes) > 2+2*1+1 {
		t.Errorf("%d chunks were sent", len(g.store.sizes))
	}
}

func TestChunksHoldTheirRows(t *testing.T) {
	g := newRig(words(122, good, invalid, good, good, skipped)).chunked(3, 10)
	if _, err := g.Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	slices.Sort(g.store.sizes)
	if want := []int{3, 10, 10, 10, 10, 10, 10, 10}; !slices.Equal(g.store.sizes, want) {
		t.Errorf("chunks of %v rows, want %v", g.store.sizes, want)
	}
	for seq := range int64(len(g.store.sizes)) {
		if _, ok := g.store.chunks[seq]; !ok {
			t.Errorf("no chunk %d", seq)
		}
	}
}

func TestChunksHoldTheirBytesOrASingleRow(t *testing.T) {
	for _, limit := range []int{1, 3, 10, 21} { // a row is 2 to 4 bytes
		g := newRig(words(150, good, invalid, good)).chunked(2, 1000)
		g.Chunks.Bytes = limit
		report, err := g.Do(t.Context())
		if err != nil || report.Rows.Written != 100 {
			t.Fatalf("rows %+v, error %v", report.Rows, err)
		}
		for seq, data := range g.store.chunks {
			rows := 0
			for _, c := range data {
				if c == '\n' {
					rows++
				}
			}
			if len(data) > limit && rows > 1 {
				t.Errorf("limit %d: chunk %d has %d rows of %d bytes", limit, seq, rows, len(data))
			}
			if next, ok := g.store.chunks[seq+1]; ok && len(data)+4 < limit && next != "" {
				t.Errorf("limit %d: chunk %d has only %d bytes", limit, seq, len(data))
			}
		}
	}
}

func TestTheSameInputMakesTheSameChunksHoweverItIsCut(t *testing.T) {
	all := words(500, good, invalid, good, skipped, broken, good, tooBig, blank)
	var want map[int64]string
	for _, blocks := range [][]int{{1}, {3}, {7, 1, 50}, {500}} {
		g := newRig(all).chunked(2, 7)
		g.source.blocks, g.Chunks.Bytes = blocks, 20
		if _, err := g.Do(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = g.store.chunks
		}
		if !maps.Equal(want, g.store.chunks) {
			t.Errorf("blocks of %v: %s", blocks, fmt.Sprint(g.store.chunks))
		}
	}
}
