package journal

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
)

// walSuffix is what SQLite appends to the name of a database for that of its
// write-ahead log.
const walSuffix = "-wal"

const (
	logHead   = 32 // bytes at the beginning of the log
	frameHead = 24 // bytes before each page
)

// checkLog refuses a log that is damaged where it had been synced.
//
// SQLite reads a log up to the first frame whose checksum is wrong, and forgets
// the rest: that is how a transaction that a power failure cut off is rolled back. A
// frame that went bad on the disk looks the same, and takes with it everything
// that was durable after it. But each transaction is synced before the next is
// written. So of what was torn off there is one transaction at most: if two
// begin or end behind the bad frame, the frame was whole once.
//
// That leaves the last transaction: where it is bad, whether it had been synced
// cannot be told, and it counts as never written.
func checkLog(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	l := &logReader{in: bufio.NewReaderSize(f, 1<<18)}
	if whole, err := l.head(f); !whole || err != nil {
		return err
	}
	for {
		switch kind, err := l.frame(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case kind == bad:
			return l.tail()
		}
	}
}

// logReader reads a log as section 4 of SQLite's file format describes it.
type logReader struct {
	in    *bufio.Reader
	order binary.ByteOrder // of the words that are summed
	salt  [8]byte
	page  []byte
	sum   [2]uint32 // of all up to here

	// The frame read last.
	header [frameHead]byte
	salted bool // it is of this log, and not left over from before it began anew
}

// kind is what a frame is.
type kind int

const (
	good kind = iota
	bad       // its checksum is wrong, it is of an earlier log, or cut off
)

// head reads the beginning of the log. It reports false if there is nothing more
// to look at: it is synced before the first frame is written.
func (l *logReader) head(f *os.File) (bool, error) {
	info, err := f.Stat()
	if err != nil || info.Size() <= logHead {
		return false, err
	}
	var head [logHead]byte
	if _, err := io.ReadFull(l.in, head[:]); err != nil {
		return false, err
	}
	word := func(i int) uint32 { return binary.BigEndian.Uint32(head[i:]) }
	l.order = binary.LittleEndian
	if word(0)&1 != 0 {
		l.order = binary.BigEndian
	}
	size := word(8)
	l.add(head[:24])
	if word(0)&^1 != 0x377f0682 || word(4) != 3007000 || size < 512 || size > 65536 || size&(size-1) != 0 ||
		l.sum != [2]uint32{word(24), word(28)} {
		return false, damaged("the beginning of its log is not as it was written")
	}
	copy(l.salt[:], head[16:24])
	l.page = make([]byte, size)
	return true, nil
}

// add adds b, whose length is a multiple of 8, to the sum.
func (l *logReader) add(b []byte) {
	s0, s1 := l.sum[0], l.sum[1]
	for ; len(b) >= 8; b = b[8:] {
		s0 += l.order.Uint32(b) + s1
		s1 += l.order.Uint32(b[4:]) + s0
	}
	l.sum = [2]uint32{s0, s1}
}

// frame reads the next frame: io.EOF if there is none. A frame whose sum is right
// and whose salt is not was whole once.
func (l *logReader) frame() (kind, error) {
	_, err := io.ReadFull(l.in, l.header[:])
	if err != nil {
		return bad, eof(err)
	}
	l.salted = string(l.header[8:16]) == string(l.salt[:])
	if _, err := io.ReadFull(l.in, l.page); err != nil {
		if eof(err) == io.EOF {
			return bad, nil
		}
		return bad, err
	}
	before := l.sum
	l.add(l.header[:8])
	l.add(l.page)
	if l.sum != [2]uint32{binary.BigEndian.Uint32(l.header[16:]), binary.BigEndian.Uint32(l.header[20:])} {
		l.sum = before
		return bad, nil
	}
	if !l.salted {
		return bad, damaged("a part of its log is not as it was written")
	}
	return good, nil
}

// tail looks at the frames from the first bad one on, which was read last. Pages
// of a transaction are in ascending order, and the last says how many pages the
// database has.
func (l *logReader) tail() error {
	last, ended := uint32(0), false
	for {
		if l.salted {
			page := binary.BigEndian.Uint32(l.header[:])
			if ended || page <= last {
				return damaged("a part of its log that had been synced is not as it was written")
			}
			last, ended = page, binary.BigEndian.Uint32(l.header[4:]) != 0
		}
		if _, err := l.frame(); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

// eof makes one error of an end in the midst of something and one before it.
func eof(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return io.EOF
	}
	return err
}
