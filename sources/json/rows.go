package json

import (
	"context"

	"flytt/pipeline"
	"flytt/sources/textscan"
)

const (
	maxColumns = 10_000
	maxCells   = 1 << 19 // of a block: short rows with many columns need memory too
)

// Input is what rows are read from.
type Input interface {
	// Fill reads until data has want bytes and returns it, with the error that
	// prevented that: io.EOF after the last byte.
	Fill(ctx context.Context, data []byte, want int) ([]byte, error)

	// Skip drops the next n bytes, which are of the sample.
	Skip(n int)

	// End returns how many bytes of the stored input were read.
	End() int64

	// Interruptible makes Fill return early when ctx ends, until the function
	// returned is called.
	Interruptible(ctx context.Context) (stop func() bool)
}

// Options says what is known about an input.
type Options struct {
	Sample    []byte // the start of the text, longer than any record unless the text is shorter
	Whole     bool   // Sample is the whole text
	BlockSize int    // bytes of text in a block; more than 1 MiB is 1 MiB
}

// Error is JSON that cannot be read any further. It holds no value of a row.
type Error struct {
	Line int64 // physical line; 0: the input as a whole
	Err  error // what is wrong
	Hint string
}

// Error returns what is wrong.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *Error) Unwrap() error { return e.Err }

func fail(line int64, err error, hint string) error { return &Error{line, err, hint} }

// Rows reads rows as a pipeline.Source does. It has nothing to close.
type Rows struct {
	cut    cutter
	layout *Layout
	names  []string
}

// Open finds out from the sample whether in is JSON Lines or an array, and what its
// columns are. Errors in the content, here and in Next, are an *Error.
func Open(in Input, o Options) (*Rows, error) {
	r := &Rows{cut: cutter{in: in, size: min(o.BlockSize, textscan.MaxRecordBytes), line: 1}}
	start := SkipSpace(o.Sample, 0)
	if r.cut.array = start < len(o.Sample) && o.Sample[start] == '['; r.cut.array {
		r.cut.line += textscan.LineEnds(o.Sample[:start], '\n')
		r.cut.offset = int64(start) + 1
	}
	var err error
	if r.layout, r.names, err = newLayout(&o, r.cut.array); err != nil {
		return nil, err
	}
	r.cut.rows = max(1, maxCells/len(r.names))
	in.Skip(int(r.cut.offset))
	return r, nil
}

// Columns returns the names of the columns.
func (r *Rows) Columns() []string { return r.names }

// Next fills b with the next whole rows.
func (r *Rows) Next(ctx context.Context, b *pipeline.Block) error { return r.cut.next(ctx, b) }

// Decoder returns a decoder of the blocks.
func (r *Rows) Decoder() pipeline.Decoder {
	return &decoder{ObjectDecoder: NewObjectDecoder(r.layout), array: r.cut.array}
}
