package pipeline_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"flytt/pipeline"
)

// everyWord is a register in which every fate a row can have occurs, write
// rejects next to those found earlier.
func everyWord(n int) []string {
	return words(n, good, invalid, refused, broken, good, ragged, skipped, odd, tooBig, refused, doubted, blank, equal, invalid, unsent, good)
}

func TestOutputRejectsAndReportDoNotDependOnTheOrderOfWork(t *testing.T) {
	all := everyWord(400)
	want := newRig(all).chunked(1, 5)
	want.Workers = 1
	wantReport, err := want.Do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(5) {
		for _, workers := range []int{1, 2, 8} {
			for _, inFlight := range []int{0, 1, 4} {
				t.Run(fmt.Sprintf("seed %d, %d workers, %d in flight", seed, workers, inFlight), func(t *testing.T) {
					g := newRig(all).chunked(inFlight, 5).shake(seed)
					g.Workers, g.source.blocks = workers, []int{int(seed) + 1, 2, 9}
					report, err := g.Do(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					compare(t, "report", wantReport, report)
					compare(t, "rejects", want.book.rejects.String(), g.book.rejects.String())
					compare(t, "rows in doubt", want.book.inDoubt.String(), g.book.inDoubt.String())
					if inFlight > 0 {
						compare(t, "rows written", want.book.written.String(), g.book.written.String())
						compare(t, "chunks", want.store.chunks, g.store.chunks)
						slices.Sort(g.store.rows)
					}
					compare(t, "output", want.store.rows, g.store.rows)
				})
			}
		}
	}
}

func compare(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(pipeline.Report{})); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestRowsTheSinkRejectsComeInTheirPlaceAmongTheOthers(t *testing.T) {
	for _, mode := range modes {
		g := mode.set(newRig([]string{invalid, refused, good, broken, refused, doubted, tooBig, odd, ragged}))
		if _, err := g.Do(t.Context()); err != nil {
			t.Fatal(err)
		}
		compare(t, mode.name, "1 0 invalid first second\n2 1 refused refused\n4 3 broken broken\n5 4 refused refused\n7 6 toobig too_big\n9 8 ragged ragged_row surplus\n",
			g.book.rejects.String())
		compare(t, mode.name, "6 5 doubted\n", g.book.inDoubt.String())
	}
}

func TestTheReportCountsProblemsMostFrequentFirst(t *testing.T) {
	g := newRig(words(16, invalid, broken, broken, odd, blank, odd, good, good))
	report, err := g.Do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "report", &pipeline.Report{
		Rows: pipeline.Counts{Read: 14, Valid: 8, Written: 8, Rejected: 6},
		Rejects: []pipeline.Tally{
			{Stage: pipeline.Read, Field: "word", Code: "broken", Count: 4, Row: 2},
			{Stage: pipeline.Map, Field: "word", Code: "first", Count: 2, Row: 1},
			{Stage: pipeline.Validate, Field: "word", Code: "second", Count: 2, Row: 1},
		},
		Warnings: []pipeline.Tally{
			{Stage: pipeline.Validate, Field: "word", Code: "odd", Count: 4, Row: 4},
			{Stage: pipeline.Read, Code: "blank_row", Count: 2},
		},
		Repairs: []pipeline.Tally{},
	}, report)
}

func TestProgressComesInOrderAndEndsWithEverything(t *testing.T) {
	for _, mode := range modes {
		g := mode.set(newRig(everyWord(200))).shake(1)
		var seen []pipeline.Progress
		g.Progress = func(p pipeline.Progress) { seen = append(seen, p) }
		report, err := g.Do(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.IsSortedFunc(seen, func(a, b pipeline.Progress) int { return int(a.Rows.Read - b.Rows.Read + a.Bytes - b.Bytes) }) {
			t.Errorf("%s: progress goes back", mode.name)
		}
		compare(t, mode.name, pipeline.Progress{Rows: report.Rows, Bytes: 200}, seen[len(seen)-1])
	}
}

// TestProgressFollowsWhatIsWrittenAndBeats has all rows in one block, and an API that
// takes five seconds for each ten of them.
func TestProgressFollowsWhatIsWrittenAndBeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(words(40, good)).chunked(1, 10)
		g.source.blocks = []int{40}
		g.store.before = func(context.Context, *pipeline.Chunk) { time.Sleep(5 * time.Second) }
		began := time.Now()
		told := map[int64]int{} // how often, by the rows that were written
		g.Progress = func(p pipeline.Progress) {
			told[p.Rows.Written]++
			if p.Bytes != p.Rows.Written { // in the rig a row is a byte
				t.Errorf("after %v: %d bytes and %d rows", time.Since(began), p.Bytes, p.Rows.Written)
			}
		}
		if _, err := g.Do(t.Context()); err != nil {
			t.Fatal(err)
		}
		for rows := range int64(4) {
			if n := told[10*rows]; n < 4 {
				t.Errorf("told %d times that %d rows are written", n, 10*rows)
			}
		}
	})
}
