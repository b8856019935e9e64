package xlsx

import "bytes"

// cut says where whole rows end.
type cut struct {
	end    int   // behind the last whole row
	last   int64 // number of the last whole row
	filled int64 // number of the last row with content; 0: none of them has any
	closed bool  // the rows of the sheet end there
	after  int   // if so: where what follows starts
	bad    error // why what follows end is not a row of a sheet
}

// cut finds the whole rows at the start of data. Nearly always the last end tag of a
// row in it ends them; the other cases are scanned row by row.
func (s *Sheet) cut(data []byte) cut {
	if c, ok := s.cutFast(data); ok {
		return c
	}
	return s.cutByRow(data)
}

// cutFast searches the end of the last row from behind. It gives up where a tag may be
// inside a comment or CDATA, where the last row has no number or no content, and where
// the number of rows in a block is limited.
func (s *Sheet) cutFast(data []byte) (c cut, ok bool) {
	if s.MaxRows > 0 || bytes.Contains(data, []byte("<!")) || bytes.Contains(data, []byte("<?")) {
		return c, false
	}
	rows := data
	if i := bytes.Index(data, s.dataEnd); i >= 0 {
		rows, c.closed = data[:i], true
	}
	i := bytes.LastIndex(rows, s.rowEnd)
	if i < 0 {
		return c, false
	}
	c.end = i + len(s.rowEnd)
	if c.closed && len(bytes.TrimSpace(rows[c.end:])) > 0 {
		return c, false
	}
	start := s.lastRow(rows[:i])
	if start < 0 {
		return c, false
	}
	t := &s.scanner
	t.Reset(Block{Data: rows[start:c.end]})
	if t.row() != tokenOpen || !t.numbered || !t.skipToRowEnd() {
		return c, false
	}
	c.last, c.filled = t.Row, t.Row
	return c, t.lex.pos == len(t.lex.data)
}

// lastRow returns where the last start tag of a row is in data, or -1.
func (s *Sheet) lastRow(data []byte) int {
	for {
		i := bytes.LastIndex(data, s.rowStart)
		if i < 0 {
			return -1
		}
		if next := i + len(s.rowStart); next < len(data) && ends[data[next]] {
			return i
		}
		data = data[:i]
	}
}

// cutByRow finds the end of the last whole row by scanning row after row.
func (s *Sheet) cutByRow(data []byte) (c cut) {
	t := &s.scanner
	t.Reset(Block{Data: data, Row: s.last + 1})
	c.last = s.last
	for rows := 0; s.MaxRows == 0 || rows < s.MaxRows; rows++ {
		switch t.row() {
		case tokenNone:
			return c
		case tokenClose:
			c.closed, c.after = true, t.lex.pos
			return c
		case tokenBad:
			c.bad = t.reason
			return c
		}
		filled := t.skipToRowEnd()
		if t.inRow { // it is not whole, or bad
			c.bad = t.reason
			return c
		}
		c.end, c.last = t.lex.pos, t.Row
		if filled {
			c.filled = t.Row
		}
	}
	return c
}

// skipToRowEnd moves to the end of the row, if it is whole, and reports whether any of
// its cells has content.
func (s *Scanner) skipToRowEnd() bool {
	filled := false
	for s.cell() == tokenOpen {
		filled = filled || s.HasContent()
	}
	return filled
}
