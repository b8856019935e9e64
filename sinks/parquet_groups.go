package sinks

import (
	"context"
	"io"
	"sync"
	"sync/atomic"

	"github.com/parquet-go/parquet-go"
	"golang.org/x/sync/errgroup"

	"flytt/pipeline"
)

const (
	// A row group is full when it has so many rows, or so many bytes of encoded
	// ones. Memory holds one that is filled, and one for each encoder.
	parquetGroupRows  = 64 << 10
	parquetGroupBytes = 32 << 20

	// A stride is full when it has so many rows, or bytes.
	parquetStrideRows  = 1 << 10
	parquetStrideBytes = 256 << 10
)

// parquetGroups gathers rows into row groups. Full ones are encoded by a few
// goroutines of its own while the next is filled, and written in order. The
// goroutines end with finish or stop, one of which is to be called; everything
// is called from one goroutine.
type parquetGroups struct {
	columns []parquetColumn
	filling *parquetGroup
	sealed  []*parquetGroup // being encoded or ready to be written, oldest first
	spare   []*parquetGroup
	group   errgroup.Group // of the goroutines that encode
	stopped atomic.Bool    // what is being encoded is not wanted

	mu     sync.Mutex            // over the writer's configuration
	config *parquet.WriterConfig // the writer's own
	writer *parquet.GenericWriter[any]
}

// parquetGroup is a row group on its way: rows, then encoded columns. Rows come
// in strides, which are what the columns are handed at once: nothing is copied
// to make room, and a page is looked at for being full between two of them.
type parquetGroup struct {
	strides []*pipeline.Encoded
	rows    int
	bytes   int
	spare   []*pipeline.Encoded
	starts  []uint32        // where the next cell of each row of a stride starts
	values  []parquet.Value // of one column of a stride
	encoded *parquet.ConcurrentRowGroupWriter
	done    chan error // gets the outcome once it is encoded, or cannot be
}

// newParquetGroups returns an empty one that writes to out.
func newParquetGroups(out io.Writer, columns []parquetColumn, options []parquet.WriterOption) *parquetGroups {
	g := &parquetGroups{columns: columns}
	options = append(options, parquetSchema(columns, make([]bool, len(columns))), parquetTap{&g.config})
	g.writer = parquet.NewGenericWriter[any](out, options...)
	g.filling = newParquetGroup()
	return g
}

// parquetTap is an option that changes nothing and gives away the configuration
// that the writer goes by.
type parquetTap struct{ config **parquet.WriterConfig }

// ConfigureWriter implements parquet.WriterOption.
func (t parquetTap) ConfigureWriter(c *parquet.WriterConfig) { *t.config = c }

func newParquetGroup() *parquetGroup {
	return &parquetGroup{
		starts: make([]uint32, 0, parquetStrideRows),
		values: make([]parquet.Value, 0, parquetStrideRows),
		done:   make(chan error, 1),
	}
}

// add adds an encoded row. If the group being filled is full, it waits until
// there is a goroutine for it.
func (g *parquetGroups) add(ctx context.Context, row []byte) error {
	if g.filling.full(len(row)) {
		if err := g.seal(ctx); err != nil {
			return err
		}
	}
	g.filling.add(row)
	return nil
}

// full reports whether the group has no room for a row of size bytes.
func (n *parquetGroup) full(size int) bool {
	return n.rows >= parquetGroupRows || n.rows > 0 && n.bytes+size > parquetGroupBytes
}

func (n *parquetGroup) add(row []byte) {
	s := n.stride(len(row))
	s.Data = append(s.Data, row...)
	s.EndRow()
	n.rows++
	n.bytes += len(row)
}

// stride returns the last stride, or a new one if that has no room for a row of
// size bytes.
func (n *parquetGroup) stride(size int) *pipeline.Encoded {
	if last := len(n.strides) - 1; last >= 0 {
		s := n.strides[last]
		if len(s.Ends) < parquetStrideRows && len(s.Data)+size <= parquetStrideBytes {
			return s
		}
	}
	var s *pipeline.Encoded
	if last := len(n.spare) - 1; last >= 0 {
		s, n.spare = n.spare[last], n.spare[:last]
	} else {
		s = &pipeline.Encoded{Data: make([]byte, 0, parquetStrideBytes/2)}
	}
	n.strides = append(n.strides, s)
	return s
}

// reset empties the group and keeps its buffers, other than those that a long
// row made large.
func (n *parquetGroup) reset() {
	for _, s := range n.strides {
		if cap(s.Data) <= 2*parquetStrideBytes {
			s.Reset()
			n.spare = append(n.spare, s)
		}
	}
	clear(n.strides)
	n.strides, n.rows, n.bytes, n.encoded = n.strides[:0], 0, 0, nil
}

// seal has the group that is filled encoded, and begins another.
func (g *parquetGroups) seal(ctx context.Context) error {
	for len(g.sealed) >= parquetEncoders() {
		if err := g.writeOldest(ctx); err != nil {
			return err
		}
	}
	n := g.filling
	g.sealed = append(g.sealed, n)
	g.group.Go(func() error {
		n.done <- g.encode(n)
		return nil
	})
	if last := len(g.spare) - 1; last >= 0 {
		g.filling, g.spare = g.spare[last], g.spare[:last]
	} else {
		g.filling = newParquetGroup()
	}
	return nil
}

// writeOldest waits until the oldest sealed group is encoded, and writes it.
func (g *parquetGroups) writeOldest(ctx context.Context) error {
	n := g.sealed[0]
	var err error
	select {
	case err = <-n.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	g.sealed = g.sealed[1:]
	if err != nil {
		return err
	}
	if _, err := n.encoded.Commit(); err != nil {
		return err
	}
	n.reset()
	g.spare = append(g.spare, n)
	return nil
}

// finish writes all that is left, and the end of the file.
func (g *parquetGroups) finish(ctx context.Context) error {
	if g.filling.rows > 0 {
		if err := g.seal(ctx); err != nil {
			return err
		}
	}
	for len(g.sealed) > 0 {
		if err := g.writeOldest(ctx); err != nil {
			return err
		}
	}
	return g.writer.Close()
}

// stop gives up what is being encoded and waits for the goroutines to end.
func (g *parquetGroups) stop() {
	g.stopped.Store(true)
	_ = g.group.Wait() // returns no error: done has them
}

// encode encodes and compresses the columns of n.
func (g *parquetGroups) encode(n *parquetGroup) error {
	n.encoded = g.begin(dictionaries(g.columns, n.strides))
	columns := n.encoded.ColumnWriters()
	for _, s := range n.strides {
		if g.stopped.Load() {
			return nil
		}
		n.restart(s)
		for i, c := range g.columns {
			n.values = cutParquetColumn(n.values, s.Data, n.starts, c.kind, i)
			if _, err := columns[i].WriteRowValues(n.values); err != nil {
				return err
			}
		}
	}
	return n.encoded.Flush()
}

// begin returns a writer of one row group. Which of its columns have a
// dictionary the library takes from the configuration when it makes the writer.
func (g *parquetGroups) begin(dictionary []bool) *parquet.ConcurrentRowGroupWriter {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.config.Schema = parquetSchema(g.columns, dictionary)
	return g.writer.BeginRowGroup()
}

// restart puts the starts of the rows of s into starts: those of their first
// cells.
func (n *parquetGroup) restart(s *pipeline.Encoded) {
	n.starts = n.starts[:0]
	start := uint32(0)
	for _, end := range s.Ends {
		n.starts = append(n.starts, start)
		start = end
	}
}
