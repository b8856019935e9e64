package sandbox

// What switches and faults make of a list: which rows, and how they are framed.

// framing is what stands around and between the objects of a list.
type framing struct{ contentType, open, between, end string }

var (
	array     = framing{jsonType, "[", ",", "]"}
	jsonLines = framing{"application/jsonl", "", "\n", "\n"}
	envelope  = framing{jsonType, `{"results":[`, ",", "]}"}
)

// framing returns how the rows of a list are framed.
func (x *exchange) framing(q *query) framing {
	switch x.options.Framing {
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

// applyListSwitches takes from a list what the sandbox does not heed, and lets the faults
// have their way with its rows.
func (x *exchange) applyListSwitches(q *query) error {
	switch x.options.Paging {
	case FirstPage:
		q.page = min(q.page, 1)
	case OnePage:
		q.page, q.size = 0, 0
	}
	if x.options.IgnoreOrder {
		q.order = nil
	}
	if x.repeat && q.page > 1 {
		q.page--
	}
	if x.inserts == 0 && x.deletes == 0 {
		return nil
	}
	return x.store.write(x.table, x.changeList)
}

// changeList deletes the first rows of the tenant and inserts new ones: copies of the
// first that is left, without its key.
func (x *exchange) changeList(tx *transaction) error {
	const first = " WHERE +_tenant=? ORDER BY _row LIMIT "
	name := x.table.sql.name
	if x.deletes > 0 {
		tx.changes = true
		text := "DELETE FROM " + name + " WHERE _row IN (SELECT _row FROM " + name + first + "?)"
		if _, err := tx.tx.Exec(text, x.tenant, x.deletes); err != nil {
			return err
		}
	}
	if x.inserts == 0 {
		return nil
	}
	doc, err := scanDoc(tx.tx.QueryRow("SELECT _doc FROM "+name+first+"1", x.tenant))
	if doc == nil || err != nil {
		return err
	}
	items := make([]*record, x.inserts)
	for i := range items {
		if items[i], err = x.table.stored(doc); err != nil {
			return err
		}
		if key, ok := x.table.index[x.table.resource.Key]; ok {
			items[i].values[key] = value{set: true, null: true}
		}
	}
	x.finish(items)
	_, err = x.insert(tx, items)
	return err
}
