package journal

import (
	"encoding/binary"
	"errors"
	"math"

	"flytt/internal/packed"
	"flytt/pipeline"
)

// record is what the journal keeps of a chunk, in the form in which it is changed. Its
// settlement stays encoded, because nothing else reads it.
type record struct {
	Chunk
	state   State
	sent    []int32
	settled []byte // empty: never
	images  uint64 // how many before images the chunk has
	imaged  digest // the XOR of their checksums
}

// encode returns the content of the record without its number, which is its key in the
// database.
func (r *record) encode() []byte {
	b := make([]byte, 0, 128+len(r.settled))
	b = append(b, byte(r.state))
	b = binary.AppendVarint(b, r.First)
	b = binary.AppendVarint(b, r.Last)
	b = binary.AppendUvarint(b, uint64(r.Rows))
	b = packed.AppendBytes(b, r.Digest)
	b = binary.AppendUvarint(b, r.images)
	if r.images > 0 {
		b = append(b, r.imaged[:]...)
	}
	b = appendRanges(b, r.sent)
	return packed.AppendBytes(b, r.settled)
}

// decodeRecord is the inverse of encode.
func decodeRecord(seq int64, b []byte) (*record, error) {
	d := packed.Reader{Rest: b}
	r := &record{Chunk: Chunk{Seq: seq}, state: State(d.Byte())}
	r.First, r.Last = d.Varint(), d.Varint()
	r.Rows = d.Count(math.MaxInt32)
	r.Digest = d.Bytes()
	if r.images = d.Uvarint(); r.images > 0 {
		copy(r.imaged[:], d.Take(uint64(len(r.imaged))))
	}
	r.sent = readRanges(&d, r.Rows)
	r.settled = d.Bytes()
	return r, ended(&d)
}

// encodeSettlement returns s as it is kept. Notes have been encrypted before.
func encodeSettlement(s *Settlement, notes []byte) ([]byte, error) {
	rows := len(s.Fates)
	if n := s.IDs.Len(); n != 0 && n != rows || len(s.Sums) != 0 && len(s.Sums) != rows {
		return nil, errors.New("its fates, ids and sums are not of as many rows")
	}
	b := make([]byte, 0, 64+25*rows+len(notes))
	b = binary.AppendUvarint(b, uint64(rows))
	b = appendFates(b, s.Fates)
	b = appendIDs(b, &s.IDs)
	b = appendSums(b, s.Sums)
	return append(b, notes...), nil
}

// decodeSettlement is the inverse of encodeSettlement. The notes are part of b.
func decodeSettlement(b []byte, rows int) (s Settlement, notes []byte, err error) {
	d := packed.Reader{Rest: b}
	if d.Count(rows) != rows {
		d.Fail()
		return s, nil, ended(&d)
	}
	s.Fates = readFates(&d, rows)
	readIDs(&d, &s.IDs, rows)
	s.Sums = readSums(&d, rows)
	notes, d.Rest = d.Rest, nil
	return s, notes, ended(&d)
}

// appendRanges appends ascending indices as ranges: how many are skipped, and how many
// follow.
func appendRanges(b []byte, rows []int32) []byte {
	var stretches [][2]int32 // first, and one past the last
	for _, row := range rows {
		if n := len(stretches); n > 0 && stretches[n-1][1] == row {
			stretches[n-1][1]++
		} else {
			stretches = append(stretches, [2]int32{row, row + 1})
		}
	}
	b = binary.AppendUvarint(b, uint64(len(stretches)))
	end := int32(0)
	for _, s := range stretches {
		b = binary.AppendUvarint(b, uint64(s[0]-end))
		b = binary.AppendUvarint(b, uint64(s[1]-s[0]))
		end = s[1]
	}
	return b
}

// appendFates appends fates as runs of equal ones.
func appendFates(b []byte, fates []pipeline.Fate) []byte {
	for i := 0; i < len(fates); {
		n := 1
		for i+n < len(fates) && fates[i+n] == fates[i] {
			n++
		}
		b = append(b, byte(fates[i]))
		b = binary.AppendUvarint(b, uint64(n))
		i += n
	}
	return b
}

// How ids are kept.
const (
	noIDs   byte = iota // of no row
	textIDs             // as they are
	uuidIDs             // all are UUIDs in lower case: 16 bytes each
)

// appendIDs appends which rows have an id, and the ids.
func appendIDs(b []byte, ids *pipeline.Column) []byte {
	kind := kindOf(ids)
	b = append(b, kind)
	if kind == noIDs {
		return b
	}
	b = appendBits(b, ids.Len(), func(i int) bool { return !ids.Null(i) })
	for i := range ids.Len() {
		switch id := ids.Value(i); {
		case id == nil:
		case kind == uuidIDs:
			raw, _ := parseUUID(id)
			b = append(b, raw[:]...)
		default:
			b = packed.AppendBytes(b, id)
		}
	}
	return b
}

