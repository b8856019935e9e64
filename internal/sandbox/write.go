package sandbox

import (
	"crypto/rand"
	"database/sql"
	"errors"
	mathrand "math/rand/v2"
	"net/http"
	"slices"

	"github.com/google/uuid"
)

// create answers POST on the collection.
func (x *exchange) create() error {
	rec, err := x.record()
	if err != nil {
		return err
	}
	if err := x.saver().saveOne(rec); err != nil {
		return err
	}
	return x.answer(http.StatusCreated, x.form().shaped(rec.doc))
}

// update answers PATCH on a row: fields that are not given stay as they are.
func (x *exchange) update() error {
	rec, err := x.record()
	if err != nil {
		return err
	}
	rec.update = true
	rec.values[x.table.id] = idValue(x.id, `"`, `"`)
	if err := x.saver().saveOne(rec); err != nil {
		return err
	}
	return x.answer(http.StatusOK, x.form().updated(rec))
}

// record reads the body, which is one record.
func (x *exchange) record() (*record, error) {
	body, err := x.body()
	if err != nil {
		return nil, err
	}
	return newReader(x.table, body).object()
}

// bulk answers POST on the list: items without an id make rows, those with one
// change theirs.
func (x *exchange) bulk() error {
	body, err := x.body()
	if err != nil {
		return err
	}
	r := newReader(x.table, body)
	r.named = x.box.options.ItemID != Ignored
	items, err := r.list(x.box.options.MaxItems)
	if err != nil {
		return err
	}
	x.entry.Rows = len(items)
	x.saver().identify(items)
	if err := x.saver().save(items, x.answers.Items.atomicity(x.box.options.Atomicity)); err != nil && !errors.Is(err, errInvalid) {
		return err
	}
	return x.form().bulkAnswer(items)
}

// remove answers DELETE on a row.
func (x *exchange) remove() error {
	err := x.saver().commit(func(tx *transaction) (int, error) {
		result, err := tx.statement(x.table.sql.remove).Exec(x.id[:], x.tenant)
		if err != nil {
			return 0, err
		}
		n, err := result.RowsAffected()
		if err == nil && n == 0 {
			err = notFound
		}
		return int(n), err
	})
	if err != nil {
		return err
	}
	return x.answer(http.StatusNoContent, nil)
}

// errInvalid says that nothing was written, because items have faults.
var errInvalid = errors.New("items with faults")

func (r *record) bad() bool { return r.faults != nil }

// saver is the part of an exchange that writes rows: it holds items to the rules and
// stores them.
type saver struct{ x *exchange }

func (x *exchange) saver() saver { return saver{x} }

// identify marks the items that change a row.
func (s saver) identify(items []*record) {
	seen := map[string]bool{}
	for _, rec := range items {
		id := &rec.values[s.x.table.id]
		switch {
		case !id.set:
		case s.x.box.options.ItemID == Refused:
			rec.fault("id", "This field is read-only.")
		case seen[string(id.text)]:
			rec.fault("id", "This id appears twice.")
		default:
			rec.update = true
			seen[string(id.text)] = true
		}
	}
}

// saveOne writes the only record of a request.
func (s saver) saveOne(rec *record) error {
	s.x.entry.Rows = 1
	err := s.save([]*record{rec}, All)
	switch {
	case rec.gone:
		return notFound
	case rec.bad():
		return invalid(rec.faults)
	}
	return err
}

// save holds the items to the rules and writes the good ones; with All and a
// bad one among them, none, and returns errInvalid.
func (s saver) save(items []*record, a Atomicity) error {
	if s.x.box.options.StrictRelations || len(s.x.table.unique) > 0 || slices.ContainsFunc(items, func(r *record) bool { return r.update }) {
		return s.commit(func(tx *transaction) (int, error) {
			if err := s.related(tx, items); err != nil {
				return 0, err
			}
			if err := s.load(tx, items); err != nil {
				return 0, err
			}
			if err := s.x.table.check(items); err != nil {
				return 0, err
			}
			if err := s.allToStoredForm(items); err != nil {
				return 0, err
			}
			if err := s.distinct(tx, items); err != nil {
				return 0, err
			}
			return s.put(tx, items, a)
		})
	}
	// Nothing to look up, the usual case: all but the writing happens outside the
	// transaction, on any core.
	if err := s.x.table.check(items); err != nil {
		return err
	}
	if a == All && slices.ContainsFunc(items, (*record).bad) {
		return errInvalid
	}
	if err := s.allToStoredForm(items); err != nil {
		return err
	}
	s.finish(items)
	return s.commit(func(tx *transaction) (int, error) { return s.insert(tx, items) })
}

// commit runs f, which returns how many rows it wrote, in a transaction.
func (s saver) commit(f func(tx *transaction) (int, error)) error {
	if err := s.x.at(Storing); err != nil {
		return err
	}
	if s.x.delay > 0 {
		s.x.postponed = func() { _ = s.transact(f) } // nobody is left to tell of an error
		return errLate
	}
	if err := s.transact(f); err != nil {
		return err
	}
	return s.x.at(Committed)
}

// transact runs f in a transaction and notes how many rows it wrote.
func (s saver) transact(f func(tx *transaction) (int, error)) error {
	rows := 0
	err := s.x.box.store.write(s.x.table, func(tx *transaction) (err error) {
		rows, err = f(tx)
		return err
	})
	if err == nil {
		s.x.entry.Committed = rows
	}
	return err
}

