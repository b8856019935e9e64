package dedup

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"
)

// Duplicate says that another row has the same text of a kind.
type Duplicate struct {
	Kind uint8 // what it is alike in: the low byte of its record's tag

	table *Table
	group uint64
}

// Group is a set of rows that have the same text of one kind.
type Group struct {
	Count       int64   // how many they are
	First, Last int64   // the first of them and the last
	Some        []int64 // the first few, ascending
}

// some is how many rows of a group are named.
const some = 5

// kindShift is where a record of a row has the kind, above the number of the group: those of one
// row are in the order of their kinds.
const kindShift = 56

// Table says which rows are duplicates, and of which kind. It is stored in files, and is
// safe for concurrent use.
type Table struct {
	duplicates int64
	byRow      *os.File // a record for each: row, kind and group
	groups     *os.File // a storedGroup for each
}

// storedGroup is a Group in a file.
type storedGroup struct {
	Count, First, Last int64
	Some               [some]int64
}

var groupSize = int64(binary.Size(storedGroup{}))

// Find makes the table of the records in s of which at least two have the same
// digest; such records have to have the same kind. Its files are in dir; memory
// is bounded by so many records. What is in s stays there.
func Find(s *Sorter, dir string, records int) (_ *Table, err error) {
	t := &Table{}
	rows := NewSorter(dir, records)
	defer func() {
		if err = errors.Join(err, rows.Close()); err != nil {
			err = errors.Join(err, t.Close())
		}
	}()
	if t.groups, err = temporary(dir); err != nil {
		return t, err
	}
	g := grouper{out: bufio.NewWriterSize(t.groups, fileBuffer), rows: rows}
	if err := errors.Join(s.Sorted(g.add), g.end(), g.out.Flush()); err != nil {
		return t, fmt.Errorf("sorting: %w", err)
	}
	t.byRow, t.duplicates, err = write(dir, rows.Sorted)
	return t, err
}

// grouper puts records with equal digests into groups, as they come.
type grouper struct {
	out  *bufio.Writer
	rows *Sorter // of the rows in groups: row, and group and kind

	groups  uint64      // written
	first   Record      // of the group that is being read
	current storedGroup // that group
}

func (g *grouper) add(r *Record) error {
	c := &g.current
	if c.Count == 0 || r.Hi != g.first.Hi || r.Lo != g.first.Lo {
		if err := g.end(); err != nil {
			return err
		}
		g.first, *c = *r, storedGroup{First: r.Row}
	}
	if c.Count < some {
		c.Some[c.Count] = r.Row
	}
	c.Count++
	c.Last = r.Row
	switch c.Count {
	case 1:
		return nil
	case 2: // the first was not known to have company
		if err := g.note(c.First); err != nil {
			return err
		}
	}
	return g.note(r.Row)
}

func (g *grouper) note(row int64) error {
	return g.rows.Add([]Record{{Hi: uint64(row), Lo: uint64(uint8(g.first.Tag))<<kindShift | g.groups}})
}

func (g *grouper) end() (err error) {
	if g.current.Count > 1 {
		g.groups++
		err = binary.Write(g.out, binary.LittleEndian, &g.current)
	}
	g.current.Count = 0
	return err
}

// Len returns how many duplicates there are. A row that is a duplicate in two kinds counts
// twice.
func (t *Table) Len() int64 { return t.duplicates }

// Of calls yield for every duplicate of rows, numbers of rows in any order, with the
// index in rows. Its error ends it.
func (t *Table) Of(rows []int64, yield func(i int, c Duplicate) error) error {
	if t.duplicates == 0 {
		return nil
	}
	w := window{table: t}
	from := int64(0)
	for i, row := range rows {
		var err error
		if i == 0 || row < rows[i-1] {
			from = w.search(row)
		}
		if from, err = w.duplicatesOf(row, from, func(d Duplicate) error { return yield(i, d) }); err != nil {
			return err
		}
	}
	return nil
}

// Close removes the files.
func (t *Table) Close() error {
	files := slices.DeleteFunc([]*os.File{t.byRow, t.groups}, func(f *os.File) bool { return f == nil })
	t.byRow, t.groups, t.duplicates = nil, nil, 0
	return discard(files)
}

// window is the part of the entries that is being looked at.
type window struct {
	table *Table
	from  int64 // index of its first entry
	data  []byte
	err   error
}

const windowEntries = 512

// entry returns entry i; ok is false beyond the last, and after an error.
func (w *window) entry(i int64) (row int64, group uint64, ok bool) {
	if w.err != nil || i >= w.table.duplicates {
		return 0, 0, false
	}
	if i < w.from || i >= w.from+int64(len(w.data)/recordSize) {
		n := min(windowEntries, w.table.duplicates-i)
		w.from, w.data = i, slices.Grow(w.data[:0], int(n)*recordSize)[:n*recordSize]
		if _, err := w.table.byRow.ReadAt(w.data, i*recordSize); err != nil {
			w.err, w.data = fmt.Errorf("sorting: %w", err), nil
			return 0, 0, false
		}
	}
	b := w.data[(i-w.from)*recordSize:]
	return int64(binary.LittleEndian.Uint64(b)), binary.LittleEndian.Uint64(b[8:]), true
}

// search returns the index of the first entry of row or a later one.
func (w *window) search(row int64) int64 {
	return int64(sort.Search(int(w.table.duplicates), func(i int) bool {
		at, _, _ := w.entry(int64(i))
		return at >= row
	}))
}

// duplicatesOf yields the duplicates of row, whose entries are at from or after it, and
// returns where those of later rows are. Rows may be asked for twice.
func (w *window) duplicatesOf(row, from int64, yield func(Duplicate) error) (int64, error) {
	for {
		at, _, ok := w.entry(from)
		if !ok || at >= row {
			break
		}
		from++
	}
	for i := from; ; i++ {
		at, group, ok := w.entry(i)
		if !ok || at != row {
			return from, w.err
		}
		if err := yield(Duplicate{Kind: uint8(group >> kindShift), table: w.table, group: group & (1<<kindShift - 1)}); err != nil {
			return from, err
		}
	}
}

// Group reads the group of d.
func (d Duplicate) Group() (Group, error) {
	var stored storedGroup
	file := io.NewSectionReader(d.table.groups, int64(d.group)*groupSize, groupSize)
	if err := binary.Read(file, binary.LittleEndian, &stored); err != nil {
		return Group{}, fmt.Errorf("sorting: %w", err)
	}
	n := min(stored.Count, some)
	return Group{Count: stored.Count, First: stored.First, Last: stored.Last, Some: stored.Some[:n]}, nil
}
