package bulk

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"

	"flytt/internal/packed"
	"flytt/pipeline"
)

// What the sink knows of the rows of a chunk besides their fates is kept in the journal
// as
//
//	version, number of rows whose errors were downgraded, those rows,
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
	problems     []pipeline.Problem
	downgraded   []int32    // rows whose errors were downgraded to warnings
	unshown      []int32    // rows whose records were not shown whole
	unread       []int32    // those of them whose records are still to be read
	stored       deviations // how the API stored rows otherwise than they were sent
	unmatchedIDs []string   // ids of records that requests made, of which rows is not known
}

func (n *notes) append(dst []byte) []byte {
	more := len(n.unshown)+len(n.stored)+len(n.unmatchedIDs) > 0
	if !more && len(n.downgraded) == 0 && len(n.problems) == 0 {
		return dst
	}
	if !more {
		dst = appendRows(append(dst, 1), n.downgraded)
	} else {
		dst = appendRows(append(dst, notesVersion), n.downgraded)
		dst = appendRows(dst, n.unshown)
		dst = appendRows(dst, n.unread)
		dst = n.stored.append(dst)
		dst = binary.AppendUvarint(dst, uint64(len(n.unmatchedIDs)))
		for _, id := range n.unmatchedIDs {
			dst = packed.AppendBytes(dst, id)
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
			dst = packed.AppendBytes(dst, each.name)
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
	dst = packed.AppendBytes(dst, string(p.Code))
	dst = packed.AppendBytes(dst, p.Shape)
	return packed.AppendBytes(dst, p.Private)
}

var errNotes = errors.New("what the journal has of the rows cannot be read")

// readNotes reads what append wrote of a chunk of rows rows.
func readNotes(data []byte, rows int) (n notes, err error) {
	if len(data) == 0 {
		return n, nil
	}
	r := &packed.Reader{Rest: data}
	version := r.Byte()
	if version < 1 || version > notesVersion {
		return n, errNotes
	}
	n.downgraded = readRowIndexes(r, rows)
	if version > 1 {
		n.unshown, n.unread = readRowIndexes(r, rows), readRowIndexes(r, rows)
		n.stored = readDeviations(r, rows)
		for left := r.Uvarint(); left > 0 && !r.Bad; left-- {
			n.unmatchedIDs = append(n.unmatchedIDs, string(r.Bytes()))
		}
	}
	for len(r.Rest) > 0 && !r.Bad {
		n.problems = append(n.problems, readProblem(r, rows))
	}
	if r.Bad {
		return notes{}, errNotes
	}
	return n, nil
}

// readRowIndexes reads rows of a chunk of n.
func readRowIndexes(r *packed.Reader, n int) (out []int32) {
	for left := r.Uvarint(); left > 0 && !r.Bad; left-- {
		out = append(out, readRowIndex(r, n))
	}
	return out
}

// readDeviations reads those of a chunk of n rows.
func readDeviations(r *packed.Reader, n int) deviations {
	out := deviations{}
	for left := r.Uvarint(); left > 0 && !r.Bad; left-- {
		row, name := readRowIndex(r, n), string(r.Bytes())
		if sums := r.Take(16); !r.Bad {
			out[row] = append(out[row], deviation{name, binary.LittleEndian.Uint64(sums), binary.LittleEndian.Uint64(sums[8:])})
		}
	}
	return out
}

// readProblem reads one of a chunk of n rows.
func readProblem(r *packed.Reader, n int) pipeline.Problem {
	p := pipeline.Problem{Row: int32(r.Varint()), Field: int16(r.Varint()), Column: int16(r.Varint())}
	p.Severity, p.Stage = pipeline.Severity(r.Byte()), pipeline.Stage(r.Byte())
	p.Code, p.Shape, p.Private = pipeline.Code(r.Bytes()), string(r.Bytes()), string(r.Bytes())
	r.Bad = r.Bad || p.Row < 0 || int(p.Row) >= n
	return p
}

// readRowIndex reads the index of one of n rows.
func readRowIndex(r *packed.Reader, n int) int32 {
	v := r.Uvarint()
	if v >= uint64(n) {
		r.Fail()
		return 0
	}
	return int32(v)
}

// within leaves out what is of rows from rows on.
func (n *notes) within(rows int) {
	beyond := func(row int32) bool { return int(row) >= rows }
	n.problems = slices.DeleteFunc(n.problems, func(p pipeline.Problem) bool { return beyond(p.Row) })
	n.downgraded = slices.DeleteFunc(n.downgraded, beyond)
	n.unshown = slices.DeleteFunc(n.unshown, beyond)
	n.unread = slices.DeleteFunc(n.unread, beyond)
	maps.DeleteFunc(n.stored, func(row int32, _ []deviation) bool { return beyond(row) })
}
