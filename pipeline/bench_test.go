package pipeline_test

import (
	"context"
	"fmt"
	"io"
	"testing"

	"flytt/pipeline"
)

// flood is a source of the same block over and over, and a sink that settles
// everything at once: what is left is the engine itself.
type flood struct {
	blocks int
	data   []byte
}

const floodRows = 4096

func newFlood() *flood {
	f := &flood{}
	for i := range floodRows {
		f.data = fmt.Appendf(f.data, "%06d;good\n", i)
	}
	return f
}

func (f *flood) Columns() []string { return []string{"key", "word"} }

func (f *flood) Next(_ context.Context, b *pipeline.Block) error {
	if f.blocks == 0 {
		return io.EOF
	}
	f.blocks--
	b.Data, b.Row = f.data, 1
	return nil
}

func (f *flood) Decoder() pipeline.Decoder { return floodDecoder{} }

func (f *flood) Close() error { return nil }

type floodDecoder struct{}

func (floodDecoder) Decode(block *pipeline.Block, b *pipeline.Batch) error {
	const row = len("000000;good\n")
	b.Input[0].Share(block.Data)
	b.Input[1].Share(block.Data)
	for at := 0; at < len(block.Data); at += row {
		b.AddRow(1)
		b.Input[0].AppendSpan(at, at+6)
		b.Input[1].AppendSpan(at+7, at+row-1)
	}
	return nil
}

type view struct{}

func (view) Apply(b *pipeline.Batch) error {
	b.Keys.View(&b.Input[0])
	return nil
}

type drop struct{ printer }

func (d drop) Encoder() pipeline.Encoder { return keyEncoder{} }

func (d drop) Write(_ context.Context, c *pipeline.Chunk) error {
	c.SetPending(pipeline.Written)
	return nil
}

// BenchmarkRun is the engine around stages that do next to nothing.
func BenchmarkRun(b *testing.B) {
	for name, limits := range map[string]pipeline.ChunkLimits{
		"direct":  {},
		"chunked": {InFlight: 4, Rows: 500},
	} {
		b.Run(name, func(b *testing.B) {
			source := newFlood()
			source.blocks = b.N
			run := pipeline.Run{
				Source: source, Schema: schema, Sink: drop{}, Chunks: limits,
				Steps: func() []pipeline.Step { return []pipeline.Step{view{}} },
			}
			b.ReportAllocs()
			report, err := run.Do(b.Context())
			if err != nil || report.Rows.Written != int64(b.N)*floodRows {
				b.Fatalf("rows %+v, error %v", report.Rows, err)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*floodRows), "ns/row")
		})
	}
}

func BenchmarkColumnTrim(b *testing.B) {
	from := column("Anna Andersson", " 070-123 45 67 ", "", "Storgatan 5\u00A0")
	var c pipeline.Column
	b.ReportAllocs()
	for b.Loop() {
		c.Trim(from)
	}
}
