package parquet

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go/format"
)

// Span is where a value lies in its text; one that ends before it starts is a
// null.
type Span struct{ Start, End uint32 }

// Null reports whether there is no value.
func (s Span) Null() bool { return s.Start > s.End }

var nullSpan = Span{Start: 1, End: 0}

// values are the values of a page or a dictionary, as text.
type values struct {
	text   []byte
	spans  []Span
	faults []int32 // indexes of values that are invalid for their type, in order
}

// decode decodes n values of l in b. The result may point into b, which the caller must
// not change after that.
func (l *leaf) decode(enc format.Encoding, b []byte, n int) (values, error) {
	var v values
	var err error
	switch {
	case l.null:
		return v, errPacked // a column of nulls has no values
	case l.physical == format.ByteArray:
		v, err = byteArrays(enc, b, n)
	default:
		var raw []byte
		if raw, err = l.fixed(enc, b, n); err == nil && len(raw) < n*l.width {
			err = errShort
		}
		v.text = raw
		if l.render == nil && err == nil {
			v.spans = fixedSpans(n, l.width)
		}
	}
	if err != nil {
		return values{}, err
	}
	if l.render == nil {
		v.checkText()
		return v, nil
	}
	return v.rendered(l, n)
}

// byteArrays decodes values that each have a length.
func byteArrays(enc format.Encoding, b []byte, n int) (values, error) {
	switch enc {
	case format.Plain:
		return plainBytes(b, n)
	case format.DeltaLengthByteArray:
		return deltaLengths(b, n)
	case format.DeltaByteArray:
		return deltaBytes(b, n)
	}
	return values{}, errEncoding(enc)
}

func errEncoding(enc format.Encoding) error {
	return fmt.Errorf("values encoded as %s, which its type does not allow", enc)
}

func plainBytes(b []byte, n int) (values, error) {
	spans := make([]Span, n)
	at := 0
	for i := range spans {
		if len(b)-at < 4 {
			return values{}, errShort
		}
		size := int(binary.LittleEndian.Uint32(b[at:]))
		at += 4
		if size > len(b)-at {
			return values{}, errShort
		}
		spans[i] = Span{uint32(at), uint32(at + size)}
		at += size
	}
	return values{text: b, spans: spans}, nil
}

func deltaLengths(b []byte, n int) (values, error) {
	lengths, b, err := deltas(b, n)
	if err != nil {
		return values{}, err
	}
	spans := make([]Span, n)
	at := 0
	for i, size := range lengths {
		if size < 0 || size > int64(len(b)-at) {
			return values{}, errShort
		}
		spans[i] = Span{uint32(at), uint32(at + int(size))}
		at += int(size)
	}
	return values{text: b, spans: spans}, nil
}

// maxText bounds the text of a page if it may be much longer than the page: values with
// shared prefixes, decimals with a thousand zeros.
const maxText = 64 << 20

var errText = &Error{Err: fmt.Errorf("a page holds more than %d MiB of text", maxText>>20), Hint: hintSmaller}

func deltaBytes(b []byte, n int) (values, error) {
	prefixes, b, err := deltas(b, n)
	if err != nil {
		return values{}, err
	}
	lengths, b, err := deltas(b, n)
	if err != nil {
		return values{}, err
	}
	spans := make([]Span, n)
	text := make([]byte, 0, 2*len(b))
	var last Span
	for i, size := range lengths {
		shared := prefixes[i]
		switch {
		case shared < 0 || shared > int64(last.End-last.Start) || size < 0 || size > int64(len(b)):
			return values{}, errPacked
		case int64(len(text))+shared+size > maxText:
			return values{}, errText
		}
		start := uint32(len(text))
		text = append(text, text[last.Start:last.Start+uint32(shared)]...)
		text = append(text, b[:size]...)
		b = b[size:]
		last = Span{start, uint32(len(text))}
		spans[i] = last
	}
	return values{text: text, spans: spans}, nil
}

