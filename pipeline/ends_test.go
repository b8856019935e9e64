package pipeline_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"flytt/pipeline"
)

// ends is what a run came to.
type ends struct {
	err                       error
	read, written, notSent    int64
	rejected, inDoubt         int64
	commits, aborts, attempts int // attempts: calls of Write, if not 0
}

func (g *rig) want(t *testing.T, ctx context.Context, w ends) {
	t.Helper()
	report, err := g.Do(ctx)
	if !errors.Is(err, w.err) || err != nil && w.err == nil {
		t.Errorf("error %v, want %v", err, w.err)
	}
	if !report.Balanced() {
		t.Errorf("does not balance: %+v", report.Rows)
	}
	c := report.Rows
	got := ends{w.err, c.Read, c.Written, c.NotSent, c.Rejected, c.InDoubt, g.store.committed, g.store.aborted, w.attempts}
	if w.attempts != 0 {
		got.attempts = len(g.store.sizes)
	}
	if got != w {
		t.Errorf("got %+v, want %+v", got, w)
	}
}

func TestAReadErrorLetsWhatWasReadLand(t *testing.T) {
	g := newRig(words(20, good)).chunked(2, 4)
	g.source.fail = errRead
	g.want(t, t.Context(), ends{err: errRead, read: 20, written: 20, aborts: 1})
}

// TestAReadErrorSendsNoChunkThatWasCutShort has 18 of 20 rows read: the last two are
// of a chunk that will hold others when the input can be read.
func TestAReadErrorSendsNoChunkThatWasCutShort(t *testing.T) {
	g := newRig(words(18, good)).chunked(2, 4)
	g.Chunks.SkipPartial = true
	g.source.fail = errRead
	g.want(t, t.Context(), ends{err: errRead, read: 18, written: 16, notSent: 2, aborts: 1})
}

func TestAReadErrorTakesAFileBack(t *testing.T) {
	g := newRig(words(20, good)).direct()
	g.source.fail = errRead
	g.want(t, t.Context(), ends{err: errRead, read: 20, notSent: 20, aborts: 1})
	if len(g.store.rows) != 20 {
		t.Errorf("%d rows reached the file before it was removed, want 20", len(g.store.rows))
	}
}

func TestAFailedCommitTakesAFileBack(t *testing.T) {
	g := newRig(words(20, good)).direct()
	g.store.commit = errWrite
	g.want(t, t.Context(), ends{err: errWrite, read: 20, notSent: 20, commits: 1, aborts: 1})
}

func TestAWriteErrorStopsSendingAndReadingButNotWhatIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(append([]string{good, good, good, noWrite}, words(10_000, good)...)).chunked(2, 4)
		gates := [2]chan struct{}{make(chan struct{}), make(chan struct{})}
		g.store.before = func(ctx context.Context, c *pipeline.Chunk) {
			if c.Seq > 1 {
				t.Errorf("chunk %d was sent", c.Seq)
				return
			}
			<-gates[c.Seq]
			if ctx.Err() != nil {
				t.Errorf("chunk %d was called off", c.Seq)
			}
		}
		go func() {
			synctest.Wait()
			close(gates[0])
			synctest.Wait() // the write has failed
			close(gates[1])
		}()
		report, err := g.Do(t.Context())
		if !errors.Is(err, errWrite) || !report.Balanced() || report.Rows.Written != 4 || report.Rows.InDoubt != 0 {
			t.Errorf("rows %+v, error %v", report.Rows, err)
		}
		if g.source.next > 100 {
			t.Errorf("%d rows were read", g.source.next)
		}
		if g.store.committed != 0 || g.store.aborted != 1 {
			t.Errorf("%d commits and %d aborts", g.store.committed, g.store.aborted)
		}
	})
}

func TestAWriteErrorTakesAFileBack(t *testing.T) {
	g := newRig(append(words(8, good), words(10_000, noWrite)...)).direct()
	report, err := g.Do(t.Context())
	if !errors.Is(err, errWrite) || !report.Balanced() || report.Rows.Written != 0 || report.Rows.Read != report.Rows.NotSent {
		t.Errorf("rows %+v, error %v", report.Rows, err)
	}
	if len(g.store.sizes) != 3 || g.source.next > 100 {
		t.Errorf("%d writes, %d rows read", len(g.store.sizes), g.source.next)
	}
}