// kindOf tells how ids are kept.
func kindOf(ids *pipeline.Column) byte {
	if ids.Len() == 0 {
		return noIDs
	}
	for i := range ids.Len() {
		if id := ids.Value(i); id != nil {
			if _, ok := parseUUID(id); !ok {
				return textIDs
			}
		}
	}
	return uuidIDs
}

// appendSums appends which sums are not 0, and those.
func appendSums(b []byte, sums []uint64) []byte {
	if len(sums) == 0 {
		return append(b, 0)
	}
	b = appendBits(append(b, 1), len(sums), func(i int) bool { return sums[i] != 0 })
	for _, sum := range sums {
		if sum != 0 {
			b = binary.BigEndian.AppendUint64(b, sum)
		}
	}
	return b
}

func appendBits(b []byte, n int, set func(int) bool) []byte {
	start := len(b)
	b = append(b, make([]byte, (n+7)/8)...)
	for i := range n {
		if set(i) {
			b[start+i/8] |= 1 << (i % 8)
		}
	}
	return b
}

// dashes are where a UUID has them, and hexDigits what else it is made of.
const (
	uuidText  = 36
	hexDigits = "0123456789abcdef"
)

func dashAt(i int) bool { return i == 8 || i == 13 || i == 18 || i == 23 }

// parseUUID returns the 16 bytes that formatUUID makes text of, if there are any.
func parseUUID(text []byte) (raw [16]byte, ok bool) {
	if len(text) != uuidText {
		return raw, false
	}
	n := 0
	for i, c := range text {
		if dashAt(i) {
			if c != '-' {
				return raw, false
			}
			continue
		}
		var v byte
		switch {
		case c >= '0' && c <= '9':
			v = c - '0'
		case c >= 'a' && c <= 'f':
			v = c - 'a' + 10
		default:
			return raw, false
		}
		raw[n/2] = raw[n/2]<<4 | v
		n++
	}
	return raw, true
}

// formatUUID appends raw as a UUID is written.
func formatUUID(b, raw []byte) []byte {
	for i := range raw {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b = append(b, '-')
		}
		b = append(b, hexDigits[raw[i]>>4], hexDigits[raw[i]&15])
	}
	return b
}

// errEncoding says that a record does not have the format in which records are encoded.
var errEncoding = errors.New("not as it was written")

// ended returns an error if r met a mistake, or something is left over.
func ended(r *packed.Reader) error {
	if !r.Done() {
		return errEncoding
	}
	return nil
}

func readRanges(d *packed.Reader, rows int) []int32 {
	var out []int32
	next := 0
	for range d.Count(rows) {
		next += d.Count(rows - next)
		for range d.Count(rows - next) {
			out = append(out, int32(next))
			next++
		}
	}
	return out
}

func readFates(d *packed.Reader, rows int) []pipeline.Fate {
	out := make([]pipeline.Fate, 0, rows)
	for len(out) < rows && !d.Bad {
		f := pipeline.Fate(d.Byte())
		n := d.Count(rows - len(out))
		if n == 0 || f > pipeline.Existing {
			d.Fail()
			return nil
		}
		for range n {
			out = append(out, f)
		}
	}
	return out
}

func readIDs(d *packed.Reader, ids *pipeline.Column, rows int) {
	kind := d.Byte()
	if kind == noIDs || d.Bad {
		return
	}
	bits := d.Take(uint64(rows+7) / 8)
	for i := range rows {
		switch {
		case d.Bad:
			return
		case bits[i/8]&(1<<(i%8)) == 0:
			ids.AppendNull()
		case kind == uuidIDs:
			raw := d.Take(16)
			ids.Grow(func(text []byte) ([]byte, bool) { return formatUUID(text, raw), raw != nil })
		default:
			ids.Grow(func(text []byte) ([]byte, bool) { return append(text, d.Bytes()...), true })
		}
	}
}

func readSums(d *packed.Reader, rows int) []uint64 {
	if d.Byte() == 0 {
		return nil
	}
	bits := d.Take(uint64(rows+7) / 8)
	if bits == nil {
		return nil
	}
	out := make([]uint64, rows)
	for i := range out {
		if bits[i/8]&(1<<(i%8)) == 0 {
			continue
		}
		if b := d.Take(8); b != nil {
			out[i] = binary.BigEndian.Uint64(b)
		}
	}
	return out
}
