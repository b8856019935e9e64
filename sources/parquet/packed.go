package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"

	"flytt/internal/packed"
)

var (
	errShort  = errors.New("a page has fewer values than its header says")
	errPacked = errors.New("a page is not encoded as its header says")
)

// hybrid fills dst from b, which is encoded as runs and bit-packed groups of
// width bits.
func hybrid[T byte | uint32](dst []T, b []byte, width int) error {
	if width == 0 {
		clear(dst)
		return nil
	}
	for len(dst) > 0 {
		head, n := binary.Uvarint(b)
		if n <= 0 {
			return errShort
		}
		b = b[n:]
		var err error
		if head&1 != 0 {
			dst, b, err = unpackGroups(dst, b, head>>1, width)
		} else {
			dst, b, err = repeat(dst, b, head>>1, width)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unpackGroups reads up to groups times eight values.
func unpackGroups[T byte | uint32](dst []T, b []byte, groups uint64, width int) ([]T, []byte, error) {
	count := len(dst)
	if groups < uint64(count+7)/8 {
		count = min(count, int(groups)*8)
	}
	if (count*width+7)/8 > len(b) {
		return nil, nil, errShort
	}
	unpack(dst[:count], b, width)
	if whole := groups * uint64(width); whole < uint64(len(b)) {
		b = b[whole:]
	} else {
		b = nil
	}
	return dst[count:], b, nil
}

// unpack reads values of width bits, at most 32, the lowest bit first.
func unpack[T byte | uint32](dst []T, b []byte, width int) {
	mask := uint64(1)<<width - 1
	var have uint64
	bits, at := 0, 0
	for i := range dst {
		for bits < width {
			have |= uint64(b[at]) << bits
			at++
			bits += 8
		}
		dst[i] = T(have & mask)
		have >>= width
		bits -= width
	}
}

// repeat reads a run of count times the same value.
func repeat[T byte | uint32](dst []T, b []byte, count uint64, width int) ([]T, []byte, error) {
	size := (width + 7) / 8
	if size > len(b) {
		return nil, nil, errPacked
	}
	var v uint64
	for i := range size {
		v |= uint64(b[i]) << (8 * i)
	}
	n := int(min(count, uint64(len(dst))))
	run := dst[:n]
	for i := range run {
		run[i] = T(v)
	}
	return dst[n:], b[size:], nil
}

// legacyLevels fills dst from b, which is bit-packed with the highest bit first, as
// levels once were.
func legacyLevels(dst, b []byte, width int) (used int, err error) {
	used = (len(dst)*width + 7) / 8
	if used > len(b) {
		return 0, errShort
	}
	for i := range dst {
		dst[i] = 0
		for bit := i * width; bit < (i+1)*width; bit++ {
			dst[i] = dst[i]<<1 | b[bit/8]>>(7-bit%8)&1
		}
	}
	return used, nil
}

// deltas reads the n numbers of DELTA_BINARY_PACKED at the start of b, and returns the
// rest of b.
func deltas(b []byte, n int) ([]int64, []byte, error) {
	r := packed.Reader{Rest: b}
	blockSize, blocks, total := r.Uvarint(), r.Uvarint(), r.Uvarint()
	last := r.Varint()
	switch {
	case r.Bad:
		return nil, nil, errShort
	case total != uint64(n):
		return nil, nil, fmt.Errorf("a page of %d values claims to hold %d", n, total)
	case blocks == 0 || blockSize == 0 || blockSize > 1<<24 || blockSize%blocks != 0 || blockSize/blocks%8 != 0:
		return nil, nil, errPacked
	}
	out := make([]int64, 0, n)
	if n > 0 {
		out = append(out, last)
	}
	each := int(blockSize / blocks)
	for len(out) < n {
		least := r.Varint()
		widths := r.Take(blocks)
		for i := 0; i < len(widths) && len(out) < n; i++ {
			if out = miniBlock(&r, out, min(each, n-len(out)), each, int(widths[i]), least); r.Bad {
				break
			}
		}
		if r.Bad {
			return nil, nil, errShort
		}
	}
	return out, r.Rest, nil
}

// miniBlock appends count numbers, of a block that has room for each: the sums
// of deltas of width bits and least.
func miniBlock(r *packed.Reader, out []int64, count, each, width int, least int64) []int64 {
	need := (count*width + 7) / 8
	if width > 64 || need > len(r.Rest) {
		r.Fail()
		return out
	}
	last := out[len(out)-1]
	for i := range count {
		last += int64(bitsAt(r.Rest, i*width, width)) + least
		out = append(out, last)
	}
	r.Rest = r.Rest[min(each*width/8, len(r.Rest)):]
	return out
}

// bitsAt returns width bits of b, from bit at on.
func bitsAt(b []byte, at, width int) uint64 {
	if width == 0 {
		return 0
	}
	from, shift := b[at/8:], at%8
	var v uint64
	if len(from) >= 8 {
		v = binary.LittleEndian.Uint64(from)
	} else {
		for i, c := range from {
			v |= uint64(c) << (8 * i)
		}
	}
	v >>= shift
	if shift+width > 64 {
		v |= uint64(from[8]) << (64 - shift)
	}
	if width == 64 {
		return v
	}
	return v & (1<<width - 1)
}
