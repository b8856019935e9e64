package sandbox

import (
	"bufio"
	"database/sql"
	"net/http"
	"strconv"

	"github.com/google/uuid"
)

// get answers GET on a row.
func (x *exchange) get() error {
	doc, err := x.store.doc(x.table, x.id, x.tenant)
	if err != nil {
		return err
	}
	if doc == nil {
		return notFound
	}
	x.entry.Rows = 1
	return x.answer(http.StatusOK, doc)
}

// list answers GET on the list.
func (x *exchange) list() error {
	q, err := x.table.query(x.r.URL.RawQuery, &x.options)
	if err != nil {
		return err
	}
	if q.statistics {
		return x.statistics(q)
	}
	text, args := q.rows(x.tenant)
	rows, err := x.store.readers.QueryContext(x.r.Context(), text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	found := rows.Next()
	if !found && q.page > 1 && x.options.PastEnd == NotFound && rows.Err() == nil {
		return notFound
	}
	return x.stream(q, rows, found)
}

// statistics answers how many rows there are. The reference does not say what
// shape the answer has.
func (x *exchange) statistics(q *query) error {
	text, args := q.count(x.tenant)
	var n int64
	if err := x.store.readers.QueryRowContext(x.r.Context(), text, args...).Scan(&n); err != nil {
		return err
	}
	return x.answer(http.StatusOK, append(strconv.AppendInt([]byte(`{"count":`), n, 10), '}'))
}

// framing is what stands around and between the objects of a list.
type framing struct{ contentType, open, between, end string }

var (
	array     = framing{jsonType, "[", ",", "]"}
	jsonLines = framing{"application/jsonl", "", "\n", "\n"}
)

// stream sends the rows as they come, first telling whether rows stands on one.
// Nothing is gathered.
func (x *exchange) stream(q *query, rows *sql.Rows, first bool) error {
	f := array
	if q.jsonl {
		f = jsonLines
	}
	if err := rows.Err(); err != nil {
		return err
	}
	x.w.Header().Set("Content-Type", f.contentType)
	x.w.WriteHeader(http.StatusOK)
	out := bufio.NewWriterSize(x.w, 64<<10)
	_, _ = out.WriteString(f.open)
	var doc sql.RawBytes
	for more := first; more; more = rows.Next() {
		if err := rows.Scan(&doc); err != nil {
			return err
		}
		if x.entry.Rows > 0 {
			_, _ = out.WriteString(f.between)
		}
		if err := q.write(out, doc); err != nil {
			return nil // the client is gone: nobody to tell
		}
		x.entry.Rows++
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if x.entry.Rows > 0 || !q.jsonl {
		_, _ = out.WriteString(f.end)
	}
	_ = out.Flush()
	return nil
}

// write sends one row: its object, or with _slim its id alone.
func (q *query) write(out *bufio.Writer, row sql.RawBytes) error {
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
