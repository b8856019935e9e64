package pipeline_test

import (
	"context"
	"io"
	"strconv"
	"sync/atomic"
	"testing"

	"flytt/pipeline"
)

// lazySource hands out blocks of ten rows of one column that is filled only
// when somebody asks. The rows of block bad are rejected.
type lazySource struct {
	blocks int
	filled atomic.Int64
}

func (s *lazySource) Columns() []string         { return []string{"a"} }
func (s *lazySource) Decoder() pipeline.Decoder { return s }
func (s *lazySource) Close() error              { return nil }

func (s *lazySource) Next(_ context.Context, b *pipeline.Block) error {
	if s.blocks == 0 {
		return io.EOF
	}
	s.blocks--
	b.Tag = int64(s.blocks)
	return nil
}

func (s *lazySource) Decode(block *pipeline.Block, b *pipeline.Batch) error {
	for i := range 10 {
		b.AddRow(block.Tag*10 + int64(i))
		b.Input[0].AppendNull()
	}
	if block.Tag == 1 {
		b.Note(pipeline.Problem{Row: 3, Field: pipeline.None, Column: pipeline.None, Code: "bad"})
	}
	b.DecodeRest = func(b *pipeline.Batch) error {
		s.filled.Add(1)
		b.Input[0].Reset()
		for _, row := range b.Rows {
			b.Input[0].Append(strconv.AppendInt(nil, row, 10))
		}
		return nil
	}
	return nil
}

// lazyRecorder keeps the first column of rejected rows.
type lazyRecorder struct{ got []string }

func (r *lazyRecorder) Render(c *pipeline.Chunk, out *pipeline.Record) {
	for i, f := range c.Fates {
		if f == pipeline.Rejected {
			out.Rejects = append(out.Rejects, c.Input[0].Value(i)...)
		}
	}
}

func (r *lazyRecorder) Append(out *pipeline.Record) error {
	if len(out.Rejects) > 0 {
		r.got = append(r.got, string(out.Rejects))
	}
	return nil
}

func TestColumnsAreFilledWhereARowIsRejected(t *testing.T) {
	source, recorder := &lazySource{blocks: 3}, &lazyRecorder{}
	run := pipeline.Run{Source: source, Schema: &pipeline.Schema{}, Recorder: recorder}
	if _, err := run.Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := source.filled.Load(); n != 1 {
		t.Errorf("%d batches were filled, want the one with a rejected row", n)
	}
	if len(recorder.got) != 1 || recorder.got[0] != "13" {
		t.Errorf("rejected %q", recorder.got)
	}
}
