package sandbox

// What switches and faults make of a list: which rows, and how they are framed.

// framing is what surrounds and separates the objects of a list.
type framing struct{ contentType, open, between, end string }

var (
	array     = framing{jsonType, "[", ",", "]"}
	jsonLines = framing{"application/jsonl", "", "\n", "\n"}
	envelope  = framing{jsonType, `{"results":[`, ",", "]}"}
)

// framing returns how the rows of a list are framed.
func (o *Options) framing(q *query) framing {
	switch o.Framing {
	case AlwaysArray:
		return array
	case AlwaysLines:
		return jsonLines
	case Envelope:
		if !q.jsonl {
			return envelope
		}
	}
	if q.jsonl {
		return jsonLines
	}
	return array
}

// applyListSwitches removes from a query what the switches make the sandbox ignore, and
// applies the faults that change a list.
func (x *exchange) applyListSwitches(q *query) error {
	switch x.box.options.Paging {
	case FirstPage:
		q.page = min(q.page, 1)
	case OnePage:
		q.page, q.size = 0, 0
	}
	if x.box.options.IgnoreOrder {
		q.order = nil
	}
	if x.listChange.repeat && q.page > 1 {
		q.page--
	}
	if c := x.listChange; c.inserts == 0 && c.deletes == 0 {
		return nil
	}
	return x.box.store.write(x.table, x.saver().changeList)
}

// listChange is what faults do to a list before it is read.
type listChange struct {
	inserts, deletes int  // of rows
	repeat           bool // a page answers the one before it
}

// changeList deletes the first rows of the tenant and inserts new ones: copies of the
// first that is left, without its key.
func (s saver) changeList(tx *transaction) error {
	const first = " WHERE +_tenant=? ORDER BY _row LIMIT "
	name, change := s.x.table.sql.name, s.x.listChange
	if change.deletes > 0 {
		tx.changes = true
		text := "DELETE FROM " + name + " WHERE _row IN (SELECT _row FROM " + name + first + "?)"
		if _, err := tx.tx.Exec(text, s.x.tenant, change.deletes); err != nil {
			return err
		}
	}
	if change.inserts == 0 {
		return nil
	}
	doc, err := scanDoc(tx.tx.QueryRow("SELECT _doc FROM "+name+first+"1", s.x.tenant))
	if doc == nil || err != nil {
		return err
	}
	items := make([]*record, change.inserts)
	for i := range items {
		if items[i], err = s.x.table.stored(doc); err != nil {
			return err
		}
		if key, ok := s.x.table.index[s.x.table.resource.Key]; ok {
			items[i].values[key] = value{set: true, null: true}
		}
	}
	s.finish(items)
	_, err = s.insert(tx, items)
	return err
}
