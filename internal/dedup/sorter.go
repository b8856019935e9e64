package dedup

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"

	"flytt/internal/osfile"
)

// Record is something that a row is compared by.
type Record struct {
	Hi, Lo uint64 // a keyed digest, or whatever else is sorted by
	Row    int64
	Tag    uint64 // the caller's
}

// compare orders records by digest, then by row.
func compare(a, b Record) int {
	switch {
	case a.Hi != b.Hi:
		return cmp.Compare(a.Hi, b.Hi)
	case a.Lo != b.Lo:
		return cmp.Compare(a.Lo, b.Lo)
	case a.Row != b.Row:
		return cmp.Compare(a.Row, b.Row)
	}
	return cmp.Compare(a.Tag, b.Tag)
}

const (
	recordSize = 32      // bytes of a record in a file
	fileBuffer = 1 << 16 // bytes of the buffer of an open file
	fanIn      = 64      // files that are merged at once
)

// Sorter sorts records in bounded memory. What it cannot hold it writes to files
// in a directory. The files hold the records as they are, so their digests must be
// keyed: others can be found out by trying all texts. Add may be called by several
// goroutines at once, each of which sorts the buffers that it fills.
type Sorter struct {
	dir  string
	room int // records in a buffer

	mu    sync.Mutex
	held  []Record   // not full
	free  [][]Record // buffers that were emptied
	files []*os.File // sorted, one for each time that a buffer was full
}

// NewSorter returns a sorter that holds so many records in memory, each of 32
// bytes, and writes the others to files in dir. That is as long as no more
// goroutines add records at once than there are processors.
func NewSorter(dir string, records int) *Sorter {
	return &Sorter{dir: dir, room: max(records/(runtime.GOMAXPROCS(0)+1), 1)}
}

// Add takes records in.
func (s *Sorter) Add(records []Record) error {
	for len(records) > 0 {
		n, full := s.hold(records)
		records = records[n:]
		if full == nil {
			continue
		}
		if err := s.spill(full); err != nil {
			return err
		}
	}
	return nil
}

// hold takes as many of records in as there is room for, and returns how many that
// are, and the buffer if it is full.
func (s *Sorter) hold(records []Record) (n int, full []Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		s.held = s.buffer()
	}
	n = min(s.room-len(s.held), len(records))
	s.held = append(s.held, records[:n]...)
	if len(s.held) == s.room {
		full, s.held = s.held, nil
	}
	return n, full
}

// buffer returns an empty buffer. The lock is held.
func (s *Sorter) buffer() []Record {
	if last := len(s.free) - 1; last >= 0 {
		b := s.free[last]
		s.free = s.free[:last]
		return b
	}
	return make([]Record, 0, s.room)
}