func TestASecondSignalEndsTheRunAtOnce(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := mode.set(newRig(words(10_000, good)))
				g.store.undo = false
				ctx, cancel := context.WithCancel(t.Context())
				g.store.before = func(ctx context.Context, c *pipeline.Chunk) {
					if c.Seq > 0 {
						<-ctx.Done()
					}
				}
				go func() {
					synctest.Wait()
					cancel()
				}()
				report, err := g.Do(ctx)
				if !errors.Is(err, pipeline.ErrInterrupted) || !report.Balanced() {
					t.Errorf("rows %+v, error %v", report.Rows, err)
				}
				first, others := int64(g.store.sizes[0]), int64(0)
				for _, n := range g.store.sizes[1:] {
					others += int64(n)
				}
				if c := report.Rows; c.Written != first || c.InDoubt != others || c.NotSent == 0 || c.Read > 200 {
					t.Errorf("rows %+v, want %d written and %d in doubt", c, first, others)
				}
				if n := strings.Count(g.book.inDoubt.String(), "\n"); int64(n) != others {
					t.Errorf("%d rows recorded in doubt, want %d", n, others)
				}
			})
		})
	}
}

// TestAFirstSignalBeginsNoChunk has a signal come while two chunks are under way:
// these are finished, and the others not begun.
func TestAFirstSignalBeginsNoChunk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		drain := make(chan struct{})
		g := newRig(words(10_000, good)).chunked(2, 4)
		g.Drain = drain
		g.store.before = func(context.Context, *pipeline.Chunk) { <-drain }
		g.source.before = func(ctx context.Context, block int) {
			if block == 5 {
				synctest.Wait()
				close(drain)
				<-ctx.Done() // as a source that waits for its input
			}
		}
		g.want(t, t.Context(), ends{err: pipeline.ErrInterrupted, read: 15, written: 8, notSent: 7, aborts: 1, attempts: 2})
	})
}

// TestASignalAfterTheLastRowIsHeard has the input be read to its end, and chunks
// left that were not begun.
func TestASignalAfterTheLastRowIsHeard(t *testing.T) {
	drain := make(chan struct{})
	g := newRig(words(12, good)).chunked(1, 4)
	g.Drain = drain
	g.store.before = func(_ context.Context, c *pipeline.Chunk) {
		if c.Seq == 0 {
			close(drain)
		}
	}
	g.want(t, t.Context(), ends{err: pipeline.ErrInterrupted, read: 12, written: 4, notSent: 8, aborts: 1, attempts: 1})
}

// TestWhatIsNotBegunIsRecalled has rows of chunks that are not begun, one of them cut
// short, be those that an earlier pass wrote or left in doubt.
func TestWhatIsNotBegunIsRecalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		drain := make(chan struct{})
		g := newRig(words(15, good)).chunked(1, 4)
		g.Drain, g.Chunks.SkipPartial = drain, true
		g.source.fail = errRead
		g.store.before = func(context.Context, *pipeline.Chunk) {
			synctest.Wait() // until all is read that can be
			close(drain)
		}
		g.Chunks.Replay = func(c *pipeline.Chunk) error {
			c.Fates[0] = pipeline.Written
			if c.Len() > 1 {
				c.Fates[1] = pipeline.InDoubt
			}
			return nil
		}
		g.want(t, t.Context(), ends{err: errRead, read: 15, written: 4 + 3, inDoubt: 3, notSent: 5, aborts: 1, attempts: 1})
	})
}

func TestAFirstSignalFinishesWhatWasRead(t *testing.T) {
	for _, test := range []struct {
		mode func(*rig) *rig
		want ends
	}{
		{(*rig).direct, ends{err: pipeline.ErrInterrupted, read: 15, notSent: 15, aborts: 1, attempts: 5}},
	} {
		drain := make(chan struct{})
		g := test.mode(newRig(words(10_000, good)))
		g.Drain = drain
		g.source.before = func(ctx context.Context, block int) {
			if block == 5 {
				close(drain)
				<-ctx.Done() // as a source that waits for its input
			}
		}
		g.want(t, t.Context(), test.want)
	}
}

func TestAFirstSignalIsHeardWhileTheSinkIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		drain, gate := make(chan struct{}), make(chan struct{})
		g := newRig(words(10_000, good)).direct()
		g.Drain = drain
		g.store.before = func(context.Context, *pipeline.Chunk) { <-gate }
		go func() {
			synctest.Wait()
			close(drain)
			synctest.Wait()
			close(gate)
		}()
		if _, err := g.Do(t.Context()); !errors.Is(err, pipeline.ErrInterrupted) {
			t.Errorf("error %v", err)
		}
		if g.source.cuts != g.MaxBlocks() {
			t.Errorf("%d blocks were read, %d of them after the signal", g.source.cuts, g.source.cuts-g.MaxBlocks())
		}
	})
}

