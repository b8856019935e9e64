package pipeline_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"flytt/pipeline"
)

// randomRows is rows of every fate and, in one of three runs, a word that ends it.
func randomRows(r *rand.Rand) []string {
	fates := []string{good, good, good, broken, ragged, skipped, invalid, odd, tooBig, refused, doubted, equal, unsent, blank}
	out := make([]string, r.IntN(200))
	for i := range out {
		out[i] = fates[r.IntN(len(fates))]
	}
	if len(out) > 0 && r.IntN(3) == 0 {
		fatal := []string{noDecode, noStep, noEncode, noWrite}
		out[r.IntN(len(out))] = fatal[r.IntN(len(fatal))]
	}
	return out
}

// randomRig is a run with random limits in which anything may go wrong.
func randomRig(seed uint64) (g *rig, ctx context.Context, cancel context.CancelFunc) {
	r := rand.New(rand.NewPCG(seed, 2))
	g = newRig(randomRows(r)).chunked(r.IntN(4), 1+r.IntN(20)).shake(seed)
	g.Chunks.Bytes = r.IntN(100)
	g.Workers = 1 + r.IntN(4)
	g.store.undo = g.Chunks.InFlight == 0 && r.IntN(2) == 0
	g.source.blocks = []int{1 + r.IntN(10), 1 + r.IntN(10)}
	if r.IntN(4) == 0 {
		g.source.fail = errRead
	}
	if r.IntN(6) == 0 {
		g.book.failAt = 1 + r.IntN(10)
	}
	if r.IntN(6) == 0 {
		g.store.commit = errWrite
	}
	if r.IntN(4) == 0 {
		g.Limit = pipeline.RejectLimit{Set: true, Rows: r.Int64N(20)}
	}
	if r.IntN(8) == 0 {
		g.Sink = nil
	}
	ctx, cancel = context.WithCancel(context.Background())
	drain := make(chan struct{})
	g.Drain = drain
	drainAt, cancelAt := r.IntN(80), r.IntN(160)
	g.source.before = func(_ context.Context, block int) {
		switch block {
		case drainAt:
			close(drain)
			drainAt = -1
		case cancelAt:
			cancel()
		}
	}
	return g, ctx, cancel
}

func TestTheSummaryAlwaysBalances(t *testing.T) {
	for seed := range uint64(1500) {
		g, ctx, cancel := randomRig(seed)
		report, err := g.Do(ctx)
		cancel()
		c := report.Rows
		if !report.Balanced() || c.Read > int64(len(g.source.words)) {
			t.Fatalf("seed %d: does not balance: %+v, error %v", seed, c, err)
		}
		if g.book.failAt == 0 || g.book.appends < g.book.failAt {
			recorded := [2]int64{lineCount(&g.book.rejects), lineCount(&g.book.inDoubt)}
			if recorded != [2]int64{c.Rejected, c.InDoubt} {
				t.Fatalf("seed %d: %v rows recorded as rejected and in doubt, the report says %+v", seed, recorded, c)
			}
			checkPrefix(t, seed, g, c.Read)
		}
		checkStore(t, seed, g, c, err)
	}
}

// checkPrefix holds the record against the first read rows: every row of them
// that was bound to be rejected is there, and no row behind them.
func checkPrefix(t *testing.T, seed uint64, g *rig, read int64) {
	t.Helper()
	recorded := map[int]bool{}
	for line := range strings.Lines(g.book.rejects.String() + g.book.inDoubt.String()) {
		number, _, _ := strings.Cut(line, " ")
		row, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		recorded[row] = true
	}
	for i, w := range g.source.words {
		switch row := i + 1; {
		case w == blank:
			continue
		case read <= 0 && recorded[row]:
			t.Fatalf("seed %d: row %d is recorded, but not counted", seed, row)
		case read > 0 && !recorded[row] && slices.Contains([]string{broken, ragged, invalid, tooBig}, w) && (w != tooBig || g.Sink != nil):
			t.Fatalf("seed %d: row %d is counted, but not recorded", seed, row)
		}
		read--
	}
}

func lineCount(b *bytes.Buffer) int64 { return int64(bytes.Count(b.Bytes(), []byte("\n"))) }

func checkStore(t *testing.T, seed uint64, g *rig, c pipeline.Counts, err error) {
	t.Helper()
	if g.Sink == nil {
		return
	}
	rows := slices.Clone(g.store.rows)
	slices.Sort(rows)
	if len(slices.Compact(rows)) != len(g.store.rows) {
		t.Fatalf("seed %d: a row was written twice", seed)
	}
	written := int64(len(g.store.rows))
	if g.store.undo && g.store.aborted == 1 {
		written = 0
	}
	if c.Written != written {
		t.Fatalf("seed %d: %d rows are there, the report says %+v", seed, written, c)
	}
	committed := g.store.committed == 1 && g.store.commit == nil
	if committed != (err == nil) || committed == (g.store.aborted == 1) {
		t.Fatalf("seed %d: %d commits, %d aborts, error %v", seed, g.store.committed, g.store.aborted, err)
	}
}
