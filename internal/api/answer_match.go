package api

import (
	"bytes"
	"hash/maphash"
)

// matching finds for each row that was sent the entry of the answer that shows its
// record.
type matching struct {
	key         *keyField
	sent        *Sent
	entries     []entry
	rows        []rowResult
	distinct    int // ids of records that the answer shows
	ids         idTable
	byKeys      map[string][]int32 // rows by their keys
	unnamed     int                // failures of unknown rows
	mayHaveMore bool               // there may be more such failures
	reordered   bool               // a failure names a row that was sent at another position
}

// rowResult is what the answer says about a row.
type rowResult struct {
	item   int32 // the entry that shows it, or -1
	method MatchMethod
	failed bool // an entry reports that it failed
}

func (m *matching) reset(key *keyField, sent *Sent, entries []entry) {
	m.key, m.sent, m.entries, m.byKeys = key, sent, entries, nil
	m.unnamed, m.mayHaveMore, m.reordered = 0, false, false
	m.rows = m.rows[:0]
	for range sent.Items {
		m.rows = append(m.rows, rowResult{item: -1})
	}
	m.distinct = m.ids.mark(entries)
}

// shownBy returns the entry that shows row i, or nil.
func (m *matching) shownBy(i int) *entry {
	if m.rows[i].item < 0 {
		return nil
	}
	return &m.entries[m.rows[i].item]
}

// showsAll reports whether the answer shows as many ids as rows: all were created.
func (m *matching) showsAll() bool { return m.distinct == len(m.rows) }

// undecided reports whether the outcome of row i is not known yet.
func (m *matching) undecided(i int32) bool { return m.rows[i].item < 0 && !m.rows[i].failed }

// usable reports whether entry j may show the record of a row: it reports no failure,
// and neither it nor its id was assigned to a row.
func (m *matching) usable(j int32) bool {
	e := &m.entries[j]
	return !e.failed && !e.taken && (e.first < 0 || !m.entries[e.first].idTaken)
}

// unclaimed reports whether entry j shows a record that was not assigned to a row.
func (m *matching) unclaimed(j int32) bool { return m.usable(j) && m.entries[j].first >= 0 }

// isFirst reports whether entry j is the first one with its id.
func (m *matching) isFirst(j int32) bool { return m.entries[j].first == j }

func (m *matching) assign(i, j int32, how MatchMethod) {
	m.rows[i] = rowResult{item: j, method: how}
	e := &m.entries[j]
	e.taken = true
	if e.first >= 0 {
		m.entries[e.first].idTaken = true
	}
}

// inOrder matches all rows at once if the answer has the keys that were sent in the
// same order, every row has a key, and no id occurs twice. Most answers are like that.
func (m *matching) inOrder() bool {
	if len(m.entries) != len(m.rows) {
		return false
	}
	for i := range m.entries {
		e := &m.entries[i]
		key := m.key.normal(m.sent.key(i))
		if len(key) == 0 || e.failed || !bytes.Equal(key, e.key) || e.first >= 0 && e.first != int32(i) {
			return false
		}
	}
	for i := range m.rows {
		m.assign(int32(i), int32(i), ByKey)
	}
	return true
}

// byKey matches entries with the rows that have the same key. If a key was sent or
// answered several times, the other fields decide.
func (m *matching) byKey() {
	m.byKeys = map[string][]int32{}
	for i := range m.rows {
		if key := m.key.normal(m.sent.key(i)); len(key) > 0 {
			m.byKeys[string(key)] = append(m.byKeys[string(key)], int32(i))
		}
	}
	items := map[string][]int32{}
	for j := range m.entries {
		if e := &m.entries[j]; !e.failed && len(m.byKeys[string(e.key)]) > 0 {
			items[string(e.key)] = append(items[string(e.key)], int32(j))
		}
	}
	for j := range m.entries {
		if list := items[string(m.entries[j].key)]; len(list) > 0 && list[0] == int32(j) {
			m.sameKey(m.byKeys[string(m.entries[j].key)], list)
		}
	}
}

// sameKey matches rows and items that all have the same key.
func (m *matching) sameKey(rows, items []int32) {
	if len(rows) == 1 && len(items) == 1 && m.mayBeOther(rows[0], items[0]) {
		return
	}
	if len(rows) > 1 || len(items) > 1 {
		p := pairing{matching: m, rows: rows, items: items, how: ByKey, acceptBest: true}
		p.run()
	}
	m.assignInOrder(rows, items, ByKey)
}

// mayBeOther reports whether entry j, which has the key of row i, may show another row:
// the answer does not show a record for each row, the entry differs in other fields,
// and another row agrees with it in all of them. The API may have made this key from
// that row's.
func (m *matching) mayBeOther(i, j int32) bool {
	got := m.entries[j].object
	if m.showsAll() || Same(m.sent.Items[i], got) || m.agrees(i, got) {
		return false
	}
	for other := range int32(len(m.rows)) {
		if other != i && m.undecided(other) && m.agrees(other, got) {
			return true
		}
	}
	return false
}

// agrees reports whether got has all fields of row i, in some form, but for its key.
func (m *matching) agrees(i int32, got []byte) bool {
	agree, fields := m.agreement(m.sent.Items[i], got)
	return fields > 0 && agree == fields
}

// assignInOrder matches rows with items, one after another.
func (m *matching) assignInOrder(rows, items []int32, how MatchMethod) {
	for _, i := range rows {
		for m.undecided(i) && len(items) > 0 {
			if m.usable(items[0]) {
				m.assign(i, items[0], how)
			}
			items = items[1:]
		}
	}
}

