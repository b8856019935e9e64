// Package packed reads what was written with the Append functions of encoding/binary: numbers of
// variable length, and bytes that follow their length.
package packed

import "encoding/binary"

// AppendBytes appends v after its length.
func AppendBytes[T string | []byte](dst []byte, v T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(v))), v...)
}

// Reader takes data apart. Once something cannot be read it is Bad, Rest is empty, and all that
// is read is zero.
type Reader struct {
	Rest []byte // what was not read yet
	Bad  bool
}

// Done reports whether all was read, and could be.
func (r *Reader) Done() bool { return !r.Bad && len(r.Rest) == 0 }

// Fail makes r bad.
func (r *Reader) Fail() { r.Bad, r.Rest = true, nil }

// Take reads n bytes. They are a part of the data.
func (r *Reader) Take(n uint64) []byte {
	if n > uint64(len(r.Rest)) {
		r.Fail()
		return nil
	}
	b := r.Rest[:n:n]
	r.Rest = r.Rest[n:]
	return b
}

// Byte reads a byte.
func (r *Reader) Byte() byte {
	if b := r.Take(1); b != nil {
		return b[0]
	}
	return 0
}

// Uvarint reads what binary.AppendUvarint appended.
func (r *Reader) Uvarint() uint64 {
	v, n := binary.Uvarint(r.Rest)
	if n <= 0 {
		r.Fail()
		return 0
	}
	r.Rest = r.Rest[n:]
	return v
}

// Varint reads what binary.AppendVarint appended.
func (r *Reader) Varint() int64 {
	v, n := binary.Varint(r.Rest)
	if n <= 0 {
		r.Fail()
		return 0
	}
	r.Rest = r.Rest[n:]
	return v
}

// Count reads a number that is at most limit.
func (r *Reader) Count(limit int) int {
	v := r.Uvarint()
	if v > uint64(limit) {
		r.Fail()
		return 0
	}
	return int(v)
}

// Bytes reads what AppendBytes appended: a part of the data, nil if it is empty.
func (r *Reader) Bytes() []byte {
	if n := r.Uvarint(); n > 0 {
		return r.Take(n)
	}
	return nil
}
