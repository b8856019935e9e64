package parquet

import (
	"errors"
	"fmt"
	"sync"
)

// Segment is consecutive rows of a column. It never changes.
type Segment struct {
	First  int64 // number of its first row in the file, from 0
	Text   []byte
	Spans  []Span  // of each row in Text
	Faults []int32 // indexes of rows whose value is invalid for the type, in order
	cost   int64
}

// End returns the number of the row after the last.
func (s *Segment) End() int64 { return s.First + int64(len(s.Spans)) }

// Column is a column of a file. It may be read by several goroutines.
type Column struct {
	Name       string // dotted path
	Unreadable string // the type, if it cannot be read

	file   *File
	leaves []*leaf
	shape  *shape // of a list or map; nil: leaves is one

	mu       sync.Mutex
	group    int           // the row group of pages
	pages    segmentReader // nil: none was opened, or one failed
	next     int64         // the row that pages returns next
	segments []*Segment    // read and still needed, in order, up to next
}

// segmentReader reads a column of one row group.
type segmentReader interface {
	// next returns the next rows, or nil after the last. Rows before skip, counted
	// from where it stands, may be left out; it returns how many were.
	next(skip int64) (s *Segment, skipped int64, err error)
	close()
}

// Range is rows of a file, counted from 0.
type Range struct {
	From, To int64 // the first, and the one after the last; both in one row group
	Keep     int64 // rows before this will not be needed again, unless they are read anew
}

// Read appends to dst the segments that hold the rows of r. If another goroutine is
// reading the column, it waits, or, if wait is false, returns without having read. A
// range before the kept segments is read anew. Every error is an *Error.
func (c *Column) Read(dst []*Segment, r Range, wait bool) (segments []*Segment, done bool, err error) {
	if wait {
		c.mu.Lock()
	} else if !c.mu.TryLock() {
		return dst, false, nil
	}
	defer c.mu.Unlock()
	defer func() {
		if p := recover(); p != nil {
			segments, done, err = dst, true, c.fail(corrupt("its data is malformed: %v", p))
		}
	}()
	if err := c.load(r); err != nil {
		return dst, true, c.fail(err)
	}
	for _, s := range c.segments {
		if s.End() > r.From && s.First < r.To {
			dst = append(dst, s)
		}
	}
	return dst, true, nil
}

// load reads on until it has all rows of r.
func (c *Column) load(r Range) error {
	keep := min(r.Keep, r.From)
	c.drop(keep)
	if c.pages == nil || r.From < c.kept() || c.group < c.file.groupOf(keep) {
		c.reset()
		if err := c.open(c.file.groupOf(keep)); err != nil {
			return err
		}
	}
	for c.next < r.To {
		s, skipped, err := c.pages.next(max(keep-c.next, 0))
		if err != nil {
			return err
		}
		c.next += skipped
		g := &c.file.groups[c.group]
		switch {
		case s == nil && c.next != g.first+g.rows:
			return corrupt("it ends after %d of %d rows", c.next-g.first, g.rows)
		case s == nil:
			if err := c.open(c.group + 1); err != nil {
				return err
			}
		default:
			s.First = c.next
			c.next = s.End()
			c.segments = append(c.segments, s)
		}
	}
	return nil
}

// kept returns the first row that is kept, or comes next.
func (c *Column) kept() int64 {
	if len(c.segments) > 0 {
		return c.segments[0].First
	}
	return c.next
}

// drop releases segments before row.
func (c *Column) drop(row int64) {
	n := 0
	for n < len(c.segments) && c.segments[n].End() <= row {
		c.file.budget.give(c.segments[n].cost)
		n++
	}
	rest := copy(c.segments, c.segments[n:])
	clear(c.segments[rest:])
	c.segments = c.segments[:rest]
}

// reset releases everything.
func (c *Column) reset() {
	for _, s := range c.segments {
		c.file.budget.give(s.cost)
	}
	c.segments = nil
	if c.pages != nil {
		c.pages.close()
		c.pages = nil
	}
}

// open opens the row group with index i.
func (c *Column) open(i int) error {
	if c.pages != nil {
		c.pages.close()
		c.pages = nil
	}
	c.group = i
	if c.Unreadable != "" {
		return &Error{
			Err:  fmt.Errorf("its values are of type %s, which is not read", c.Unreadable),
			Hint: "write the column as text, or leave it out of the mapping",
		}
	}
	g := &c.file.groups[i]
	c.next = g.first
	readers := make([]*chunkReader, len(c.leaves))
	for j, l := range c.leaves {
		r, err := c.file.newChunkReader(g, l)
		if err != nil {
			return err
		}
		readers[j] = r
	}
	if c.shape == nil {
		c.pages = leafReader{readers[0]}
	} else {
		c.pages = newAssembler(c, readers, g.rows)
	}
	return nil
}

// fail releases everything and adds the position to err.
func (c *Column) fail(err error) error {
	c.reset()
	out := Error{Err: err, Hint: hintAgain}
	if own := (*Error)(nil); errors.As(err, &own) {
		out = *own
	}
	out.Group, out.Column = c.group+1, c.Name
	return &out
}

// leafReader reads a leaf that is a column: its pages are segments.
type leafReader struct{ *chunkReader }

func (f leafReader) next(skip int64) (*Segment, int64, error) {
	rest := skip
	p, err := f.chunkReader.next(&rest)
	if p == nil || err != nil {
		return nil, skip - rest, err
	}
	return &Segment{Text: p.text, Spans: p.spans, Faults: p.faults, cost: p.cost}, skip - rest, nil
}
