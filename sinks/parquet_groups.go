package sinks

import (
	"context"
	"io"
	"sync"
	"sync/atomic"

	"github.com/parquet-go/parquet-go"

	"flytt/pipeline"
)

const (
	// A row group is full when it has so many rows, or so many bytes of encoded
	// ones. Memory holds one that is filled, and one for each encoder.
	parquetGroupRows  = 120 << 10
	parquetGroupBytes = 32 << 20

	// So many rows, or bytes of them, are handed to the columns at once. A page
	// is looked at for being full only in between.
	parquetStrideRows  = 512
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
	running sync.WaitGroup
	stopped atomic.Bool // what is being encoded is not wanted

	mu     sync.Mutex            // over the writer's configuration
	config *parquet.WriterConfig // the writer's own
	writer *parquet.GenericWriter[any]
}

// parquetGroup is a row group on its way: rows, then encoded columns.
type parquetGroup struct {
	rows    pipeline.Encoded
	values  [][]parquet.Value // room for one stride of each column
	encoded *parquet.ConcurrentRowGroupWriter
	err     error
	done    chan struct{} // one token when it is encoded
}

// newParquetGroups returns an empty one that writes to out.
func newParquetGroups(out io.Writer, columns []parquetColumn, options []parquet.WriterOption) *parquetGroups {
	g := &parquetGroups{columns: columns}
	options = append(options, parquetSchema(columns, make([]bool, len(columns))), parquetTap{&g.config})
	g.writer = parquet.NewGenericWriter[any](out, options...)
	g.filling = g.newGroup()
	return g
}

// parquetTap is an option that changes nothing and gives away the configuration
// that the writer goes by.
type parquetTap struct{ config **parquet.WriterConfig }

// ConfigureWriter implements parquet.WriterOption.
func (t parquetTap) ConfigureWriter(c *parquet.WriterConfig) { *t.config = c }

func (g *parquetGroups) newGroup() *parquetGroup {
	n := &parquetGroup{values: make([][]parquet.Value, len(g.columns)), done: make(chan struct{}, 1)}
	for i := range n.values {
		n.values[i] = make([]parquet.Value, 0, parquetStrideRows)
	}
	return n
}

// add adds an encoded row. If the group being filled is full, it waits until
// there is a goroutine for it.
func (g *parquetGroups) add(ctx context.Context, row []byte) error {
	if g.filling.full(len(row)) {
		if err := g.seal(ctx); err != nil {
			return err
		}
	}
	rows := &g.filling.rows
	rows.Data = append(rows.Data, row...)
	rows.EndRow()
	return nil
}

// full reports whether the group has no room for a row of size bytes.
func (n *parquetGroup) full(size int) bool {
	return len(n.rows.Ends) >= parquetGroupRows || len(n.rows.Ends) > 0 && len(n.rows.Data)+size > parquetGroupBytes
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
	g.running.Go(func() {
		n.err = g.encode(n)
		n.done <- struct{}{}
	})
	if last := len(g.spare) - 1; last >= 0 {
		g.filling, g.spare = g.spare[last], g.spare[:last]
	} else {
		g.filling = g.newGroup()
	}
	return nil
}

// writeOldest waits until the oldest sealed group is encoded, and writes it.
func (g *parquetGroups) writeOldest(ctx context.Context) error {
	n := g.sealed[0]
	select {
	case <-n.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	g.sealed = g.sealed[1:]
	if n.err != nil {
		return n.err
	}
	if _, err := n.encoded.Commit(); err != nil {
		return err
	}
	n.encoded = nil
	n.rows.Reset()
	g.spare = append(g.spare, n)
	return nil
}

// finish writes all that is left, and the end of the file.
func (g *parquetGroups) finish(ctx context.Context) error {
	if len(g.filling.rows.Ends) > 0 {
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
	g.running.Wait()
}

// encode encodes and compresses the columns of n.
func (g *parquetGroups) encode(n *parquetGroup) error {
	n.encoded = g.begin(dictionaries(g.columns, &n.rows))
	columns := n.encoded.ColumnWriters()
	for row := 0; row < len(n.rows.Ends) && !g.stopped.Load(); {
		row = n.transpose(g.columns, row)
		for i, values := range n.values {
			if _, err := columns[i].WriteRowValues(values); err != nil {
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

// transpose puts one stride of rows, from row on, into values, column by
// column. It returns the row after them.
func (n *parquetGroup) transpose(columns []parquetColumn, row int) int {
	for i := range n.values {
		n.values[i] = n.values[i][:0]
	}
	bytes := 0
	for end := min(row+parquetStrideRows, len(n.rows.Ends)); row < end && bytes < parquetStrideBytes; row++ {
		rest := n.rows.Item(row)
		bytes += len(rest)
		for i, c := range columns {
			var v parquet.Value
			v, rest = cutParquetCell(rest, c.kind, i)
			n.values[i] = append(n.values[i], v)
		}
	}
	return row
}
