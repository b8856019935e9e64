package sandbox

import (
	"bufio"
	"net/http"
	"strconv"

	"github.com/google/uuid"
)

// get answers GET on a row.
func (x *exchange) get() error {
	doc, err := x.box.store.doc(x.table, x.id, x.tenant)
	if err != nil {
		return err
	}
	if doc == nil {
		return notFound
	}
	x.entry.Rows = 1
	return x.answer(http.StatusOK, x.form().shaped(doc))
}

// list answers GET on the list.
func (x *exchange) list() error {
	o := x.box.options
	o.Lookup = x.lookup
	q, err := x.table.query(x.r.URL.RawQuery, &o)
	if err != nil {
		return err
	}
	if err := x.applyListSwitches(q); err != nil {
		return err
	}
	if q.statistics {
		return x.statistics(q)
	}
	rows, err := x.box.store.find(x.r.Context(), q, x.tenant)
	if err != nil {
		return err
	}
	defer rows.close()
	first, err := rows.next()
	if err == nil && first == nil && q.page > 1 && x.box.options.PastEnd == NotFound {
		err = notFound
	}
	if err != nil {
		return err
	}
	return x.stream(q, rows, first)
}

// statistics answers how many rows there are. The reference does not say what
// shape the answer has.
func (x *exchange) statistics(q *query) error {
	text, args := q.count(x.tenant)
	var n int64
	if err := x.box.store.readers.QueryRowContext(x.r.Context(), text, args...).Scan(&n); err != nil {
		return err
	}
	return x.answer(http.StatusOK, append(strconv.AppendInt([]byte(`{"count":`), n, 10), '}'))
}

// stream sends the rows as they come, the first of which has been read.
// Nothing is gathered.
func (x *exchange) stream(q *query, rows rowReader, row []byte) error {
	f := x.box.options.framing(q)
	x.w.Header().Set("Content-Type", f.contentType)
	x.w.WriteHeader(http.StatusOK)
	out := bufio.NewWriterSize(x.w, 64<<10)
	_, _ = out.WriteString(f.open)
	for row != nil {
		if x.entry.Rows > 0 {
			_, _ = out.WriteString(f.between)
		}
		if err := q.write(out, x.form().listed(q, row)); err != nil {
			return nil // the client is gone: nobody to tell
		}
		x.entry.Rows++
		var err error
		if row, err = rows.next(); err != nil {
			return err
		}
	}
	if x.entry.Rows > 0 || f.open != "" {
		_, _ = out.WriteString(f.end)
	}
	_ = out.Flush()
	return nil
}

// write sends one row: its object, or with _slim its id alone.
func (q *query) write(out *bufio.Writer, row []byte) error {
	if !q.slim {
		_, err := out.Write(row)
		return err
	}
	id, err := uuid.FromBytes(row)
	if err != nil {
		return err
	}
	object := appendUUID(append(out.AvailableBuffer(), plainReference...), id)
	_, err = out.Write(append(object, `"}`...))
	return err
}
