package pipeline

import "context"

// Block is a stretch of raw input with whole rows. The engine owns it and gives it to
// the source again, with its buffer, when its rows are accounted for.
type Block struct {
	Data []byte // the raw rows; the source replaces it, the decoder may change it in place
	Row  int64  // number of the first row in its file: the physical line, or the sheet row
	End  int64  // how far the input has been read, in bytes of the input, for progress
	Tag  int64  // what the source tells its decoder (an encoding, the number of rows)
}

// Source is where rows come from. It only cuts: Next does the least that finds
// where rows end, and the decoders do the rest on every core.
//
// Columns and Decoder may be called at any time, Next by one goroutine. Close
// is called once, after all use.
type Source interface {
	// Columns returns the names of the input's columns, in order.
	Columns() []string

	// Next fills b with the next whole rows. It returns io.EOF, with an empty b,
	// after the last. Any other error ends the input: it names the file and the
	// place, and rows handed out before it stand. It gives up when ctx ends.
	Next(ctx context.Context, b *Block) error

	// Decoder returns a decoder for the use of one goroutine.
	Decoder() Decoder

	// Close releases the input.
	Close() error
}

// ColumnSelector is a Source that can leave columns undecoded. Select is called at most
// once, before Next and Decoder: columns has one entry for each of Columns, true for
// those that the steps use. The others may be null in batches that have a DecodeRest.
type ColumnSelector interface {
	Select(columns []bool)
}

// Decoder turns blocks into batches.
type Decoder interface {
	// Decode fills the empty batch b with the rows of block: numbers, fates and
	// one value in each input column. A row that cannot be decoded whole is added
	// as far as it goes, with a Problem. The batch may point into block.Data. An
	// error means that the input is broken, not that a row is bad, and ends the
	// run.
	Decode(block *Block, b *Batch) error
}

// Step is a change to a batch: map, validate. Each worker has its own, so a
// step may keep buffers; it keeps no state that makes one row depend on
// another.
type Step interface {
	// Apply changes b in place. It notes every problem it finds, not the first, and
	// may set rows to Skipped. Broken and Skipped rows it leaves alone; rows that an
	// earlier step Rejected are examined too, so that all their problems are found,
	// but a field that has an Error already is not reported twice. An error is one
	// of the run (a mapping that cannot be evaluated), never of a row.
	Apply(b *Batch) error
}
