package recorder

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"

	"flytt/internal/guardedcsv"
	"flytt/internal/packed"
	"flytt/pipeline"
)

// codeLookupMissing is what a mapping notes when a lookup finds nothing; the
// key is in Private.
const codeLookupMissing pipeline.Code = "lookup_missing"

// maxMissingKeys is how many different keys are remembered in a run, as 64-bit
// hashes: some 20 MB at most.
const maxMissingKeys = 1 << 20

// missing writes down the keys that lookups did not find, each once for each
// table. Only its render may be called concurrently.
type missing struct {
	dialect *guardedcsv.Dialect
	tables  []missingTable
	byField []int // table of each field, or -1
	seen    map[uint64]struct{}
	limit   int
}

type missingTable struct {
	recordFile
	seed maphash.Seed
	rows []byte // not written yet
	from int64  // the row from which on keys may repeat; 0: none do
}

func (m *missing) init(r *Recorder) {
	m.dialect, m.seen, m.limit = r.dialect, map[uint64]struct{}{}, maxMissingKeys
	head := r.head([]string{"key", "row"})
	index, taken := map[string]int{}, map[string]bool{}
	for _, table := range r.options.Tables {
		at, known := index[table]
		switch {
		case table == "":
			at = -1
		case !known:
			at = len(m.tables)
			index[table] = at
			name := missingName(table, taken)
			m.tables = append(m.tables, missingTable{
				recordFile: recordFile{name: name, path: filepath.Join(r.dir, name+".csv"), head: head},
				seed:       maphash.MakeSeed(),
			})
		}
		m.byField = append(m.byField, at)
	}
}

// missingName makes a file name of a table's, which may be a path: its letters
// and digits, numbered if another table has come to the same.
func missingName(table string, taken map[string]bool) string {
	base := filepath.Base(filepath.ToSlash(strings.ReplaceAll(table, `\`, "/")))
	base = strings.TrimSuffix(base, filepath.Ext(base))
	base = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' {
			return r
		}
		return '_'
	}, base)
	if len(base) > 100 || base == "" {
		base = "table"
	}
	name := "missing_" + base
	for n := 2; taken[name]; n++ {
		name = "missing_" + base + "_" + strconv.Itoa(n)
	}
	taken[name] = true
	return name
}

// render appends the keys among problems to dst in a form of its own: table,
// row, length and key.
func (m *missing) render(dst []byte, problems []pipeline.Problem, row int64) []byte {
	for i := range problems {
		p := &problems[i]
		if p.Code != codeLookupMissing || p.Field < 0 || int(p.Field) >= len(m.byField) || m.byField[p.Field] < 0 {
			continue
		}
		dst = binary.AppendUvarint(dst, uint64(m.byField[p.Field]))
		dst = binary.AppendUvarint(dst, uint64(row))
		dst = packed.AppendBytes(dst, p.Private)
	}
	return dst
}

// write writes those of the rendered keys that are new.
func (m *missing) write(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	for r := (packed.Reader{Rest: data}); len(r.Rest) > 0; {
		table, row := r.Uvarint(), r.Uvarint()
		m.add(&m.tables[table], r.Bytes(), int64(row))
	}
	return m.flush()
}

func (m *missing) add(t *missingTable, key []byte, row int64) {
	h := maphash.Bytes(t.seed, key)
	if _, ok := m.seen[h]; ok {
		return
	}
	if len(m.seen) < m.limit {
		m.seen[h] = struct{}{}
	} else if t.from == 0 {
		t.from = row
	}
	t.rows = m.dialect.AppendGuarded(t.rows, key)
	t.rows = append(t.rows, m.dialect.Delimiter)
	t.rows = strconv.AppendInt(t.rows, row, 10)
	t.rows = append(t.rows, m.dialect.End...)
}

func (m *missing) flush() error {
	var errs []error
	for i := range m.tables {
		t := &m.tables[i]
		errs = append(errs, t.write(t.rows))
		t.rows = t.rows[:0]
	}
	return errors.Join(errs...)
}

// finish ends each file in which keys may repeat with a line that says so.
func (m *missing) finish() error {
	for i := range m.tables {
		t := &m.tables[i]
		if t.from == 0 {
			continue
		}
		t.rows = fmt.Appendf(t.rows, "%cfrom row %d on keys may repeat%s", m.dialect.Delimiter, t.from, m.dialect.End)
	}
	return m.flush()
}
