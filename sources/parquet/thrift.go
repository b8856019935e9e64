package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go/encoding/thrift"
)

// Types of Thrift's compact protocol.
const (
	thriftStop   = 0
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftStruct = 12
	thriftUUID   = 13
)

// maxThriftDepth bounds how deep structs and lists nest; the format needs 7.
const maxThriftDepth = 24

// elementWeights are upper bounds of the memory that an element of a decoded list
// takes, by nesting depth of lists: schema elements and row groups, column chunks,
// their encodings and statistics.
var elementWeights = [...]int64{160, 768, 48}

var (
	errThriftShort = errors.New("it ends too early")
	errThriftHeavy = errors.New("it claims more than fits into memory")
)

// unmarshal decodes the struct at the start of b into v and returns its length. The
// library allocates for a list whatever its size claims, so b is walked first: all of
// the struct must be there, and may take at most limit bytes once decoded.
func unmarshal(b []byte, v any, limit int64) (int, error) {
	w := walker{b: b, limit: limit}
	if err := w.structure(0, 0); err != nil {
		return 0, err
	}
	var p thrift.CompactProtocol
	return w.at, thrift.NewDecoder(p.NewReaderFromBytes(b[:w.at])).Decode(v)
}

// walker walks a struct without decoding it.
type walker struct {
	b     []byte
	at    int
	limit int64 // what the lists may still take
}

// structure walks a struct. lists is the number of lists around it.
func (w *walker) structure(depth, lists int) error {
	if depth > maxThriftDepth {
		return fmt.Errorf("structures nest deeper than %d", maxThriftDepth)
	}
	for {
		if w.at >= len(w.b) {
			return errThriftShort
		}
		head := w.b[w.at]
		w.at++
		if head == thriftStop {
			return nil
		}
		if head>>4 == 0 { // the field's number follows
			if _, err := w.varint(); err != nil {
				return err
			}
		}
		if kind := head & 0x0F; kind != thriftTrue && kind != thriftFalse {
			if err := w.value(kind, depth, lists); err != nil {
				return err
			}
		}
	}
}

// value walks a value. Booleans need no bytes as fields, and no list of the format has
// them.
func (w *walker) value(kind byte, depth, lists int) error {
	switch kind {
	case thriftByte:
		return w.skip(1)
	case thriftI16, thriftI32, thriftI64:
		_, err := w.varint()
		return err
	case thriftDouble:
		return w.skip(8)
	case thriftUUID:
		return w.skip(16)
	case thriftBinary:
		n, err := w.varint()
		if err != nil {
			return err
		}
		return w.skip(n)
	case thriftList:
		return w.list(depth+1, lists)
	case thriftStruct:
		return w.structure(depth+1, lists)
	}
	return fmt.Errorf("a value of type %d, which the format has not", kind)
}

func (w *walker) list(depth, lists int) error {
	if w.at >= len(w.b) {
		return errThriftShort
	}
	head := w.b[w.at]
	w.at++
	size := uint64(head >> 4)
	if size == 0x0F {
		var err error
		if size, err = w.varint(); err != nil {
			return err
		}
	}
	if size > uint64(len(w.b)-w.at) { // each element takes a byte at least
		return errThriftShort
	}
	w.limit -= int64(size) * elementWeights[min(lists, len(elementWeights)-1)]
	if w.limit < 0 {
		return errThriftHeavy
	}
	for range size {
		if err := w.value(head&0x0F, depth, lists+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) varint() (uint64, error) {
	u, n := binary.Uvarint(w.b[w.at:])
	if n == 0 {
		return 0, errThriftShort
	}
	if n < 0 {
		return 0, errors.New("a number of more than 64 bits")
	}
	w.at += n
	return u, nil
}

func (w *walker) skip(n uint64) error {
	if n > uint64(len(w.b)-w.at) {
		return errThriftShort
	}
	w.at += int(n)
	return nil
}
