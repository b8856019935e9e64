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
	if err := x.saveOne(rec); err != nil {
		return err
	}
	return x.answer(http.StatusCreated, x.shaped(rec.doc))
}

// update answers PATCH on a row: fields that are not given stay as they are.
func (x *exchange) update() error {
	rec, err := x.record()
	if err != nil {
		return err
	}
	rec.update = true
	rec.values[x.table.id] = idValue(x.id, `"`, `"`)
	if err := x.saveOne(rec); err != nil {
		return err
	}
	return x.answer(http.StatusOK, x.updated(rec))
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
	x.identify(items)
	if err := x.save(items, x.answers.Items.atomicity(x.box.options.Atomicity)); err != nil && !errors.Is(err, errInvalid) {
		return err
	}
	return x.bulkAnswer(items)
}

// remove answers DELETE on a row.
func (x *exchange) remove() error {
	err := x.commit(func(tx *transaction) (int, error) {
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

// identify marks the items that change a row.
func (x *exchange) identify(items []*record) {
	seen := map[string]bool{}
	for _, rec := range items {
		id := &rec.values[x.table.id]
		switch {
		case !id.set:
		case x.box.options.ItemID == Refused:
			rec.fault("id", "This field is read-only.")
		case seen[string(id.text)]:
			rec.fault("id", "This id is there twice.")
		default:
			rec.update = true
			seen[string(id.text)] = true
		}
	}
}

// saveOne writes the only record of a request.
func (x *exchange) saveOne(rec *record) error {
	x.entry.Rows = 1
	err := x.save([]*record{rec}, All)
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
func (x *exchange) save(items []*record, a Atomicity) error {
	if x.box.options.StrictRelations || len(x.table.unique) > 0 || slices.ContainsFunc(items, func(r *record) bool { return r.update }) {
		return x.commit(func(tx *transaction) (int, error) {
			if err := x.related(tx, items); err != nil {
				return 0, err
			}
			if err := x.load(tx, items); err != nil {
				return 0, err
			}
			if err := x.table.check(items); err != nil {
				return 0, err
			}
			if err := x.allToStoredForm(items); err != nil {
				return 0, err
			}
			if err := x.distinct(tx, items); err != nil {
				return 0, err
			}
			return x.put(tx, items, a)
		})
	}
	// Nothing to look up, the usual case: all but the writing happens outside the
	// transaction, on any core.
	if err := x.table.check(items); err != nil {
		return err
	}
	if a == All && slices.ContainsFunc(items, (*record).bad) {
		return errInvalid
	}
	if err := x.allToStoredForm(items); err != nil {
		return err
	}
	x.finish(items)
	return x.commit(func(tx *transaction) (int, error) { return x.insert(tx, items) })
}

// commit runs f, which returns how many rows it wrote, in a transaction.
func (x *exchange) commit(f func(tx *transaction) (int, error)) error {
	if err := x.at(Storing); err != nil {
		return err
	}
	if x.delay > 0 {
		x.postponed = func() { _ = x.transact(f) } // nobody is left to tell of an error
		return errLate
	}
	if err := x.transact(f); err != nil {
		return err
	}
	return x.at(Committed)
}

// transact runs f in a transaction and notes how many rows it wrote.
func (x *exchange) transact(f func(tx *transaction) (int, error)) error {
	rows := 0
	err := x.box.store.write(x.table, func(tx *transaction) (err error) {
		rows, err = f(tx)
		return err
	})
	if err == nil {
		x.entry.Committed = rows
	}
	return err
}

// load fills the items that change a row up with what is stored of it.
func (x *exchange) load(tx *transaction, items []*record) error {
	for _, rec := range items {
		if !rec.update {
			continue
		}
		id := rec.values[x.table.id].column.([]byte)
		doc, err := tx.doc(x.table, uuid.UUID(id), x.tenant)
		if err != nil {
			return err
		}
		if doc == nil {
			rec.gone = true
			rec.fault("id", "Not found.")
			continue
		}
		if err := x.table.merge(rec, doc); err != nil {
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
func (x *exchange) distinct(tx *transaction, items []*record) error {
	for _, i := range x.table.unique {
		seen := map[string]bool{}
		for _, rec := range items {
			v := &rec.values[i]
			if rec.bad() || v.column == nil {
				continue
			}
			taken, err := tx.taken(x.table, i, rec, x.tenant)
			if err != nil {
				return err
			}
			if taken || seen[string(v.text)] {
				rec.fault(x.table.fields[i].Name, "This field must be unique.")
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
func (x *exchange) put(tx *transaction, items []*record, a Atomicity) (int, error) {
	if a == All && slices.ContainsFunc(items, (*record).bad) {
		return 0, errInvalid
	}
	x.finish(items)
	change := tx.statement(x.table.sql.update)
	rows := 0
	for i, rec := range items {
		if rec.bad() {
			continue
		}
		if !rec.update {
			if _, err := x.insert(tx, items[i:i+1]); err != nil {
				return 0, err
			}
		} else if _, err := change.Exec(x.changes(rec)...); err != nil {
			return 0, err
		}
		rows++
	}
	return rows, nil
}

// changes returns the parameters of an update.
func (x *exchange) changes(rec *record) []any {
	args := append(make([]any, 0, len(rec.values)+3), rec.doc)
	for i := range rec.values {
		args = append(args, rec.values[i].column)
	}
	return append(args, rec.values[x.table.id].column, x.tenant)
}

// insert adds the good items as new rows.
func (x *exchange) insert(tx *transaction, items []*record) (int, error) {
	add := tx.statement(x.table.sql.insert)
	args := make([]any, 0, len(x.table.fields)+2)
	rows := 0
	for _, rec := range items {
		if rec.bad() {
			continue
		}
		args = append(args[:0], x.tenant, rec.doc)
		for i := range rec.values {
			args = append(args, rec.values[i].column)
		}
		if _, err := add.Exec(args...); err != nil {
			return 0, err
		}
		rows++
	}
	return rows, nil
}

// finish gives the good new items what only the server makes, and renders the
// good ones.
func (x *exchange) finish(items []*record) {
	random := make([]byte, 16*len(items))
	_, _ = rand.Read(random) // never fails
	created := x.stamp(len(items))
	for i, rec := range items {
		if rec.bad() {
			continue
		}
		if !rec.update {
			copy(random[16*i:], random[:sharedID])
			rec.values[x.table.id] = idValue(version4(random[16*i:]), `"`, `"`)
			if x.table.created >= 0 {
				rec.values[x.table.created] = timeValue(created + int64(i))
			}
		}
		x.table.render(rec)
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
func (x *exchange) ordered(items []*record) []*record {
	switch x.box.options.AnswerOrder {
	case Reversed:
		slices.Reverse(items)
	case Shuffled:
		r := mathrand.New(mathrand.NewPCG(x.box.options.FaultSeed, uint64(len(items))))
		r.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	}
	return items
}

// appendRows renders the items as an array.
func (x *exchange) appendRows(dst []byte, items []*record) []byte {
	size := 2
	for _, rec := range items {
		size += len(rec.doc) + 1
	}
	dst = append(slices.Grow(dst, size), '[')
	for i, rec := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, x.written(rec)...)
	}
	return append(dst, ']')
}