func TestASignalAfterTheLastRowChangesNothing(t *testing.T) {
	drain := make(chan struct{})
	g := newRig(words(6, good)).chunked(1, 4)
	g.Drain = drain
	g.store.before = func(_ context.Context, c *pipeline.Chunk) {
		if c.Seq == 1 { // half a chunk, sent when the input has ended
			close(drain)
		}
	}
	g.want(t, t.Context(), ends{read: 6, written: 6, commits: 1})
}

func TestAnErrorOfTheRunLeavesTheRowsBeforeIt(t *testing.T) {
	for word, want := range map[string]error{noDecode: errDecode, noStep: errStep, noEncode: errEncode} {
		t.Run(word, func(t *testing.T) {
			rows := append(words(20, good), append([]string{word}, words(5000, good)...)...)
			newRig(rows).chunked(2, 4).want(t, t.Context(), ends{err: want, read: 18, written: 18, aborts: 1})
			newRig(rows).direct().want(t, t.Context(), ends{err: want, read: 18, notSent: 18, aborts: 1})
		})
	}
}

func TestARecorderErrorEndsTheRun(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode.name, func(t *testing.T) {
			g := mode.set(newRig(words(10_000, good, invalid)))
			g.book.failAt = 2
			report, err := g.Do(t.Context())
			if !errors.Is(err, errRecord) || !report.Balanced() || g.store.aborted != 1 {
				t.Errorf("rows %+v, error %v", report.Rows, err)
			}
			if g.book.appends != 2 || g.source.next > 300 {
				t.Errorf("%d records, %d rows read after the disk was full", g.book.appends, g.source.next)
			}
		})
	}
}

func TestADryRunCountsAndRecords(t *testing.T) {
	for _, mode := range modes {
		g := mode.set(newRig(words(30, good, invalid, skipped)))
		g.Sink = nil
		report, err := g.Do(t.Context())
		want := pipeline.Counts{Read: 30, Valid: 10, Rejected: 10, Skipped: 10}
		if err != nil || report.Rows != want || !report.Balanced() {
			t.Errorf("%s: rows %+v, error %v; want %+v", mode.name, report.Rows, err, want)
		}
		if n := strings.Count(g.book.rejects.String(), "first second\n"); n != 10 {
			t.Errorf("%s: %d rejects recorded, want 10:\n%s", mode.name, n, &g.book.rejects)
		}
	}
}

func TestNothingInIsNothingOut(t *testing.T) {
	for _, mode := range modes {
		mode.set(newRig(nil)).want(t, t.Context(), ends{commits: 1})
	}
	g := newRig(nil)
	g.Run = pipeline.Run{Source: g.source, Schema: schema}
	if report, err := g.Do(t.Context()); err != nil || report.Rows != (pipeline.Counts{}) {
		t.Errorf("rows %+v, error %v", report.Rows, err)
	}
}

// TestADrainDoesNotCutOffAWrite drains the run while a chunk is under way: its context
// goes on, and the chunk is finished.
func TestADrainDoesNotCutOffAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(words(20, good)).chunked(1, 4)
		drain := make(chan struct{})
		g.Drain = drain
		g.store.before = func(ctx context.Context, c *pipeline.Chunk) {
			if c.Seq != 2 {
				return
			}
			close(drain)
			synctest.Wait()
			if ctx.Err() != nil {
				t.Error("what is under way is cut off")
			}
		}
		report, err := g.Do(t.Context())
		if c := report.Rows; !errors.Is(err, pipeline.ErrInterrupted) || c.Written != 12 || c.InDoubt != 0 || !report.Balanced() {
			t.Errorf("%v, %+v", err, c)
		}
	})
}

// patient is a sink that waits, before it writes the chunk seq, for something that only
// the drain of the run ends.
type patient struct {
	pipeline.Sink
	seq     int64
	drain   <-chan struct{}
	waiting chan struct{}
}

func (p *patient) Write(ctx context.Context, c *pipeline.Chunk) error {
	if c.Seq != p.seq {
		return p.Sink.Write(ctx, c)
	}
	close(p.waiting)
	select {
	case <-p.drain:
		return pipeline.ErrInterrupted
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// TestADrainEndsWaiting has a sink wait until the run is drained: the rows that it has not
// sent are not in doubt.
func TestADrainEndsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(words(20, good)).chunked(1, 4)
		drain, waiting := make(chan struct{}), make(chan struct{})
		g.Drain = drain
		g.Sink = &patient{Sink: g.store, seq: 2, drain: drain, waiting: waiting}
		go func() {
			<-waiting
			close(drain)
		}()
		report, err := g.Do(t.Context())
		if c := report.Rows; !errors.Is(err, pipeline.ErrInterrupted) || c.Written != 8 || c.InDoubt != 0 || c.NotSent != c.Read-8 || !report.Balanced() {
			t.Errorf("%v, %+v", err, c)
		}
	})
}
