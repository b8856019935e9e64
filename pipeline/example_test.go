package pipeline_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"flytt/pipeline"
)

// names is a source: a list of names in memory, cut into blocks of two.
type names []string

func (n *names) Columns() []string { return []string{"name"} }

func (n *names) Next(_ context.Context, b *pipeline.Block) error {
	if len(*n) == 0 {
		return io.EOF
	}
	rows := min(2, len(*n))
	b.Row += 2
	b.Data = append(b.Data[:0], strings.Join((*n)[:rows], "\n")...)
	*n = (*n)[rows:]
	return nil
}

func (n *names) Decoder() pipeline.Decoder { return splitter{} }

func (n *names) Close() error { return nil }

// splitter decodes a block of lines.
type splitter struct{}

func (splitter) Decode(block *pipeline.Block, b *pipeline.Batch) error {
	for line := range bytes.SplitSeq(block.Data, []byte("\n")) {
		b.AddRow(block.Row)
		b.Input[0].Append(line)
	}
	return nil
}

// greet is a step: it makes a field of the column and rejects rows without one.
type greet struct{}

func (greet) Apply(b *pipeline.Batch) error {
	field := &b.SizeFields(1)[0]
	field.Reset()
	for i := range b.Len() {
		name := b.Input[0].Value(i)
		if len(name) == 0 {
			b.Note(pipeline.Problem{Row: int32(i), Stage: pipeline.Validate, Code: "required"})
		}
		field.Grow(func(text []byte) ([]byte, bool) { return fmt.Appendf(text, "hello, %s", name), true })
	}
	return nil
}

// printer is a sink: it writes a line for each row.
type printer struct{ w io.Writer }

func (p printer) Encoder() pipeline.Encoder { return p }

func (p printer) Encode(b *pipeline.Batch, e *pipeline.Encoded) error {
	for i, fate := range b.Fates {
		if fate == pipeline.Pending {
			e.Data = append(append(e.Data, b.Fields[0].Value(i)...), '\n')
		}
		e.EndRow()
	}
	return nil
}

func (p printer) Write(_ context.Context, c *pipeline.Chunk) error {
	if _, err := p.w.Write(c.Data); err != nil {
		return err
	}
	c.SetPending(pipeline.Written)
	return nil
}

func (p printer) Commit(context.Context) error { return nil }

func (p printer) Abort() (undone bool, err error) { return false, nil }

// A source, a step and a sink of one's own, in one run.
func ExampleRun() {
	run := pipeline.Run{
		Source: &names{"Anna", "Bo", "", "Cecilia", "David"},
		Schema: &pipeline.Schema{Fields: []pipeline.Field{{Name: "greeting"}}},
		Steps:  func() []pipeline.Step { return []pipeline.Step{greet{}} },
		Sink:   printer{os.Stdout},
	}
	report, err := run.Do(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Rows.Read, "read,", report.Rows.Written, "written")
	for _, r := range report.Rejects {
		fmt.Println(r.Count, "rejected:", r.Field, r.Code)
	}
	// Output:
	// hello, Anna
	// hello, Bo
	// hello, Cecilia
	// hello, David
	// 5 read, 4 written
	// 1 rejected: greeting required
}
