package packed_test

import (
	"encoding/binary"
	"math"
	"testing"

	"flytt/internal/packed"
)

func TestWhatIsAppendedIsRead(t *testing.T) {
	data := binary.AppendVarint(binary.AppendUvarint([]byte{7}, math.MaxUint64), math.MinInt64)
	data = packed.AppendBytes(packed.AppendBytes(data, "text"), []byte(nil))
	data = append(binary.AppendUvarint(data, 12), "end"...)
	r := packed.Reader{Rest: data}
	if b := r.Byte(); b != 7 {
		t.Errorf("byte %d", b)
	}
	if u, v := r.Uvarint(), r.Varint(); u != math.MaxUint64 || v != math.MinInt64 {
		t.Errorf("numbers %d and %d", u, v)
	}
	if b := r.Bytes(); string(b) != "text" {
		t.Errorf("bytes %q", b)
	}
	if b := r.Bytes(); b != nil {
		t.Errorf("empty bytes %q", b)
	}
	if n := r.Count(12); n != 12 || r.Done() {
		t.Errorf("count %d, done %t", n, r.Done())
	}
	if b := r.Take(3); string(b) != "end" || !r.Done() {
		t.Errorf("took %q, done %t", b, r.Done())
	}
}

// After anything that is not there, nothing is.
func TestAfterAMistakeAllIsZero(t *testing.T) {
	for name, read := range map[string]func(*packed.Reader){
		"byte":    func(r *packed.Reader) { r.Take(3); r.Byte() },
		"bytes":   func(r *packed.Reader) { r.Bytes() },
		"take":    func(r *packed.Reader) { r.Take(4) },
		"count":   func(r *packed.Reader) { r.Count(8) },
		"uvarint": func(r *packed.Reader) { r.Take(1); r.Uvarint() },
		"varint":  func(r *packed.Reader) { r.Take(1); r.Varint() },
	} {
		r := packed.Reader{Rest: []byte{9, 0x80, 0x80}}
		read(&r)
		if !r.Bad || r.Done() || r.Byte() != 0 || r.Uvarint() != 0 || r.Varint() != 0 || r.Bytes() != nil || r.Count(9) != 0 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
