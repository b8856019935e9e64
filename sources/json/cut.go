package json

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"flytt/pipeline"
	"flytt/sources/textscan"
)

// tagLong is the Block.Tag of a line that is too long to be kept. For the elements of
// an array, the tag is the line on which the block starts.
const tagLong = -1

var (
	errArrayOpen   = errors.New("the array is not closed before the end of the file")
	errArrayComma  = errors.New("a comma, or the bracket that closes the array, is expected here")
	errArrayValue  = errors.New("an object is expected here")
	errArrayAfter  = errors.New("something follows the bracket that closes the array")
	errLongElement = errors.New("what starts here is longer than 1 MiB, or is not closed")
	errLineString  = errors.New("a quote is not closed on its line")
	errMismatch    = errors.New("a bracket is closed by one of another kind")
	hintArray      = "fix the array, or write one object per line: then a fault in one does not affect the next"
)

// cutter cuts JSON Lines at line ends and an array between its elements. The rows do
// not depend on the size of the blocks.
type cutter struct {
	in         Input
	size       int    // of a block, at most textscan.MaxRecordBytes
	rows       int    // of a block, at most
	array      bool   // the input is an array, and its opening bracket was read
	line       int64  // physical line that rest starts on
	offset     int64  // bytes of the text before rest
	rest       []byte // read, not handed out; starts with a line, or after an element
	hasElement bool   // the array has had an element
	number     int64  // of the last element that was handed out
	err        error  // what ended the input
}

// next fills b with the next whole rows.
func (c *cutter) next(ctx context.Context, b *pipeline.Block) error {
	if c.err != nil {
		return c.end(b, c.err)
	}
	defer c.in.Interruptible(ctx)()
	data := append(b.Data[:0], c.rest...)
	for want := max(c.size, len(data)); ; want = min(2*want, textscan.MaxRecordBytes+1) {
		var stopped error
		data, stopped = c.in.Fill(ctx, data, want)
		if ctx.Err() != nil {
			return c.end(b, ctx.Err())
		}
		if c.array {
			if cut := c.elements(data); cut.end > 0 || cut.fault != nil || cut.closed {
				return c.emitElements(ctx, b, data, cut)
			}
		} else {
			data = finishLine(data, stopped)
			if n := c.lines(data); n > 0 {
				c.emit(b, data, n)
				return nil
			}
		}
		switch {
		case len(data) > textscan.MaxRecordBytes && !c.array:
			return c.skipLongLine(ctx, b, data)
		case len(data) > textscan.MaxRecordBytes:
			return c.end(b, c.tooLong(data))
		case stopped == io.EOF && c.array:
			return c.end(b, fail(c.line+textscan.LineEnds(data, '\n'), errArrayOpen, hintArray))
		case stopped == io.EOF:
			return c.end(b, io.EOF)
		case stopped != nil:
			return c.end(b, stopped)
		}
	}
}

// finishLine appends the line end that the last line of an input may lack.
func finishLine(data []byte, stopped error) []byte {
	if n := len(data); stopped == io.EOF && n > 0 && n <= textscan.MaxRecordBytes && data[n-1] != '\n' {
		return append(data, '\n')
	}
	return data
}

// lines returns where the lines end that can be handed out now.
func (c *cutter) lines(data []byte) int {
	n := bytes.LastIndexByte(data, '\n') + 1
	if textscan.LineEnds(data[:n], '\n') <= int64(c.rows) {
		return n
	}
	n = 0
	for range c.rows {
		n += bytes.IndexByte(data[n:], '\n') + 1
	}
	return n
}

// emit hands out the first n bytes of data in b and keeps the others.
func (c *cutter) emit(b *pipeline.Block, data []byte, n int) {
	c.rest = append(c.rest[:0], data[n:]...)
	b.Data, b.Row, b.End, b.Tag = data[:n], c.line, c.in.End(), 0
	c.line += textscan.LineEnds(b.Data, '\n')
	c.offset += int64(n)
}

// skipLongLine skips the line that data starts with, and hands out an empty block with
// tagLong in its place.
func (c *cutter) skipLongLine(ctx context.Context, b *pipeline.Block, data []byte) error {
	end := -1
	for end < 0 {
		var stopped error
		c.offset += int64(len(data))
		data, stopped = c.in.Fill(ctx, data[:0], c.size)
		if ctx.Err() != nil {
			return c.end(b, ctx.Err())
		}
		end = bytes.IndexByte(data, '\n')
		if end < 0 && stopped == io.EOF {
			end = len(data) - 1
			break
		}
		if end < 0 && stopped != nil {
			return c.end(b, stopped)
		}
	}
	c.rest = append(c.rest[:0], data[end+1:]...)
	b.Data, b.Row, b.End, b.Tag = data[:0], c.line, c.in.End(), tagLong
	c.line++
	c.offset += int64(end) + 1
	return nil
}

// elementCut is the whole elements found in an array.
type elementCut struct {
	end    int   // after the last whole element
	first  int64 // the first element's number
	last   int64 // the last element's number
	closed bool  // the array ends there, at the position at
	at     int   // position of the closing bracket, or of the fault
	fault  error
}