// spill writes records, a full buffer, to a file.
func (s *Sorter) spill(records []Record) error {
	slices.SortFunc(records, compare)
	f, _, err := write(s.dir, func(put func(*Record) error) error {
		for i := range records {
			if err := put(&records[i]); err != nil {
				return err
			}
		}
		return nil
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, records[:0])
	if f != nil {
		s.files = append(s.files, f)
	}
	if err == nil && len(s.files) >= 2*fanIn {
		err = s.condense()
	}
	return err
}

// condense makes one file of the first ones, so that no merge reads too many at
// once. The lock is held.
func (s *Sorter) condense() error {
	old := slices.Clone(s.files[:fanIn])
	s.files = slices.Delete(s.files, 0, fanIn)
	f, _, err := write(s.dir, func(put func(*Record) error) error { return merge(nil, old, put) })
	if f != nil {
		s.files = append(s.files, f)
	}
	return errors.Join(err, discard(old))
}

// write makes a file in dir of the records that fill puts, and returns how many they are. There
// may be one after an error, too.
func write(dir string, fill func(put func(*Record) error) error) (f *os.File, n int64, err error) {
	if f, err = temporary(dir); err != nil {
		return nil, 0, err
	}
	w := bufio.NewWriterSize(f, fileBuffer)
	err = fill(func(r *Record) error {
		var b [recordSize]byte
		r.put(&b)
		n++
		_, err := w.Write(b[:])
		return err
	})
	if err = errors.Join(err, w.Flush()); err != nil {
		err = fmt.Errorf("sorting: %w", err)
	}
	return f, n, err
}

// temporary makes a file that is gone when it is closed.
func temporary(dir string) (*os.File, error) {
	f, err := osfile.Nameless(dir, ".sort-*")
	if err != nil {
		err = fmt.Errorf("sorting: %w", err)
	}
	return f, err
}

func (r *Record) put(b *[recordSize]byte) {
	binary.LittleEndian.PutUint64(b[0:], r.Hi)
	binary.LittleEndian.PutUint64(b[8:], r.Lo)
	binary.LittleEndian.PutUint64(b[16:], uint64(r.Row))
	binary.LittleEndian.PutUint64(b[24:], r.Tag)
}

func (r *Record) take(b *[recordSize]byte) {
	r.Hi, r.Lo = binary.LittleEndian.Uint64(b[0:]), binary.LittleEndian.Uint64(b[8:])
	r.Row, r.Tag = int64(binary.LittleEndian.Uint64(b[16:])), binary.LittleEndian.Uint64(b[24:])
}

// Sorted calls yield with every record, ascending by digest, row and tag. The
// record is valid until yield returns, whose error ends it.
func (s *Sorter) Sorted(yield func(*Record) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortFunc(s.held, compare)
	for len(s.files) > fanIn {
		if err := s.condense(); err != nil {
			return err
		}
	}
	return merge(s.held, s.files, yield)
}

// Close removes the files.
func (s *Sorter) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := discard(s.files)
	s.files, s.held, s.free = nil, nil, nil
	return err
}

func discard(files []*os.File) error {
	var errs []error
	for _, f := range files {
		errs = append(errs, osfile.CloseNameless(f))
	}
	return errors.Join(errs...)
}

// stream is sorted records that are being merged.
type stream struct {
	Record // the next

	held []Record      // those after it, of a stream in memory
	in   *bufio.Reader // of one in a file
}

// next moves on to the next record. It reports false at the end.
func (s *stream) next() (bool, error) {
	if s.in == nil {
		if len(s.held) == 0 {
			return false, nil
		}
		s.Record, s.held = s.held[0], s.held[1:]
		return true, nil
	}
	var b [recordSize]byte
	if _, err := io.ReadFull(s.in, b[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		return false, fmt.Errorf("sorting: %w", err)
	}
	s.take(&b)
	return true, nil
}

// merge yields what is held, which is sorted, and what the files hold, in order.
func merge(held []Record, files []*os.File, yield func(*Record) error) error {
	var heap []*stream
	add := func(s *stream) error {
		more, err := s.next()
		if more {
			heap = append(heap, s)
		}
		return err
	}
	if err := add(&stream{held: held}); err != nil {
		return err
	}
	for _, f := range files {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("sorting: %w", err)
		}
		if err := add(&stream{in: bufio.NewReaderSize(f, fileBuffer)}); err != nil {
			return err
		}
	}
	slices.SortFunc(heap, func(a, b *stream) int { return compare(a.Record, b.Record) })
	for len(heap) > 0 {
		if err := yield(&heap[0].Record); err != nil {
			return err
		}
		more, err := heap[0].next()
		if err != nil {
			return err
		}
		if !more {
			heap[0] = heap[len(heap)-1]
			heap = heap[:len(heap)-1]
		}
		sink(heap)
	}
	return nil
}

// sink restores the order of a heap whose first stream has moved on.
func sink(heap []*stream) {
	for i := 0; ; {
		least := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(heap) && compare(heap[child].Record, heap[least].Record) < 0 {
				least = child
			}
		}
		if least == i {
			return
		}
		heap[i], heap[least] = heap[least], heap[i]
		i = least
	}
}
