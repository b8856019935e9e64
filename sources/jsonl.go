package sources

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"flytt/pipeline"
	"flytt/sources/json"
)

// jsonSource is JSON Lines or an array of objects.
type jsonSource struct {
	in   *input
	rows *json.Rows
}

// openJSON opens JSON Lines or an array, whatever the name of the file says.
func openJSON(in *input, o *Options) (pipeline.Source, *Info, error) {
	t, err := openJSONText(in, o)
	if err != nil {
		return nil, nil, err
	}
	rows, err := json.Open(jsonInput{in}, json.Options{Sample: t.sample, Whole: t.whole, BlockSize: o.blockSize()})
	if err != nil {
		return nil, nil, in.jsonError(err)
	}
	return &jsonSource{in, rows}, &Info{Encoding: t.encoding, Evidence: t.evidence, LineEnd: t.lineEnd}, nil
}

// openJSONText reads the start of in and skips a byte order mark. From there on the
// text is UTF-8, or its rows are rejected.
func openJSONText(in *input, o *Options) (*textInput, error) {
	asked, err := encodingName(o.Encoding)
	if err == nil && asked != "" && newTable(asked, true) != nil {
		err = fmt.Errorf("JSON is never written in %s", asked)
	}
	if err != nil {
		return nil, in.usageError(err, "leave the encoding out: JSON is UTF-8, or UTF-16 with a byte order mark")
	}
	t := &textInput{encoding: asked, evidence: "as asked"}
	if err := t.mark(in, asked); err != nil {
		return nil, err
	}
	if t.encoding == "" {
		t.encoding, t.evidence = utf8Enc, "JSON is"
	}
	t.sample = in.peek(sampleSize)
	t.whole = in.whole() && len(in.head) == len(t.sample)
	if len(t.sample) == 0 {
		return nil, in.empty()
	}
	t.lines()
	return t, nil
}

// Columns implements pipeline.Source.
func (s *jsonSource) Columns() []string { return s.rows.Columns() }

// Next implements pipeline.Source.
func (s *jsonSource) Next(ctx context.Context, b *pipeline.Block) error {
	return s.in.jsonError(s.rows.Next(ctx, b))
}

// Decoder implements pipeline.Source.
func (s *jsonSource) Decoder() pipeline.Decoder { return s.rows.Decoder() }

// Close implements pipeline.Source.
func (s *jsonSource) Close() error { return s.in.Close() }

// jsonError says which input err is of, if it is one of JSON.
func (in *input) jsonError(err error) error {
	var e *json.Error
	if errors.As(err, &e) {
		return in.contentError(e.Line, e.Err, e.Hint)
	}
	return err
}

// jsonInput is an input in the form that package json reads.
type jsonInput struct{ in *input }

// Fill implements json.Input. Its errors are those of Next.
func (j jsonInput) Fill(ctx context.Context, data []byte, want int) ([]byte, error) {
	data, err := j.in.fill(ctx, data, want)
	if err != nil && err != io.EOF && ctx.Err() == nil {
		err = j.in.readError(err)
	}
	return data, err
}

// Skip implements json.Input.
func (j jsonInput) Skip(n int) { j.in.skip(n) }

// End implements json.Input.
func (j jsonInput) End() int64 { return j.in.End() }

// Interruptible implements json.Input.
func (j jsonInput) Interruptible(ctx context.Context) func() bool { return j.in.interruptible(ctx) }

// startsJSON reports whether head is the start of an object with a member, or of an
// array of objects. No table starts like that.
func startsJSON(head []byte) string {
	text := jsonStart(head)
	if len(text) == 0 || text[0] != '{' && text[0] != '[' {
		return ""
	}
	next := text[1:]
	if next = next[json.SkipSpace(next, 0):]; len(next) > 0 && (text[0] == '{' && (next[0] == '"' || next[0] == '}') ||
		text[0] == '[' && (next[0] == '{' || next[0] == ']')) {
		return "JSON"
	}
	return ""
}

// holdsJSON reports whether a line of head may be an object, or all of it an array:
// then a file with the extension of JSON is JSON, whatever its first line looks like.
func holdsJSON(head []byte) bool {
	text := jsonStart(head)
	if len(text) > 0 && text[0] == '[' {
		return true
	}
	for line := range bytes.Lines(text) {
		if i := json.SkipSpace(line, 0); i < len(line) && line[i] == '{' {
			return true
		}
	}
	return false
}

// jsonStart returns the first characters of head, without byte order mark and
// white space, as ASCII has them in UTF-16 as well.
func jsonStart(head []byte) []byte {
	if hasUTF16BOM(head) || utf16Order(head) != "" {
		head = bytes.ReplaceAll(head, []byte{0}, nil)
		head = bytes.TrimPrefix(bytes.TrimPrefix(head, []byte(bomUTF16LE)), []byte(bomUTF16BE))
	}
	head = bytes.TrimPrefix(head, []byte(bomUTF8))
	return head[json.SkipSpace(head, 0):]
}
