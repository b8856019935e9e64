package sinks

import (
	"context"
	"crypto/sha256"
	"maps"
	"runtime"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"flytt/pipeline"
)

// createParquet writes Parquet: one flat column for each field, of the field's
// type, named as the field is, dots and all (external_client.id), every one of
// them optional. A null is a null and an empty text an empty text.
//
//	Text, UUID   string (an id stays as it is written)
//	Date         date
//	DateTime     timestamp in UTC, in microseconds; digits beyond them are cut off
//	Integer      int64
//	Number       double, the one nearest to the number
//	Boolean      boolean
//	JSON         json, as its text; so is the column of ExtraField
//
// A value that its column cannot hold rejects its row. Row groups are compressed
// with Zstandard, their columns written with a dictionary where values repeat,
// with statistics and a page index. Nothing is written before the first row
// group is full, and a file without its end cannot be read: what was written to
// a stream that breaks off is void.
func createParquet(out *output, schema *pipeline.Schema, o *FileOptions) (pipeline.Sink, error) {
	if out.zip != nil {
		return nil, &pipeline.UsageError{Place: out.name, Cause: "parquet is compressed within, and nothing reads it compressed again", Hint: "leave the second extension out"}
	}
	if len(schema.Fields) == 0 {
		return nil, &pipeline.UsageError{Place: out.name, Cause: "parquet needs a column"}
	}
	columns, err := newParquetColumns(schema)
	if err != nil {
		return nil, err
	}
	s := &parquetSink{out: &parquetOutput{output: out}, encoder: &parquetEncoder{columns: columns}}
	s.groups = newParquetGroups(s.out, columns, parquetOptions(o))
	return s, nil
}

const (
	// parquetPage is about how much of a column a page holds, uncompressed.
	parquetPage = 256 << 10

	// parquetBound is the length to which the page index cuts its bounds: a
	// UUID fits.
	parquetBound = 64

	// parquetDictionary is how large a dictionary gets before the column goes on
	// without, where it seemed to pay and did not.
	parquetDictionary = 1 << 20
)

// parquetOptions returns what o asks the library for.
func parquetOptions(o *FileOptions) []parquet.WriterOption {
	config := parquet.DefaultWriterConfig()
	config.CreatedBy = o.Creator
	if config.CreatedBy == "" {
		config.CreatedBy = "flytt"
	}
	config.KeyValueMetadata = maps.Clone(o.Metadata)
	config.Compression = &zstd.Codec{Level: zstd.SpeedFastest}
	config.DataPageVersion = 1 // the one that every reader knows
	config.PageBufferSize = parquetPage
	config.DictionaryMaxBytes = parquetDictionary
	config.ColumnIndexSizeLimit = func([]string) int { return parquetBound }
	return []parquet.WriterOption{config, parquet.DataPageStatistics(false)} // the page index has them
}

// parquetSink gathers encoded rows into row groups, which are encoded
// concurrently and written in order.
type parquetSink struct {
	out     *parquetOutput
	encoder *parquetEncoder
	groups  *parquetGroups
	whole   bool // the end of the file is written
}

// Encoder returns the encoder of all workers: it keeps nothing between calls.
func (s *parquetSink) Encoder() pipeline.Encoder { return s.encoder }

// Write adds the pending rows of c to the row group being filled. They reach
// the file when it is full, or with Commit.
func (s *parquetSink) Write(ctx context.Context, c *pipeline.Chunk) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for row, fate := range c.Fates {
		if fate != pipeline.Pending {
			continue
		}
		if err := s.groups.add(ctx, c.Item(row)); err != nil {
			return s.out.explain(err)
		}
	}
	c.SetPending(pipeline.Written)
	return nil
}

// Commit writes what is left, and the end of the file, and gives it its name.
func (s *parquetSink) Commit(ctx context.Context) error {
	if err := s.groups.finish(ctx); err != nil {
		return s.out.explain(err)
	}
	s.whole = true
	return s.out.commit()
}

// Abort removes the file, if it has not got its name yet. What went to a stream
// counts as undone as well unless its end went there too.
func (s *parquetSink) Abort() (undone bool, err error) {
	s.groups.stop()
	undone, err = s.out.abort()
	return undone || !s.whole, err
}

// Sum implements Summed.
func (s *parquetSink) Sum() (sum [sha256.Size]byte, bytes int64) { return s.out.tally.sum() }

// parquetOutput is an output as the library writes to it. It keeps its first
// error, which the library wraps in words of its own.
type parquetOutput struct {
	*output
	err error
}

// Write implements io.Writer.
func (o *parquetOutput) Write(p []byte) (int, error) {
	if err := o.write(p); err != nil {
		o.err = err
		return 0, err
	}
	return len(p), nil
}

// explain returns what broke the output, if it broke, and err otherwise.
func (o *parquetOutput) explain(err error) error {
	if o.err != nil {
		return o.err
	}
	return err
}

// parquetEncoders returns how many row groups are encoded at once. More than a
// few cost memory, and the rows do not come that fast.
func parquetEncoders() int { return min(runtime.GOMAXPROCS(0), 4) }
