package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/parquet-go/parquet-go/format"
)

const (
	maxPage         = 256 << 20 // bytes, decompressed
	maxPageValues   = 1 << 24
	maxHeader       = 8 << 20 // of a page; statistics may hold whole values
	maxHeaderMemory = 1 << 20 // of its lists, which are short
	entryCost       = 16      // bytes that an entry of a page takes: its span, its levels, its index in a dictionary

	// plainDictionary is the old name of the encoding of dictionaries, and of pages
	// that refer to them.
	plainDictionary format.Encoding = 2
)

// page is the entries of a data page: one for each value and each null.
type page struct {
	values
	def, rep []byte // levels; nil: all at the maximum, or no repetition
	cost     int64  // bytes it took from the budget
}

func (p *page) entries() int { return len(p.spans) }

// chunkReader reads the pages of a leaf in a row group, starting with the first.
type chunkReader struct {
	file *File
	leaf *leaf
	chunk
	at, end int64 // the part of the file that is left
	left    int64 // entries left
	dict    *values
	cost    int64 // of dict
	buf     []byte
}

// newChunkReader returns a reader of leaf in g. It is an error if what the footer says
// about it is impossible.
func (f *File) newChunkReader(g *group, l *leaf) (*chunkReader, error) {
	c := &g.chunks[l.index]
	switch {
	case c.encrypted:
		return nil, &Error{Err: errors.New("it is encrypted"), Hint: hintCSV}
	case c.external:
		return nil, &Error{Err: errors.New("it lies in another file"), Hint: "write all columns into one file"}
	case c.physical != l.physical:
		return nil, corrupt("stored as %s, where the schema says %s", c.physical, l.physical)
	case c.start < int64(len(magic)) || c.size < 0 || c.start > f.data || c.size > f.data-c.start:
		return nil, corrupt("%d bytes at %d, which lie outside of the file's data", c.size, c.start)
	case c.values < g.rows || l.maxRep == 0 && c.values != g.rows:
		return nil, corrupt("%d values for %d rows", c.values, g.rows)
	}
	if err := checkCodec(c.codec); err != nil {
		return nil, err
	}
	return &chunkReader{file: f, leaf: l, chunk: *c, at: c.start, end: c.start + c.size, left: c.values}, nil
}

// close returns the memory of the dictionary to the budget.
func (r *chunkReader) close() {
	r.file.budget.give(r.cost)
	r.cost, r.dict = 0, nil
}

// next returns the next data page, or nil after the last. Pages whose entries are all
// before skip are skipped, and skip decreases by their number; that is for leaves that
// do not repeat, where an entry is a row.
func (r *chunkReader) next(skip *int64) (*page, error) {
	for r.left > 0 {
		h, err := r.header()
		if err != nil {
			return nil, err
		}
		n, data := dataEntries(h)
		switch {
		case !data && h.Type != format.DictionaryPage:
			r.at += int64(h.CompressedPageSize)
			continue
		case !data:
			if err := r.dictionary(h); err != nil {
				return nil, err
			}
			continue
		case n < 0 || int64(n) > r.left || n > maxPageValues:
			return nil, corrupt("a page claims %d values, where %d are left", n, r.left)
		}
		r.left -= int64(n)
		if skip != nil && int64(n) <= *skip {
			*skip -= int64(n)
			r.at += int64(h.CompressedPageSize)
			continue
		}
		if n == 0 {
			r.at += int64(h.CompressedPageSize)
			continue
		}
		return r.data(h, int(n))
	}
	return nil, nil
}

// dataEntries returns how many entries a data page has, and whether it is one.
func dataEntries(h *format.PageHeader) (int32, bool) {
	switch h.Type {
	case format.DataPage:
		return h.DataPageHeader.V.NumValues, true
	case format.DataPageV2:
		return h.DataPageHeaderV2.V.NumValues, true
	}
	return 0, false
}

// header reads the header at r.at and moves past it.
func (r *chunkReader) header() (*format.PageHeader, error) {
	for size := int64(1 << 10); ; size *= 64 {
		size = min(size, maxHeader, r.end-r.at)
		b := r.buffer(int(size))
		if err := readAt(r.file.r, b, r.at); err != nil {
			return nil, err
		}
		h := new(format.PageHeader)
		n, err := unmarshal(b, h, maxHeaderMemory)
		if errors.Is(err, errThriftShort) && size < min(maxHeader, r.end-r.at) {
			continue
		}
		if err != nil {
			return nil, corrupt("the header of a page: %w", err)
		}
		r.at += int64(n)
		return h, r.checkHeader(h)
	}
}

