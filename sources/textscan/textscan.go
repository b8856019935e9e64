// Package textscan is what the formats of text have in common: how much a record may
// take, where bytes are that are not UTF-8, and the codes that are noted of any of
// them.
package textscan

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/bits"
	"unicode/utf8"

	"flytt/pipeline"
)

// The codes that more than one format notes; sources.Codes documents them.
const (
	NULByte         pipeline.Code = "nul_byte"
	InvalidEncoding pipeline.Code = "invalid_encoding"
	BlankRow        pipeline.Code = "blank_row"
)

// MaxRecordBytes is the maximum length of a record. Otherwise a quote that is not
// closed would swallow the rest of the file.
const MaxRecordBytes = 1 << 20

// ErrLongRecord says that a record is longer than that.
var ErrLongRecord = errors.New("record is longer than 1 MiB")

// HasNUL reports whether v has the character U+0000.
func HasNUL(v []byte) bool { return bytes.IndexByte(v, 0) >= 0 }

// LineEnds counts the physical lines that end in data.
func LineEnds(data []byte, eol byte) int64 {
	return int64(bytes.Count(data, []byte{eol}))
}

// InvalidUTF8 returns where the first byte of src is that is not UTF-8, or -1.
func InvalidUTF8(src []byte) int {
	for i := 0; ; {
		i += ASCIILen(src[i:])
		for i < len(src) && src[i] >= utf8.RuneSelf {
			r, n := utf8.DecodeRune(src[i:])
			if r == utf8.RuneError && n <= 1 {
				return i
			}
			i += n
		}
		if i >= len(src) {
			return -1
		}
	}
}

// ASCIILen returns the number of ASCII bytes src starts with.
func ASCIILen(src []byte) int {
	i := 0
	for ; i+8 <= len(src); i += 8 {
		if high := binary.LittleEndian.Uint64(src[i:]) & 0x8080808080808080; high != 0 {
			return i + bits.TrailingZeros64(high)/8
		}
	}
	for i < len(src) && src[i] < utf8.RuneSelf {
		i++
	}
	return i
}