// fixed decodes values that all have the same length, one after the other, lowest byte
// first.
func (l *leaf) fixed(enc format.Encoding, b []byte, n int) ([]byte, error) {
	switch {
	case enc == format.Plain && l.physical == format.Boolean:
		return booleans(b, n)
	case enc == format.Plain:
		return b, nil
	case enc == format.RLE && l.physical == format.Boolean:
		if len(b) < 4 {
			return nil, errShort
		}
		out := make([]byte, n)
		return out, hybrid(out, b[4:], 1)
	case enc == format.DeltaBinaryPacked && (l.physical == format.Int32 || l.physical == format.Int64):
		return deltaNumbers(b, n, l.width)
	case enc == format.ByteStreamSplit && l.physical != format.Boolean && l.physical != format.Int96:
		return joinByteStreams(b, n, l.width)
	case enc == format.DeltaByteArray && l.physical == format.FixedLenByteArray:
		v, err := deltaBytes(b, n)
		for _, s := range v.spans {
			if int(s.End-s.Start) != l.width {
				return nil, errPacked
			}
		}
		return v.text, err
	}
	return nil, errEncoding(enc)
}

func booleans(b []byte, n int) ([]byte, error) {
	if (n+7)/8 > len(b) {
		return nil, errShort
	}
	out := make([]byte, n)
	unpack(out, b, 1)
	return out, nil
}

func deltaNumbers(b []byte, n, width int) ([]byte, error) {
	all, _, err := deltas(b, n)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, n*width)
	for _, v := range all {
		if width == 4 {
			out = binary.LittleEndian.AppendUint32(out, uint32(v))
		} else {
			out = binary.LittleEndian.AppendUint64(out, uint64(v))
		}
	}
	return out, nil
}

// joinByteStreams joins the bytes of each value, which BYTE_STREAM_SPLIT stores
// separately: all first bytes, all second bytes, and so on.
func joinByteStreams(b []byte, n, width int) ([]byte, error) {
	if len(b) < n*width {
		return nil, errShort
	}
	out := make([]byte, n*width)
	for at := range width {
		stream := b[at*n : (at+1)*n]
		for i, c := range stream {
			out[i*width+at] = c
		}
	}
	return out, nil
}

// fixedSpans returns the spans of n values of width bytes.
func fixedSpans(n, width int) []Span {
	spans := make([]Span, n)
	for i := range spans {
		spans[i] = Span{uint32(i * width), uint32((i + 1) * width)}
	}
	return spans
}

// checkText records the values that are not UTF-8 and writes them in hexadecimal.
func (v *values) checkText() {
	if ascii(v.text) {
		return
	}
	for i, s := range v.spans {
		if cell := v.text[s.Start:s.End]; !utf8.Valid(cell) {
			start := uint32(len(v.text))
			v.text = hex.AppendEncode(v.text, cell)
			v.spans[i] = Span{start, uint32(len(v.text))}
			v.faults = append(v.faults, int32(i))
		}
	}
}

// ascii reports whether b has no byte above 0x7F.
func ascii(b []byte) bool {
	for ; len(b) >= 8; b = b[8:] {
		if binary.LittleEndian.Uint64(b)&0x8080808080808080 != 0 {
			return false
		}
	}
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// rendered converts n stored values to text.
func (v *values) rendered(l *leaf, n int) (values, error) {
	out := values{spans: make([]Span, n), text: make([]byte, 0, min(n, 1<<20)*8)}
	for i := range out.spans {
		var cell []byte
		if v.spans != nil {
			cell = v.text[v.spans[i].Start:v.spans[i].End]
		} else {
			cell = v.text[i*l.width : (i+1)*l.width]
		}
		start := len(out.text)
		text, ok := l.render(out.text, cell)
		if !ok {
			text = hex.AppendEncode(text[:start], cell)
			out.faults = append(out.faults, int32(i))
		}
		if len(text) > maxText {
			return values{}, errText
		}
		out.text = text
		out.spans[i] = Span{uint32(start), uint32(len(text))}
	}
	return out, nil
}
