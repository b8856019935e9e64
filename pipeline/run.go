package pipeline

import (
	"context"
	"errors"
	"runtime"
)

// What ends a run before its input does, other than a failure of the source or
// the sink.
var (
	ErrInterrupted = errors.New("interrupted")
	ErrMaxRejects  = errors.New("more rows rejected than allowed")
)

// Run is one execution: rows from Source, through Steps, to Sink. Source and
// Schema are needed; the zero value of everything else works.
type Run struct {
	Source   Source
	Schema   *Schema       // of the fields that the steps make
	Steps    func() []Step // makes the steps of one worker; nil: none
	Sink     Sink          // nil: a dry run, in which valid rows go nowhere
	Recorder Recorder      // nil: rejects are only counted
	Workers  int           // goroutines that decode, map, validate and encode; 0: one for each processor
	Chunks   ChunkLimits
	Limit    RejectLimit
	Drain    <-chan struct{} // when closed, nothing more is read, and no chunk for an API is started
	Progress func(Progress)  // called in input order, from one goroutine at a time; at least once a second while a chunk is written
}

// ChunkLimits says how rows are gathered for the sink. With InFlight zero each
// block is a chunk and is written in input order.
type ChunkLimits struct {
	InFlight int // chunks written at once
	Rows     int // rows sent in a chunk; required with InFlight
	Bytes    int // encoded bytes in a chunk, exceeded only by a single row; 0: 8 MiB

	// SkipPartial leaves a chunk unwritten that the end of the run cut short: a journal
	// has to find the same chunks again when the run is resumed.
	SkipPartial bool

	// Replay sets the fates of those rows of a chunk that earlier passes over the input
	// have settled. It is called for chunks that are not written because the run is
	// stopping; the other rows stay Pending. It is called concurrently. Nil: there were
	// no earlier passes.
	Replay func(c *Chunk) error
}

// RejectLimit stops a run that rejects too much. The zero value never does.
type RejectLimit struct {
	Set     bool
	Rows    int64   // more rejected rows than this stop the run
	Percent float64 // if not 0, in place of Rows: more than this share of the rows read, after the first 1,000
}

// percentFrom is how many rows have to be read before a percentage counts.
const percentFrom = 1000

func (l RejectLimit) exceeded(rejected, read int64) bool {
	switch {
	case !l.Set:
		return false
	case l.Percent != 0:
		return read >= percentFrom && float64(rejected)*100 > l.Percent*float64(read)
	}
	return rejected > l.Rows
}

// Progress is how far a run has come: the rows accounted for, and the bytes of input
// they took. If a block became several chunks, its bytes are divided in proportion.
type Progress struct {
	Rows  Counts
	Bytes int64
}

// MaxBlocks returns the largest number of blocks in memory at once: two for each
// worker, one being cut and one being written.
func (r *Run) MaxBlocks() int { return 2*r.workers() + 2 }

// chunked reports whether rows are gathered into chunks that are written
// concurrently.
func (r *Run) chunked() bool { return r.Sink != nil && r.Chunks.InFlight > 0 }

func (r *Run) workers() int {
	if r.Workers > 0 {
		return r.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// Do runs the run and reports what it did. The report is complete and balanced even if
// an error is returned: ErrInterrupted, ErrMaxRejects, or the error of the source, a
// step, the sink or the recorder. Do returns when every goroutine it started has ended.
// It closes neither source nor recorder; it commits or aborts the sink.
//
// After a read error, the rows read before it are finished. After a drain, files get
// what was read; for an API, chunks in flight are finished, and the rows of all others
// are NotSent. After a write error nothing more is sent, but what is in flight may
// finish. When ctx ends, everything stops at once.
func (r *Run) Do(ctx context.Context) (*Report, error) {
	e := newEngine(ctx, r)
	defer e.close()
	readErr := e.run()
	return e.finish(readErr)
}
