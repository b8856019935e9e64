package dedup

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"sort"
)

// Duplicate says that a row is not alone.
type Duplicate struct {
	Kind uint8 // what it is alike in: the low byte of its record's tag

	table *Table
	group uint64
}

// Group is rows that are alike.
type Group struct {
	Count       int64   // how many they are
	First, Last int64   // the first of them and the last
	Some        []int64 // the first few, ascending
}

// some is how many rows of a group are named.
const some = 5

const (
	groupSize = 8 * (3 + some) // bytes of a group: how many, first, last, some
	entrySize = 16             // bytes of an entry: row, kind and group
	kindShift = 56             // of the kind, above the group: those of one row are in the order of their kinds
)

// Table says of rows what they duplicate with. It keeps itself in files, and may be
// asked by several goroutines at once.
type Table struct {
	duplicates int64 // entries in byRow
	byRow      *os.File
	groups     *os.File
}

// Find makes the table of the records in s of which at least two have the same
// digest; such records have to have the same kind. Its files are in dir; memory
// is bounded by so many records. What is in s stays there.
func Find(s *Sorter, dir string, records int) (_ *Table, err error) {
	t := &Table{}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.Close())
		}
	}()
	rows := NewSorter(dir, records)
	defer func() { err = errors.Join(err, rows.Close()) }()
	if t.groups, err = temporary(dir); err != nil {
		return t, err
	}
	g := grouper{out: bufio.NewWriterSize(t.groups, fileBuffer), rows: rows}
	if err := errors.Join(s.Sorted(g.add), g.end(), g.out.Flush()); err != nil {
		return t, fmt.Errorf("sorting: %w", err)
	}
	if t.byRow, err = temporary(dir); err != nil {
		return t, err
	}
	out := bufio.NewWriterSize(t.byRow, fileBuffer)
	err = rows.Sorted(func(r *Record) error {
		var b [entrySize]byte
		binary.LittleEndian.PutUint64(b[:], r.Hi)
		binary.LittleEndian.PutUint64(b[8:], r.Lo)
		t.duplicates++
		_, err := out.Write(b[:])
		return err
	})
	if err = errors.Join(err, out.Flush()); err != nil {
		return t, fmt.Errorf("sorting: %w", err)
	}
	return t, nil
}

// grouper puts equals together as they come.
type grouper struct {
	out  *bufio.Writer
	rows *Sorter // of the rows in groups: row, and group and kind

	groups  uint64 // written
	current Record // the first of the group that is being read
	kind    uint8
	count   int64
	last    int64
	some    []int64
}

// add takes the next record.
func (g *grouper) add(r *Record) error {
	if g.count == 0 || r.Hi != g.current.Hi || r.Lo != g.current.Lo {
		if err := g.end(); err != nil {
			return err
		}
		g.current, g.kind, g.some = *r, uint8(r.Tag), g.some[:0]
	}
	g.count++
	g.last = r.Row
	if len(g.some) < some {
		g.some = append(g.some, r.Row)
	}
	switch g.count {
	case 1:
		return nil
	case 2: // the first was not known to have company
		if err := g.note(g.current.Row); err != nil {
			return err
		}
	}
	return g.note(r.Row)
}

// note notes that row is in the group.
func (g *grouper) note(row int64) error {
	return g.rows.Add([]Record{{Hi: uint64(row), Lo: uint64(g.kind)<<kindShift | g.groups}})
}

// end ends the group.
func (g *grouper) end() error {
	count := g.count
	g.count = 0
	if count < 2 {
		return nil
	}
	b := make([]byte, 0, groupSize)
	b = binary.LittleEndian.AppendUint64(b, uint64(count))
	b = binary.LittleEndian.AppendUint64(b, uint64(g.current.Row))
	b = binary.LittleEndian.AppendUint64(b, uint64(g.last))
	for i := range some {
		row := int64(-1)
		if i < len(g.some) {
			row = g.some[i]
		}
		b = binary.LittleEndian.AppendUint64(b, uint64(row))
	}
	g.groups++
	_, err := g.out.Write(b)
	return err
}

// Len returns how many duplicates there are: rows that are alike in two things count
// twice.
func (t *Table) Len() int64 { return t.duplicates }

// Of calls yield for every duplicate of rows, numbers of rows in any order, with the
// index in rows. Its error ends it.
func (t *Table) Of(rows []int64, yield func(i int, c Duplicate) error) error {
	if t.duplicates == 0 || len(rows) == 0 {
		return nil
	}
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	if !slices.IsSorted(rows) {
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rows[a], rows[b]) })
	}
	w := window{table: t}
	from, err := w.search(rows[order[0]])
	if err != nil {
		return err
	}
	for _, i := range order {
		if from, err = w.duplicatesOf(rows[i], from, func(c Duplicate) error { return yield(i, c) }); err != nil {
			return err
		}
	}
	return nil
}

// Close removes the files.
func (t *Table) Close() error {
	var files []*os.File
	for _, f := range []*os.File{t.byRow, t.groups} {
		if f != nil {
			files = append(files, f)
		}
	}
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
	if i < w.from || i >= w.from+int64(len(w.data)/entrySize) {
		n := min(windowEntries, w.table.duplicates-i)
		w.from, w.data = i, slices.Grow(w.data[:0], int(n)*entrySize)[:n*entrySize]
		if _, err := w.table.byRow.ReadAt(w.data, i*entrySize); err != nil {
			w.err, w.data = fmt.Errorf("sorting: %w", err), nil
			return 0, 0, false
		}
	}
	b := w.data[(i-w.from)*entrySize:]
	return int64(binary.LittleEndian.Uint64(b)), binary.LittleEndian.Uint64(b[8:]), true
}

// search returns the index of the first entry of row or a later one.
func (w *window) search(row int64) (int64, error) {
	i := sort.Search(int(w.table.duplicates), func(i int) bool {
		at, _, _ := w.entry(int64(i))
		return at >= row
	})
	return int64(i), w.err
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

// Group reads the rows that are alike.
func (c Duplicate) Group() (Group, error) {
	var b [groupSize]byte
	if _, err := c.table.groups.ReadAt(b[:], int64(c.group)*groupSize); err != nil {
		return Group{}, fmt.Errorf("sorting: %w", err)
	}
	word := func(i int) int64 { return int64(binary.LittleEndian.Uint64(b[8*i:])) }
	g := Group{Count: word(0), First: word(1), Last: word(2)}
	for i := range some {
		if row := word(3 + i); row >= 0 {
			g.Some = append(g.Some, row)
		}
	}
	return g, nil
}
