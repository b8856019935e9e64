package bulk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"flytt/internal/packed"
)

// What the records of a chunk held before its rows changed them is kept in the
// journal as
//
//	version (1), how the records are kept (0 not at all, 1 as they are, 2 sealed),
//	number of rows, for each: row, id, sum of the members that were to change,
//	and, unless they are not kept, the records one behind the other
//
// with numbers as varints but for the sums, and texts behind their lengths.

const (
	imageVersion = 1

	imageBare   = 0
	imagePlain  = 1
	imageSealed = 2
)

// Before is what a record held before a row changed it.
type Before struct {
	Row    int32  // index in its chunk
	ID     string // of the record
	Held   uint64 // keyed sum of the members that the row was to change, as they were
	Record []byte // the whole record; nil if it was not kept, or is sealed
}

var errImage = errors.New("the earlier values of records cannot be read")

// ReadImage reads an image that an Import made, of a chunk of any length. Records
// that are sealed are given to open first; without it they are left out.
func ReadImage(data []byte, open func([]byte) ([]byte, error)) ([]Before, error) {
	r := &packed.Reader{Rest: data}
	version, form := r.Byte(), r.Byte()
	if version != imageVersion || form > imageSealed {
		return nil, errImage
	}
	var out []Before
	for left := r.Uvarint(); left > 0 && !r.Bad; left-- {
		b := Before{Row: readRowIndex(r, math.MaxInt32), ID: string(r.Bytes())}
		if sum := r.Take(8); !r.Bad {
			b.Held = binary.LittleEndian.Uint64(sum)
		}
		out = append(out, b)
	}
	records := r.Rest
	switch {
	case r.Bad:
		return nil, errImage
	case form == imageBare, form == imageSealed && open == nil:
		return out, nil
	case form == imageSealed:
		var err error
		if records, err = open(records); err != nil {
			return nil, fmt.Errorf("the earlier values of records: %w", err)
		}
	}
	return out, readRecords(out, records)
}

// readRecords gives each of out its record.
func readRecords(out []Before, data []byte) error {
	r := &packed.Reader{Rest: data}
	for i := range out {
		out[i].Record = r.Bytes()
	}
	if r.Bad || len(r.Rest) > 0 {
		return errImage
	}
	return nil
}

// eachBefore calls visit with what the records of a chunk of r held before it changed
// them, oldest first. Records that are sealed are given to open.
func eachBefore(r PriorRun, seq int64, open func([]byte) ([]byte, error), visit func(Before)) error {
	images, err := r.BeforeImages(seq)
	if err != nil {
		return err
	}
	for _, image := range images {
		list, err := ReadImage(image.Data, open)
		if err != nil {
			return err
		}
		for _, b := range list {
			visit(b)
		}
	}
	return nil
}