// elements finds the whole elements in data, which starts after an element.
func (c *cutter) elements(data []byte) (cut elementCut) {
	line, counted, begun := c.line, 0, c.hasElement
	cut.last = c.number
	for rows := 0; rows < c.rows; rows++ {
		i := SkipSpace(data, cut.end)
		if i == len(data) {
			return cut
		}
		if data[i] == ']' {
			cut.closed, cut.at = true, i
			return cut
		}
		if begun {
			if data[i] != ',' {
				cut.fault, cut.at = errArrayComma, i
				return cut
			}
			if i = SkipSpace(data, i+1); i == len(data) {
				return cut
			}
		}
		end, f := elementEnd(data, i)
		if f.err != nil {
			cut.fault, cut.at = f.err, f.at
			return cut
		}
		if end < 0 {
			return cut
		}
		line += textscan.LineEnds(data[counted:i], '\n')
		counted, begun = i, true
		cut.end, cut.last = end, max(cut.last+1, line)
		if rows == 0 {
			cut.first = cut.last
		}
	}
	return cut
}

// emitElements hands out the elements of cut. If there are any, what follows them (a
// fault or the end of the array) is handled by the next call.
func (c *cutter) emitElements(ctx context.Context, b *pipeline.Block, data []byte, cut elementCut) error {
	switch {
	case cut.end > 0:
		line := c.line
		c.emit(b, data, cut.end)
		b.Row, b.Tag = cut.first, line
		c.hasElement, c.number = true, cut.last
		return nil
	case cut.fault != nil:
		return c.end(b, c.broken(data, cut.at, cut.fault))
	}
	return c.end(b, c.checkAfterArray(ctx, data, cut.at+1))
}

// checkAfterArray returns io.EOF if only white space follows the array, which ends at
// data[i].
func (c *cutter) checkAfterArray(ctx context.Context, data []byte, i int) error {
	for {
		if i = SkipSpace(data, i); i < len(data) {
			return c.broken(data, i, errArrayAfter)
		}
		c.line += textscan.LineEnds(data, '\n')
		c.offset += int64(len(data))
		var stopped error
		data, stopped = c.in.Fill(ctx, data[:0], c.size)
		i = 0
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case len(data) > 0:
		case stopped == io.EOF:
			return io.EOF
		case stopped != nil:
			return stopped
		}
	}
}

// broken returns err with the position i of data.
func (c *cutter) broken(data []byte, i int, err error) error {
	return fail(c.line+textscan.LineEnds(data[:i], '\n'), fmt.Errorf("byte %d: %w", c.offset+int64(i), err), hintArray)
}

// tooLong returns the error that the element at the start of data, after separators, is
// too long.
func (c *cutter) tooLong(data []byte) error {
	i := elementStart(data, 0)
	return c.broken(data, i, errLongElement)
}

// end empties b and makes next return err from now on.
func (c *cutter) end(b *pipeline.Block, err error) error {
	c.err = err
	b.Data, b.Row, b.End, b.Tag = b.Data[:0], c.line, c.in.End(), 0
	return err
}

// elementStart returns where the next element starts from i on, which may be the end of
// data. The commas were checked before.
func elementStart(data []byte, i int) int {
	if i = SkipSpace(data, i); i < len(data) && data[i] == ',' {
		i = SkipSpace(data, i+1)
	}
	return i
}

// elementFault is why the end of an element cannot be found.
type elementFault struct {
	at  int
	err error
}

// elementEnd returns where the value ends that starts at data[i], valid or not.
// Brackets and quotes show that; a value without them ends before a separator. It
// returns -1 if the end is beyond data, or cannot be found.
func elementEnd(data []byte, i int) (int, elementFault) {
	switch data[i] {
	case '{', '[':
		return nestedEnd(data, i)
	case '"':
		return quotedEnd(data, i)
	case ',', '}', ']', ':':
		return -1, elementFault{i, errArrayValue}
	}
	if data[i] <= ' ' {
		return -1, elementFault{i, errArrayValue}
	}
	for ; i < len(data); i++ {
		if stops[data[i]] || data[i] <= ' ' {
			return i, elementFault{}
		}
	}
	return -1, elementFault{}
}

// stops are the bytes that separate values, and quotes.
var stops = [256]bool{'"': true, '{': true, '[': true, '}': true, ']': true, ',': true}

// nestedEnd returns where the object or array ends that starts at data[i].
func nestedEnd(data []byte, i int) (int, elementFault) {
	var objects uint64 // a bit for each bracket that is open, the innermost last: 1 for an object
	depth, deepest := 0, 0
	for ; i < len(data); i++ {
		switch b := data[i]; b {
		case '"':
			end, f := quotedEnd(data, i)
			if end < 0 {
				return end, f
			}
			i = end - 1
		case '{', '[':
			objects = objects<<1 | uint64(b>>5&1)
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			if deepest <= 64 && objects&1 != uint64(b>>5&1) {
				return -1, elementFault{i, errMismatch}
			}
			objects >>= 1
			if depth--; depth == 0 {
				return i + 1, elementFault{}
			}
		}
	}
	return -1, elementFault{}
}

// quotedEnd returns where the string ends that starts at data[i]. A JSON string never
// has a line end: if one does, its closing quote is missing, and the text after it
// would be misread.
func quotedEnd(data []byte, i int) (int, elementFault) {
	start := i
	for i++; ; i++ {
		i = stringStop(data, i)
		switch {
		case i == len(data):
			return -1, elementFault{}
		case data[i] == '"':
			return i + 1, elementFault{}
		case data[i] == '\\' && i+1 == len(data):
			return -1, elementFault{}
		case data[i] == '\\' && data[i+1] != '\n':
			i++
		case data[i] == '\n':
			return -1, elementFault{start, errLineString}
		}
	}
}
