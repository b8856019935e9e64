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
	decideSize       = 64 << 10 // decides the encoding if the sample was all ASCII
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

// The values of Block.Tag: the encoding of the block.
const (
	tagUTF8  = iota // or ASCII
	tagTable        // that of the table
	tagRaw          // unknown: the bytes are read as they are
)

// cutter cuts a text into blocks of whole records. The records do not depend on the
// size of the blocks.
type cutter struct {
	in        *input
	grammar   grammar
	size      int    // of a block, at most textscan.MaxRecordBytes
	line      int64  // physical line that rest starts on
	rest      []byte // read, not handed out; starts with a record
	tag       int64  // Block.Tag of the next block
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
			data, body = c.grammar.terminate(data)
		}
		s := c.grammar.scan(data)
		n, err := c.decideEncoding(data, s.end)
		if n > 0 {
			c.emit(b, data, n, max(n, body))
			return nil
		}
		if err == nil {
			err = c.recordError(data[:body], s, stopped)
		}
		if err != nil {
			return c.end(b, err)
		}
	}
}

// terminate appends the line end that the last record of an input may lack. It returns
// the data and how many bytes of it are from the input.
func (g grammar) terminate(data []byte) ([]byte, int) {
	data = bytes.TrimRight(data, string(rune(ctrlZ)))
	body := len(data)
	if body > 0 && data[body-1] != g.eol {
		data = append(data, g.eol)
	}
	return data, body
}

// decideEncoding decides the encoding at the first byte that is not ASCII. It returns
// how many of the first n bytes, which are whole records, can be handed out now: the
// records before the one with that byte go first, so that they count even if the
// encoding turns out to be an error.
func (c *cutter) decideEncoding(data []byte, n int) (int, error) {
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
		if err := c.in.checkWindows1252(e, line); err != nil {
			return 0, err
		}
		c.tag = tagTable
	}
	c.undecided = false
	return n, nil
}

// emit hands out the first n bytes of data in b and keeps the bytes up to body for the
// next block.
func (c *cutter) emit(b *pipeline.Block, data []byte, n, body int) {
	c.rest = append(c.rest[:0], data[n:body]...)
	b.Data, b.Row, b.End, b.Tag = data[:n], c.line, c.in.End(), c.tag
	c.line += textscan.LineEnds(b.Data, c.grammar.eol)
}

// recordError returns the error of data, which holds no whole record, if reading more
// cannot complete one; nil if it can. stopped is the error that ended the reading.
func (c *cutter) recordError(data []byte, s scanResult, stopped error) error {
	switch {
	case s.long && textscan.LineEnds(data[:s.open], c.grammar.eol) > 0:
		return c.in.contentError(c.line, errLongLines, hintLong)
	case s.long:
		return c.in.contentError(c.line, errOpenLines, hintOpenQuote)
	case len(data) > textscan.MaxRecordBytes && s.open >= 0:
		return c.in.contentError(c.line+textscan.LineEnds(data[:s.open], c.grammar.eol), errOpenBytes, hintOpenQuote)
	case len(data) > textscan.MaxRecordBytes:
		return c.in.contentError(c.line, textscan.ErrLongRecord, hintLong)
	case stopped == io.EOF && len(data) == 0:
		return io.EOF
	case stopped == io.EOF:
		return c.in.contentError(c.line+textscan.LineEnds(data[:s.open], c.grammar.eol), errOpenEnd, hintOpenQuote)
	case stopped != nil:
		return c.in.readError(stopped)
	}
	return nil
}

// end empties b and makes next return err from now on.
func (c *cutter) end(b *pipeline.Block, err error) error {
	c.err = err
	b.Data, b.Row, b.End, b.Tag = b.Data[:0], c.line, c.in.End(), c.tag
	return err
}
