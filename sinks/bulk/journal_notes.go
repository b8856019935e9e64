package bulk

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"

	"flytt/pipeline"
)

// What the sink knows of the rows of a chunk besides their fates is kept in the journal
// as
//
//	version, number of rows whose faults were pardoned, those rows,
//	from version 2 on:
//	  number of rows whose records were not shown whole, those rows,
//	  number of those among them whose records are still to be read, those rows,
//	  number of deviations, for each: row, name, its two sums,
//	  number of ids of records that no row was matched with, those ids,
//	and for each problem: row, field, column, severity, stage, code, shape, private
//
// with numbers as varints but for the sums, and texts behind their lengths, problems in
// the order they were noted. Nothing to note is no bytes. Version 1 is written where it
// has room for everything: it is all that older programs read.

const notesVersion = 2

// notes is what is kept of a chunk.
type notes struct {
	problems []pipeline.Problem
	excused  []int32    // rows whose faults were pardoned
	unshown  []int32    // rows whose records were not shown whole
	unread   []int32    // those of them whose records are still to be read
	stored   deviations // how the API stored rows otherwise than they were sent
	loose    []string   // ids of records that requests made, of which rows is not known
}

// append appends n to dst.
func (n *notes) append(dst []byte) []byte {
	more := len(n.unshown)+len(n.stored)+len(n.loose) > 0
	if !more && len(n.excused) == 0 && len(n.problems) == 0 {
		return dst
	}
	if !more {
		dst = appendRows(append(dst, 1), n.excused)
	} else {
		dst = appendRows(append(dst, notesVersion), n.excused)
		dst = appendRows(dst, n.unshown)
		dst = appendRows(dst, n.unread)
		dst = n.stored.append(dst)
		dst = binary.AppendUvarint(dst, uint64(len(n.loose)))
		for _, id := range n.loose {
			dst = appendSized(dst, id)
		}
	}
	for i := range n.problems {
		dst = appendProblem(dst, &n.problems[i])
	}
	return dst
}

func appendRows(dst []byte, rows []int32) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(rows)))
	for _, row := range rows {
		dst = binary.AppendUvarint(dst, uint64(row))
	}
	return dst
}

// append appends d to dst, by row.
func (d deviations) append(dst []byte) []byte {
	n := 0
	for _, list := range d {
		n += len(list)
	}
	dst = binary.AppendUvarint(dst, uint64(n))
	for _, row := range slices.Sorted(maps.Keys(d)) {
		for _, each := range d[row] {
			dst = binary.AppendUvarint(dst, uint64(row))
			dst = appendSized(dst, each.name)
			dst = binary.LittleEndian.AppendUint64(dst, each.pair)
			dst = binary.LittleEndian.AppendUint64(dst, each.edge)
		}
	}
	return dst
}

func appendProblem(dst []byte, p *pipeline.Problem) []byte {
	dst = binary.AppendVarint(dst, int64(p.Row))
	dst = binary.AppendVarint(dst, int64(p.Field))
	dst = binary.AppendVarint(dst, int64(p.Column))
	dst = append(dst, byte(p.Severity), byte(p.Stage))
	dst = appendSized(dst, string(p.Code))
	dst = appendSized(dst, p.Shape)
	return appendSized(dst, p.Private)
}

// appendSized appends s behind its length.
func appendSized[T string | []byte](dst []byte, s T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

var errNotes = errors.New("what the journal has of the rows cannot be read")

// readNotes reads what append wrote of a chunk of rows rows.
func readNotes(data []byte, rows int) (n notes, err error) {
	if len(data) == 0 {
		return n, nil
	}
	r := &packed{data: data}
	version := r.byte()
	if version < 1 || version > notesVersion {
		return n, errNotes
	}
	n.excused = r.rows(rows)
	if version > 1 {
		n.unshown, n.unread = r.rows(rows), r.rows(rows)
		n.stored = r.deviations(rows)
		for left := r.uvarint(); left > 0 && !r.bad; left-- {
			n.loose = append(n.loose, string(r.text()))
		}
	}
	for len(r.data) > 0 && !r.bad {
		n.problems = append(n.problems, r.problem(rows))
	}
	if r.bad {
		return notes{}, errNotes
	}
	return n, nil
}

// packed reads numbers and texts. Once something cannot be read it is bad, and
// all else is nothing.
type packed struct {
	data []byte
	bad  bool
}

// rows reads rows of a chunk of n.
func (r *packed) rows(n int) (out []int32) {
	for left := r.uvarint(); left > 0 && !r.bad; left-- {
		out = append(out, r.row(n))
	}
	return out
}

// deviations reads those of a chunk of n rows.
func (r *packed) deviations(n int) deviations {
	out := deviations{}
	for left := r.uvarint(); left > 0 && !r.bad; left-- {
		row, name := r.row(n), string(r.text())
		if sums := r.bytes(16); !r.bad {
			out[row] = append(out[row], deviation{name, binary.LittleEndian.Uint64(sums), binary.LittleEndian.Uint64(sums[8:])})
		}
	}
	return out
}

// problem reads one of a chunk of n rows.
func (r *packed) problem(n int) pipeline.Problem {
	p := pipeline.Problem{Row: int32(r.varint()), Field: int16(r.varint()), Column: int16(r.varint())}
	p.Severity, p.Stage = pipeline.Severity(r.byte()), pipeline.Stage(r.byte())
	p.Code, p.Shape, p.Private = pipeline.Code(r.text()), string(r.text()), string(r.text())
	r.bad = r.bad || p.Row < 0 || int(p.Row) >= n
	return p
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

// within leaves out what is of rows from rows on.
func (n *notes) within(rows int) {
	beyond := func(row int32) bool { return int(row) >= rows }
	n.problems = slices.DeleteFunc(n.problems, func(p pipeline.Problem) bool { return beyond(p.Row) })
	n.excused = slices.DeleteFunc(n.excused, beyond)
	n.unshown = slices.DeleteFunc(n.unshown, beyond)
	n.unread = slices.DeleteFunc(n.unread, beyond)
	maps.DeleteFunc(n.stored, func(row int32, _ []deviation) bool { return beyond(row) })
}
