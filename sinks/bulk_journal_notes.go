package sinks

import (
	"encoding/binary"
	"errors"

	"flytt/pipeline"
)

// What was said of the rows of a chunk is kept in the journal as
//
//	version (1), number of rows whose faults were pardoned, those rows,
//	and for each problem: row, field, column, severity, stage, code, shape, private
//
// with numbers as varints and texts behind their lengths, in the order they were
// noted. Nothing said is no bytes.

const notesVersion = 1

// appendNotes appends what was said.
func appendNotes(dst []byte, problems []pipeline.Problem, excused []bool) []byte {
	pardons := 0
	for _, e := range excused {
		if e {
			pardons++
		}
	}
	if pardons == 0 && len(problems) == 0 {
		return dst
	}
	dst = append(dst, notesVersion)
	dst = binary.AppendUvarint(dst, uint64(pardons))
	for row, e := range excused {
		if e {
			dst = binary.AppendUvarint(dst, uint64(row))
		}
	}
	for i := range problems {
		p := &problems[i]
		dst = binary.AppendVarint(dst, int64(p.Row))
		dst = binary.AppendVarint(dst, int64(p.Field))
		dst = binary.AppendVarint(dst, int64(p.Column))
		dst = append(dst, byte(p.Severity), byte(p.Stage))
		dst = appendSized(dst, string(p.Code))
		dst = appendSized(dst, p.Shape)
		dst = appendSized(dst, p.Private)
	}
	return dst
}

// appendSized appends s behind its length.
func appendSized[T string | []byte](dst []byte, s T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

var errNotes = errors.New("what the journal has of the rows cannot be read")

// readNotes reads what appendNotes wrote of a chunk of n rows.
func readNotes(data []byte, n int) (problems []pipeline.Problem, excused []int32, err error) {
	if len(data) == 0 {
		return nil, nil, nil
	}
	r := &packed{data: data}
	if r.byte() != notesVersion {
		return nil, nil, errNotes
	}
	for left := r.uvarint(); left > 0 && !r.bad; left-- {
		excused = append(excused, r.row(n))
	}
	for len(r.data) > 0 && !r.bad {
		p := pipeline.Problem{Row: int32(r.varint()), Field: int16(r.varint()), Column: int16(r.varint())}
		p.Severity, p.Stage = pipeline.Severity(r.byte()), pipeline.Stage(r.byte())
		p.Code, p.Shape, p.Private = pipeline.Code(r.text()), string(r.text()), string(r.text())
		r.bad = r.bad || p.Row < 0 || int(p.Row) >= n
		problems = append(problems, p)
	}
	if r.bad {
		return nil, nil, errNotes
	}
	return problems, excused, nil
}

// packed reads numbers and texts. Once something cannot be read it is bad, and
// all else is nothing.
type packed struct {
	data []byte
	bad  bool
}

func (r *packed) byte() byte {
	b := r.bytes(1)
	if r.bad {
		return 0
	}
	return b[0]
}

func (r *packed) bytes(n uint64) []byte {
	if r.bad || n > uint64(len(r.data)) {
		r.bad = true
		return nil
	}
	out := r.data[:n:n]
	r.data = r.data[n:]
	return out
}

func (r *packed) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.data = r.data[n:]
	return v
}

func (r *packed) varint() int64 {
	v, n := binary.Varint(r.data)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.data = r.data[n:]
	return v
}

func (r *packed) text() []byte { return r.bytes(r.uvarint()) }

// row reads the index of one of n rows.
func (r *packed) row(n int) int32 {
	v := r.uvarint()
	if v >= uint64(n) {
		r.bad = true
		return 0
	}
	return int32(v)
}