// checkHeader returns an error if a page cannot be as its header says.
func (r *chunkReader) checkHeader(h *format.PageHeader) error {
	from, to := h.CompressedPageSize, h.UncompressedPageSize
	switch {
	case from < 0 || to < 0:
		return corrupt("a page of %d bytes claims to hold %d", from, to)
	case int64(from) > r.end-r.at:
		return corrupt("a page claims %d bytes, where %d are left", from, r.end-r.at)
	case to > maxPage:
		return &Error{Err: fmt.Errorf("a page holds %d MiB, more than %d", to>>20, maxPage>>20), Hint: hintSmaller}
	case h.Type == format.DataPage && !h.DataPageHeader.Valid,
		h.Type == format.DataPageV2 && !h.DataPageHeaderV2.Valid,
		h.Type == format.DictionaryPage && !h.DictionaryPageHeader.Valid:
		return corrupt("a page whose header says nothing of its values")
	}
	return checkRatio(r.codec, int(from), int(to))
}

// buffer returns a buffer of n bytes, which the next call may return again.
func (r *chunkReader) buffer(n int) []byte {
	if cap(r.buf) < n {
		r.buf = make([]byte, n)
	}
	return r.buf[:n]
}

// stored reads the page after header h and checks its checksum, if it has one.
func (r *chunkReader) stored(h *format.PageHeader) ([]byte, error) {
	b := r.buffer(int(h.CompressedPageSize))
	if err := readAt(r.file.r, b, r.at); err != nil {
		return nil, err
	}
	r.at += int64(len(b))
	if h.CRC != 0 && crc32.ChecksumIEEE(b) != uint32(h.CRC) {
		return nil, corrupt("a page is damaged: its checksum is wrong")
	}
	return b, nil
}

// dictionary reads the dictionary after header h, unless there is one already.
func (r *chunkReader) dictionary(h *format.PageHeader) error {
	d := &h.DictionaryPageHeader.V
	switch {
	case r.dict != nil:
		return corrupt("a second dictionary")
	case d.NumValues < 0 || d.NumValues > maxPageValues:
		return corrupt("a dictionary claims %d values", d.NumValues)
	case d.Encoding != format.Plain && d.Encoding != plainDictionary:
		return corrupt("a dictionary: %w", errEncoding(d.Encoding))
	}
	cost := int64(h.UncompressedPageSize) + entryCost*int64(d.NumValues)
	if err := r.file.budget.take(cost); err != nil {
		return err
	}
	r.cost = cost
	b, err := r.stored(h)
	if err != nil {
		return err
	}
	text := make([]byte, h.UncompressedPageSize)
	if err := r.file.decompress(r.codec, text, b); err != nil {
		return err
	}
	v, err := r.leaf.decode(format.Plain, text, int(d.NumValues))
	if err != nil {
		return corrupt("a dictionary: %w", err)
	}
	r.dict = &v
	return nil
}

// data reads the data page after header h, which has n entries.
func (r *chunkReader) data(h *format.PageHeader, n int) (*page, error) {
	p := &page{cost: int64(h.UncompressedPageSize) + entryCost*int64(n)}
	if err := r.file.budget.take(p.cost); err != nil {
		return nil, err
	}
	body, enc, err := r.levels(p, h, n)
	if err == nil {
		err = r.decode(p, enc, body, n)
	}
	if err != nil {
		r.file.budget.give(p.cost)
		var own *Error
		if !errors.As(err, &own) {
			err = corrupt("%w", err)
		}
		return nil, err
	}
	return p, nil
}

// levels decompresses a data page, decodes its levels into p, and returns its
// values and how they are encoded.
func (r *chunkReader) levels(p *page, h *format.PageHeader, n int) ([]byte, format.Encoding, error) {
	b, err := r.stored(h)
	if err != nil {
		return nil, 0, err
	}
	if h.Type == format.DataPageV2 {
		return r.levelsV2(p, h, b, n)
	}
	text := make([]byte, h.UncompressedPageSize)
	if err := r.file.decompress(r.codec, text, b); err != nil {
		return nil, 0, err
	}
	d := &h.DataPageHeader.V
	if p.rep, text, err = levelsV1(d.RepetitionLevelEncoding, text, r.leaf.maxRep, n); err != nil {
		return nil, 0, err
	}
	p.def, text, err = levelsV1(d.DefinitionLevelEncoding, text, r.leaf.maxDef, n)
	return text, d.Encoding, err
}

