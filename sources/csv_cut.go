package sources

import (
	"bytes"
	"context"
	"errors"
	"io"

	"flytt/pipeline"
	"flytt/sources/textscan"
)

const (
	defaultBlockSize = 256 << 10
	decideSize       = 64 << 10 // what decides the encoding where the sample was all ASCII
	ctrlZ            = 0x1A     // the end of a text file, once
)

// The ways one record can take too much.
var (
	errOpenLines  = errors.New("quote opened here is not closed within 1,000 lines")
	errOpenBytes  = errors.New("quote opened here is not closed within the 1 MiB a record may take")
	errOpenEnd    = errors.New("quote opened here is not closed before the end of the file")
	errLongLines  = errors.New("record is longer than 1,000 lines")
	hintOpenQuote = `close the quote, or write a quote that is data as "" in a quoted cell`
	hintLong      = "look for a quote that is not closed, or name the delimiter with -d"
)

// What Block.Note says of the block's encoding.
const (
	noteUTF8  = iota // or ASCII
	noteTable        // that of the table
	noteRaw          // not asked: the bytes are taken as they are
)

// cutter cuts a text into blocks of whole records. What it hands out does not
// depend on the size of the blocks, only where one ends does.
type cutter struct {
	in        *input
	grammar   grammar
	size      int    // of a block, at most textscan.MaxRecordBytes
	line      int64  // physical line that rest starts on
	rest      []byte // read, not handed out; starts with a record
	note      int64  // what Block.Note says
	undecided bool   // the encoding may still be UTF-8 or Windows-1252: ASCII so far
	err       error  // what ended the input
}

// next fills b with the next whole records.
func (c *cutter) next(ctx context.Context, b *pipeline.Block) error {
	if c.err != nil {
		return c.end(b, c.err)
	}
	defer c.in.interruptible(ctx)()
	data := append(b.Data[:0], c.rest...)
	for want := max(c.size, len(data)); ; want = min(2*want, textscan.MaxRecordBytes+1) {
		var stopped error
		data, stopped = c.in.fill(ctx, data, want)
		if ctx.Err() != nil {
			return c.end(b, ctx.Err())
		}
		body := len(data)
		if stopped == io.EOF {
			data, body = c.grammar.finish(data)
		}
		s := c.grammar.scan(data)
		n, err := c.decide(data, s.end)
		if n > 0 {
			c.hand(b, data, n, max(n, body))
			return nil
		}
		if err == nil {
			err = c.fault(data[:body], s, stopped)
		}
		if err != nil {
			return c.end(b, err)
		}
	}
}

// finish makes data, the end of an input, look like the end of any other
// record. It returns the data and how much of it is the input's own.
func (g grammar) finish(data []byte) ([]byte, int) {
	data = bytes.TrimRight(data, string(rune(ctrlZ)))
	body := len(data)
	if body > 0 && data[body-1] != g.eol {
		data = append(data, g.eol)
	}
	return data, body
}

// decide settles the encoding at the first byte that is not ASCII. It returns
// how many of the first n bytes, whole records, can be handed out now: the
// records before that byte's go first, so that they stand whatever comes of
// it.
func (c *cutter) decide(data []byte, n int) (int, error) {
	if !c.undecided {
		return n, nil
	}
	i := textscan.ASCIILen(data[:n])
	if i == n {
		return n, nil
	}
	if before := c.grammar.scan(data[:i]).end; before > 0 {
		return before, nil
	}
	window := append([]byte(nil), data[i:min(len(data), i+decideSize)]...)
	if len(window) < decideSize {
		window = append(window, c.in.peek(decideSize-len(window))...)
	}
	e := examine(window, len(window) == decideSize)
	if e.invalid >= 0 {
		line := c.line + textscan.LineEnds(data[:i], c.grammar.eol) + textscan.LineEnds(window[:e.invalid], c.grammar.eol)
		if err := c.in.distrust(e, line); err != nil {
			return 0, err
		}
		c.note = noteTable
	}
	c.undecided = false
	return n, nil
}

// hand gives the first n bytes of data out and keeps those up to body.
func (c *cutter) hand(b *pipeline.Block, data []byte, n, body int) {
	c.rest = append(c.rest[:0], data[n:body]...)
	b.Data, b.Row, b.End, b.Tag = data[:n], c.line, c.in.End(), c.note
	c.line += textscan.LineEnds(b.Data, c.grammar.eol)
}

// fault says why data, which holds no whole record, will not hold one however
// much more is read; nil if it may. stopped is why no more could be read.
func (c *cutter) fault(data []byte, s stretch, stopped error) error {
	switch {
	case s.long && textscan.LineEnds(data[:s.open], c.grammar.eol) > 0:
		return c.in.fail(c.line, errLongLines, hintLong)
	case s.long:
		return c.in.fail(c.line, errOpenLines, hintOpenQuote)
	case len(data) > textscan.MaxRecordBytes && s.open >= 0:
		return c.in.fail(c.line+textscan.LineEnds(data[:s.open], c.grammar.eol), errOpenBytes, hintOpenQuote)
	case len(data) > textscan.MaxRecordBytes:
		return c.in.fail(c.line, textscan.ErrLongRecord, hintLong)
	case stopped == io.EOF && len(data) == 0:
		return io.EOF
	case stopped == io.EOF:
		return c.in.fail(c.line+textscan.LineEnds(data[:s.open], c.grammar.eol), errOpenEnd, hintOpenQuote)
	case stopped != nil:
		return c.in.readError(stopped)
	}
	return nil
}

// end empties b and makes err the last word.
func (c *cutter) end(b *pipeline.Block, err error) error {
	c.err = err
	b.Data, b.Row, b.End, b.Tag = b.Data[:0], c.line, c.in.End(), c.note
	return err
}
