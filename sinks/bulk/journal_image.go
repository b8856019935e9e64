package bulk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"flytt/internal/jsonscan"
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

var errImage = errors.New("what records held before they were changed cannot be read")

// ReadImage reads an image that a Bulk made, of a chunk of any length. Records
// that are sealed are given to open first; without it they are left out.
func ReadImage(data []byte, open func([]byte) ([]byte, error)) ([]Before, error) {
	r := &packed{data: data}
	version, form := r.byte(), r.byte()
	if version != imageVersion || form > imageSealed {
		return nil, errImage
	}
	var out []Before
	for left := r.uvarint(); left > 0 && !r.bad; left-- {
		b := Before{Row: r.row(math.MaxInt32), ID: string(r.text())}
		if sum := r.bytes(8); !r.bad {
			b.Held = binary.LittleEndian.Uint64(sum)
		}
		out = append(out, b)
	}
	records := r.data
	switch {
	case r.bad:
		return nil, errImage
	case form == imageBare, form == imageSealed && open == nil:
		return out, nil
	case form == imageSealed:
		var err error
		if records, err = open(records); err != nil {
			return nil, fmt.Errorf("what records held before they were changed: %w", err)
		}
	}
	return out, readRecords(out, records)
}

// readRecords gives each of out its record.
func readRecords(out []Before, data []byte) error {
	r := &packed{data: data}
	for i := range out {
		out[i].Record = r.text()
	}
	if r.bad || len(r.data) > 0 {
		return errImage
	}
	return nil
}

// image returns what the records hold that changes are about to change.
func (w *write) image(changes []change) ([]byte, error) {
	o := &w.bulk.options
	form := byte(imageBare)
	switch {
	case o.Undoable && o.SealImage != nil:
		form = imageSealed
	case o.Undoable:
		form = imagePlain
	}
	out := binary.AppendUvarint([]byte{imageVersion, form}, uint64(len(changes)))
	var records []byte
	for i := range changes {
		c := &changes[i]
		out = binary.AppendUvarint(out, uint64(c.row))
		out = appendSized(out, c.id)
		out = binary.LittleEndian.AppendUint64(out, w.held(c.patch, c.record))
		if form != imageBare {
			records = appendSized(records, c.record)
		}
	}
	if form != imageSealed {
		return append(out, records...), nil
	}
	sealed, err := o.SealImage(records)
	if err != nil {
		return nil, fmt.Errorf("what records hold before they are changed: encrypt: %w", err)
	}
	return append(out, sealed...), nil
}

// held returns the sum of what record holds in the members of patch.
func (w *write) held(patch, record []byte) uint64 {
	var text []byte
	for name := range jsonscan.Members(patch) {
		text = appendSized(text, name)
		text = appendSized(text, []byte(jsonscan.Member(record, string(jsonscan.Unquote(name)))))
	}
	return w.bulk.options.Journal.Sum(text)
}