// mayShowAny reports whether entry j may show the record of any row. An entry with
// exactly the key of one row does not belong to another, unless all rows were created.
func (m *matching) mayShowAny(j int32) bool {
	key := m.entries[j].key
	return m.usable(j) && (m.showsAll() || len(key) == 0 || len(m.byKeys[string(key)]) == 0)
}

// inPlace matches the rows without keys whose fields are in the answer at the position
// where they were sent.
func (m *matching) inPlace() {
	if len(m.entries) != len(m.rows) {
		return
	}
	for i := range m.rows {
		if n := int32(i); m.undecided(n) && m.usable(n) && !m.keysDiffer(i) && Same(m.sent.Items[i], m.entries[i].object) {
			m.assign(n, n, ByFields)
		}
	}
}

// keysDiffer reports whether row i and entry i both have a key. Equal keys are matched
// already.
func (m *matching) keysDiffer(i int) bool { return len(m.sent.key(i)) > 0 && len(m.entries[i].key) > 0 }

// left returns the rows that are not matched yet, and the items that may show them.
func (m *matching) left() (rows, items []int32) {
	for i := range int32(len(m.rows)) {
		if m.undecided(i) {
			rows = append(rows, i)
		}
	}
	if len(rows) == 0 {
		return nil, nil
	}
	for j := range int32(len(m.entries)) {
		if m.mayShowAny(j) {
			items = append(items, j)
		}
	}
	return rows, items
}

// complete reports whether items have a record for each of rows, and whether rows and
// items are accounted for: each item must be the record of one of rows, because the
// other rows failed.
func (m *matching) complete(rows, items []int32) (complete, accounted bool) {
	if m.showsAll() {
		return true, true
	}
	ids := map[int32]bool{}
	for _, j := range items {
		if first := m.entries[j].first; first >= 0 {
			ids[first] = true
		}
	}
	accounted = !m.mayHaveMore && len(ids)+m.unnamed == len(rows)
	return accounted && m.unnamed == 0, accounted
}

// byFields matches the remaining rows by the values that rows and items share.
func (m *matching) byFields() {
	rows, items := m.left()
	if len(rows) == 0 || len(items) == 0 {
		return
	}
	p := pairing{matching: m, how: ByFields}
	p.acceptBest, p.accounted = m.complete(rows, items)
	for i := range int32(len(m.rows)) {
		p.rows = append(p.rows, i)
	}
	for j := range int32(len(m.entries)) {
		if !m.entries[j].failed {
			p.items = append(p.items, j)
		}
	}
	p.run()
}

// byPosition matches the remaining rows by position, if there is a record for each row:
// first those at the position where they were sent, then one after another.
func (m *matching) byPosition() {
	rows, items := m.left()
	if complete, _ := m.complete(rows, items); len(rows) == 0 || !complete {
		return
	}
	records := items[:0]
	for _, j := range items {
		switch i := m.entries[j].place; {
		case !m.unclaimed(j):
		case len(m.entries) == len(m.rows) && m.undecided(i):
			m.assign(i, j, ByPosition)
		default:
			records = append(records, j)
		}
	}
	m.assignInOrder(rows, records, ByPosition)
}

// bySuccess matches rows with entries that show no record but say that the row at their
// position was written.
func (m *matching) bySuccess(sizes []int) {
	for j := range int32(len(m.entries)) {
		e := &m.entries[j]
		if e.saysWritten && len(e.id) == 0 && m.usable(j) && m.aligned(e.list, sizes) && m.undecided(e.place) {
			m.assign(e.place, j, ByPosition)
		}
	}
}

// aligned reports whether a list has an entry for each row, and nothing shows that they
// are in another order.
func (m *matching) aligned(list int32, sizes []int) bool {
	if m.reordered || sizes[list] != len(m.rows) {
		return false
	}
	for i := range m.rows {
		if e := m.shownBy(i); e != nil && e.list == list && e.place != int32(i) {
			return false
		}
	}
	return true
}

// idTable finds ids that occur several times in one answer.
type idTable struct {
	seed  maphash.Seed
	slots []int32 // a hash table with open addressing: index of an entry plus 1, or 0
}

// mark sets first of each entry that shows a record and returns the number of distinct
// ids.
func (t *idTable) mark(entries []entry) (distinct int) {
	t.clear(2 * len(entries))
	for j := range entries {
		e := &entries[j]
		e.first, e.taken, e.idTaken = -1, false, false
		if e.failed || len(e.id) == 0 {
			continue
		}
		if e.first = t.find(entries, e.id, int32(j)); e.first == int32(j) {
			distinct++
		}
	}
	return distinct
}

// clear makes room for n entries.
func (t *idTable) clear(n int) {
	size := 64
	for size < n {
		size *= 2
	}
	if t.slots == nil {
		t.seed = maphash.MakeSeed()
	}
	if len(t.slots) < size {
		t.slots = make([]int32, size)
		return
	}
	clear(t.slots)
}

// find returns the first entry that has id, which is j if there was none before.
func (t *idTable) find(entries []entry, id []byte, j int32) int32 {
	mask := uint64(len(t.slots) - 1)
	for at := maphash.Bytes(t.seed, id) & mask; ; at = (at + 1) & mask {
		switch k := t.slots[at]; {
		case k == 0:
			t.slots[at] = j + 1
			return j
		case bytes.Equal(entries[k-1].id, id):
			return k - 1
		}
	}
}