// load fills the items that change a row up with what is stored of it.
func (s saver) load(tx *transaction, items []*record) error {
	for _, rec := range items {
		if !rec.update {
			continue
		}
		id := rec.values[s.x.table.id].column.([]byte)
		doc, err := tx.doc(s.x.table, uuid.UUID(id), s.x.tenant)
		if err != nil {
			return err
		}
		if doc == nil {
			rec.gone = true
			rec.fault("id", "Not found.")
			continue
		}
		if err := s.x.table.merge(rec, doc); err != nil {
			return err
		}
	}
	return nil
}

// merge puts the stored values where rec gives none.
func (t *table) merge(rec *record, doc []byte) error {
	old, err := t.stored(doc)
	if err != nil {
		return err
	}
	rec.before = old
	for i := range rec.values {
		if !rec.values[i].set || t.made(i) {
			rec.values[i] = old.values[i]
			rec.values[i].stored = true
		}
	}
	return nil
}

// distinct finds values that must be unique and are there already, among the
// items or in the table.
func (s saver) distinct(tx *transaction, items []*record) error {
	for _, i := range s.x.table.unique {
		seen := map[string]bool{}
		for _, rec := range items {
			v := &rec.values[i]
			if rec.bad() || v.column == nil {
				continue
			}
			taken, err := tx.taken(s.x.table, i, rec, s.x.tenant)
			if err != nil {
				return err
			}
			if taken || seen[string(v.text)] {
				rec.fault(s.x.table.fields[i].Name, "This field must be unique.")
			}
			seen[string(v.text)] = true
		}
	}
	return nil
}

// taken reports whether another row of the tenant has rec's value in field i.
func (tx *transaction) taken(t *table, i int, rec *record, tenant int64) (bool, error) {
	text := "SELECT 1 FROM " + t.sql.name + " WHERE " + t.fields[i].column + "=? AND +_tenant=? AND id IS NOT ? LIMIT 1"
	var one int
	err := tx.tx.QueryRow(text, rec.values[i].column, tenant, rec.values[t.id].column).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// put writes the good items, new rows and changed ones, in their order.
func (s saver) put(tx *transaction, items []*record, a Atomicity) (int, error) {
	if a == All && slices.ContainsFunc(items, (*record).bad) {
		return 0, errInvalid
	}
	s.finish(items)
	change := tx.statement(s.x.table.sql.update)
	rows := 0
	for i, rec := range items {
		if rec.bad() {
			continue
		}
		if !rec.update {
			if _, err := s.insert(tx, items[i:i+1]); err != nil {
				return 0, err
			}
		} else if _, err := change.Exec(s.changes(rec)...); err != nil {
			return 0, err
		}
		rows++
	}
	return rows, nil
}

// changes returns the parameters of an update.
func (s saver) changes(rec *record) []any {
	args := rec.appendColumns(append(make([]any, 0, len(rec.values)+3), rec.doc))
	return append(args, rec.values[s.x.table.id].column, s.x.tenant)
}

// appendColumns appends the values of the fields as their columns hold them.
func (r *record) appendColumns(args []any) []any {
	for i := range r.values {
		args = append(args, r.values[i].column)
	}
	return args
}

// insert adds the good items as new rows.
func (s saver) insert(tx *transaction, items []*record) (int, error) {
	add := tx.statement(s.x.table.sql.insert)
	args := make([]any, 0, len(s.x.table.fields)+2)
	rows := 0
	for _, rec := range items {
		if rec.bad() {
			continue
		}
		args = rec.appendColumns(append(args[:0], s.x.tenant, rec.doc))
		if _, err := add.Exec(args...); err != nil {
			return 0, err
		}
		rows++
	}
	return rows, nil
}

// finish gives the good new items what only the server makes, and renders the
// good ones.
func (s saver) finish(items []*record) {
	random := make([]byte, 16*len(items))
	_, _ = rand.Read(random) // never fails
	created := s.x.stamp(len(items))
	for i, rec := range items {
		if rec.bad() {
			continue
		}
		if !rec.update {
			copy(random[16*i:], random[:sharedID])
			rec.values[s.x.table.id] = idValue(version4(random[16*i:]), `"`, `"`)
			if s.x.table.created >= 0 {
				rec.values[s.x.table.created] = timeValue(created + int64(i))
			}
		}
		s.x.table.render(rec)
	}
}

// sharedID is how many random bytes the ids of one request begin with in
// common. It leaves them next to each other in the index, so that a bulk write
// changes a few of its pages and not one for each row: in a large table that is
// most of the time. From one request to the next ids go up and down as they
// like.
const sharedID = 3

// version4 makes a random id of 16 random bytes (RFC 9562, section 5.4).
func version4(random []byte) uuid.UUID {
	id := uuid.UUID(random[:16])
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

// ordered returns the items in the order of the answer.
func (a answerForm) ordered(items []*record) []*record {
	switch a.x.box.options.AnswerOrder {
	case Reversed:
		slices.Reverse(items)
	case Shuffled:
		r := mathrand.New(mathrand.NewPCG(a.x.box.options.FaultSeed, uint64(len(items))))
		r.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	}
	return items
}

// appendRows renders the items as an array.
func (a answerForm) appendRows(dst []byte, items []*record) []byte {
	size := 2
	for _, rec := range items {
		size += len(rec.doc) + 1
	}
	dst = append(slices.Grow(dst, size), '[')
	for i, rec := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, a.written(rec)...)
	}
	return append(dst, ']')
}
