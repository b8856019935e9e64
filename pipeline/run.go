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
	Sink     Sink          // nil: a dry run, every valid row stays where it is
	Recorder Recorder      // nil: rejects are counted only
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
	Rows     int // rows sent in a chunk; needed with InFlight
	Bytes    int // encoded bytes in a chunk, exceeded only by a single row; 0: 8 MiB

	// SkipPartial keeps a chunk from being written that the end of the run cut short:
	// a journal has to meet the same chunks again when the run is resumed.
	SkipPartial bool

	// Replay sets the fates of those rows of a chunk that earlier passes over the input
	// settled, where the chunk is not written because the run is stopping; the other
	// rows stay Pending. It is called concurrently. Nil: there were no earlier passes.
	Replay func(c *Chunk) error
}

// RejectLimit stops a run that rejects too much. The zero value never does.
type RejectLimit struct {
	Set     bool
	Rows    int64   // more rejected rows than this stop the run
	Percent float64 // if not 0, in place of Rows: more than this share of the rows read, after the first 1,000
}

// percentFrom is how many rows are read before a percentage is looked at.
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

// Progress is how far a run has come: rows accounted for, and the bytes of the input
// that they took, of a block that became several chunks in proportion.
type Progress struct {
	Rows  Counts
	Bytes int64
}

// MaxBlocks returns the largest number of blocks in memory at once: one in each
// worker's hands, one waiting for each, one being cut and one being written.
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

// Do runs the run and reports what it did. The report is whole and balanced
// also when an error is returned: ErrInterrupted, ErrMaxRejects, or what the
// source, a step, the sink or the recorder said. Do returns when every
// goroutine it started has ended. It closes neither source nor recorder; it
// commits or aborts the sink.
//
// After a read error the rows read before it are finished. After a drain files
// get what was read; of the chunks for an API those under way are finished, and
// the rows of the others are NotSent. After a write error nothing more is sent,
// but what is under way may finish. When ctx ends, everything stops at once.
func (r *Run) Do(ctx context.Context) (*Report, error) {
	e := newEngine(ctx, r)
	defer e.close()
	readErr := e.run()
	return e.finish(readErr)
}