// levelsV1 decodes the n levels at the start of b and returns the rest of b.
func levelsV1(enc format.Encoding, b []byte, most byte, n int) (levels, rest []byte, err error) {
	switch {
	case most == 0:
		return nil, b, nil
	case enc == format.BitPacked:
		levels = make([]byte, n)
		used, err := legacyLevels(levels, b, widthOf(most))
		return levels, b[used:], errors.Join(err, checkLevels(levels, most))
	case enc != format.RLE:
		return nil, nil, errEncoding(enc)
	case len(b) < 4:
		return nil, nil, errShort
	}
	size := int(b[0]) | int(b[1])<<8 | int(b[2])<<16 | int(b[3])<<24
	if size > len(b)-4 {
		return nil, nil, errShort
	}
	levels, err = runLevels(b[4:4+size], most, n)
	return levels, b[4+size:], err
}

// levelsV2 is levels for pages of version 2, whose levels come before the values and
// are never compressed.
func (r *chunkReader) levelsV2(p *page, h *format.PageHeader, b []byte, n int) ([]byte, format.Encoding, error) {
	d := &h.DataPageHeaderV2.V
	reps, defs := int64(d.RepetitionLevelsByteLength), int64(d.DefinitionLevelsByteLength)
	if reps < 0 || defs < 0 || reps+defs > int64(len(b)) || reps+defs > int64(h.UncompressedPageSize) {
		return nil, 0, errShort
	}
	var err error
	if r.leaf.maxRep > 0 {
		if p.rep, err = runLevels(b[:reps], r.leaf.maxRep, n); err != nil {
			return nil, 0, err
		}
	}
	if r.leaf.maxDef > 0 {
		if p.def, err = runLevels(b[reps:reps+defs], r.leaf.maxDef, n); err != nil {
			return nil, 0, err
		}
	}
	codec := r.codec
	if d.IsCompressed.Valid && !d.IsCompressed.V {
		codec = format.Uncompressed
	}
	text := make([]byte, int64(h.UncompressedPageSize)-reps-defs)
	return text, d.Encoding, r.file.decompress(codec, text, b[reps+defs:])
}

func runLevels(b []byte, most byte, n int) ([]byte, error) {
	levels := make([]byte, n)
	if err := hybrid(levels, b, widthOf(most)); err != nil {
		return nil, err
	}
	return levels, checkLevels(levels, most)
}

func checkLevels(levels []byte, most byte) error {
	for _, l := range levels {
		if l > most {
			return errPacked
		}
	}
	return nil
}

// decode decodes the values of p, and inserts the nulls.
func (r *chunkReader) decode(p *page, enc format.Encoding, b []byte, n int) error {
	count := n
	if p.def != nil {
		count = bytes.Count(p.def, []byte{r.leaf.maxDef})
	}
	var err error
	switch {
	case count == 0:
		p.spans = make([]Span, 0, n)
	case enc == plainDictionary || enc == format.RLEDictionary:
		p.values, err = r.dict.pick(b, count)
	default:
		p.values, err = r.leaf.decode(enc, b, count)
	}
	if err != nil || count == n {
		return err
	}
	p.insertNulls(r.leaf.maxDef, n)
	return nil
}

// pick looks up the n indexes in b.
func (v *values) pick(b []byte, n int) (values, error) {
	if v == nil {
		return values{}, errors.New("there is no dictionary")
	}
	if len(b) == 0 || b[0] > 32 {
		return values{}, errPacked
	}
	index := make([]uint32, n)
	if err := hybrid(index, b[1:], int(b[0])); err != nil {
		return values{}, err
	}
	out := values{text: v.text, spans: make([]Span, n)}
	for i, at := range index {
		if int(at) >= len(v.spans) {
			return values{}, errors.New("a value that is not in the dictionary")
		}
		out.spans[i] = v.spans[at]
	}
	if len(v.faults) > 0 {
		out.faults = faultsOf(index, v.faults)
	}
	return out, nil
}

// faultsOf returns which indexes refer to entries of a dictionary that are faults.
func faultsOf(index []uint32, faults []int32) []int32 {
	bad := make(map[uint32]bool, len(faults))
	for _, f := range faults {
		bad[uint32(f)] = true
	}
	var out []int32
	for i, at := range index {
		if bad[at] {
			out = append(out, int32(i))
		}
	}
	return out
}

// insertNulls moves the values apart, starting with the last, so that there is an entry
// for each level; those below most become nulls.
func (p *page) insertNulls(most byte, n int) {
	from, fault := len(p.spans)-1, len(p.faults)-1
	spans := p.spans
	if cap(spans) < n {
		spans = make([]Span, n)
	}
	spans = spans[:n]
	for i := n - 1; i >= 0; i-- {
		if p.def[i] != most {
			spans[i] = nullSpan
			continue
		}
		if fault >= 0 && int(p.faults[fault]) == from {
			p.faults[fault] = int32(i)
			fault--
		}
		spans[i] = p.spans[from]
		from--
	}
	p.spans = spans
}
