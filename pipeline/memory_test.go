package pipeline_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"flytt/pipeline"
)

// stalled runs g with a sink that does not answer, calls look when nothing
// moves any more, and lets the sink go on.
func stalled(t *testing.T, g *rig, look func()) {
	t.Helper()
	gate := make(chan struct{})
	g.store.before = func(context.Context, *pipeline.Chunk) { <-gate }
	done := make(chan error)
	go func() {
		_, err := g.Do(t.Context())
		done <- err
	}()
	synctest.Wait()
	look()
	close(gate)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAStalledSinkLeavesAtMostWindowBlocksInMemory(t *testing.T) {
	for _, workers := range []int{1, 2, 8} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newRig(words(300, good, invalid)).direct()
				g.Workers = workers
				stalled(t, g, func() {
					if g.source.cuts != g.MaxBlocks() {
						t.Errorf("%d blocks handed out, none of them accounted for; Window is %d", g.source.cuts, g.MaxBlocks())
					}
				})
				if n := len(g.source.seen); n > g.MaxBlocks() {
					t.Errorf("%d blocks in all, Window is %d", n, g.MaxBlocks())
				}
			})
		})
	}
}

func TestAStalledSinkLeavesABoundedNumberOfChunksInMemory(t *testing.T) {
	for _, inFlight := range []int{1, 4} {
		t.Run(fmt.Sprint(inFlight), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newRig(words(400, good)).chunked(inFlight, 4)
				most := 2*inFlight + 1
				stalled(t, g, func() {
					if len(g.store.seen) != inFlight {
						t.Errorf("%d chunks in flight, want %d", len(g.store.seen), inFlight)
					}
					if limit := 3*g.MaxBlocks() + 4*most; g.source.next > limit {
						t.Errorf("%d rows read, %d blocks and %d chunks hold %d", g.source.next, g.MaxBlocks(), most, limit)
					}
				})
				if n := len(g.store.seen); n > most {
					t.Errorf("%d chunks in all, want at most %d", n, most)
				}
				if g.store.most > inFlight {
					t.Errorf("%d chunks written at once, want at most %d", g.store.most, inFlight)
				}
			})
		})
	}
}

func TestRejectsAreStreamedNotGathered(t *testing.T) {
	const rows, blockRows = 1_000_000, 1000
	all := words(rows, invalid)
	for _, mode := range modes {
		t.Run(mode.name, func(t *testing.T) {
			g := mode.set(newRig(all))
			g.source.blocks, g.book.discard = []int{blockRows}, true
			report, err := g.Do(t.Context())
			if err != nil || report.Rows.Rejected != rows {
				t.Fatalf("rows %+v, error %v", report.Rows, err)
			}
			most := max(g.MaxBlocks(), 2*g.Chunks.InFlight+1)
			if len(g.book.records) > most {
				t.Errorf("%d records were used, want at most %d", len(g.book.records), most)
			}
			room := 0
			for r := range g.book.records {
				room += cap(r.Rejects)
			}
			if limit := most * 2 << 20; room > limit {
				t.Errorf("records have room for %d bytes, want at most %d", room, limit)
			}
			if limit := rows / 20; g.book.problems > limit {
				t.Errorf("a chunk had room for %d problems, want at most %d", g.book.problems, limit)
			}
		})
	}
}
