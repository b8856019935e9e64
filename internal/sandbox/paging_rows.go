package sandbox

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
)

// rowReader returns the rows of a list, one after another.
type rowReader interface {
	// next returns a row, the object or with _slim the id, good until the next
	// call; nil after the last.
	next() ([]byte, error)
	// close ends it. Nothing is left open, whatever next said.
	close()
}

// find begins to read what q asks for.
func (s *store) find(ctx context.Context, q *query, tenant int64) (rowReader, error) {
	if q.size == 0 {
		text, args := q.whole(tenant)
		rows, err := s.readers.QueryContext(ctx, text, args...)
		if err != nil {
			return nil, err
		}
		return &wholeList{rows: rows}, nil
	}
	tx, v, err := s.snapshot(ctx, q.table)
	if err != nil {
		return nil, err
	}
	p := &pageReader{store: s, tx: tx, q: q, tenant: tenant, version: v, first: (q.page - 1) * q.size}
	f, err := p.open(ctx)
	if err != nil {
		_ = tx.Rollback()
		return nil, err
	}
	return f, nil
}

// wholeList is all rows, straight from the database.
type wholeList struct {
	rows *sql.Rows
	row  sql.RawBytes
}

func (w *wholeList) next() ([]byte, error) {
	if !w.rows.Next() {
		return nil, w.rows.Err()
	}
	err := w.rows.Scan(&w.row)
	return w.row, err
}

func (w *wholeList) close() { _ = w.rows.Close() }

// pageReader is what reading a page needs, all of it at one version of the table.
type pageReader struct {
	store   *store
	tx      *sql.Tx
	q       *query
	tenant  int64
	version version
	key     listKey
	first   int64 // rows of the list before the page
}

// open chooses how to find the page.
func (p *pageReader) open(ctx context.Context) (rowReader, error) {
	p.key = p.q.key(p.tenant)
	s := p.q.seek()
	switch {
	case s != nil:
		return p.openIndexed(ctx, s)
	case p.first > 0:
		return p.openRanked(ctx)
	}
	rows, err := p.part(ctx, nil, nil, 0)
	if err != nil {
		return nil, err
	}
	return &indexedPage{pageReader: p, rows: rows}, nil
}

// part queries the rows of the page, skip rows behind the one key names.
func (p *pageReader) part(ctx context.Context, s *seek, key []any, skip int64) (*sql.Rows, error) {
	text, args := p.q.part(p.tenant, s, key, skip, p.q.size)
	return p.tx.QueryContext(ctx, text, args...)
}

// openIndexed continues after the nearest known position.
func (p *pageReader) openIndexed(ctx context.Context, s *seek) (rowReader, error) {
	if s.appendOnly() {
		p.version.added = 0 // new rows move no page
	}
	at := p.store.positions.before(p.key, p.version, p.first)
	var key []any
	if at.offset > 0 {
		var err error
		if key, err = p.keyOf(ctx, s, at.row); err != nil {
			return nil, err
		}
	}
	rows, err := p.part(ctx, s, key, p.first-at.offset)
	if err != nil {
		return nil, err
	}
	return &indexedPage{pageReader: p, rows: rows, remember: true}, nil
}

// keyOf returns the columns by which the list is ordered of a row.
func (p *pageReader) keyOf(ctx context.Context, s *seek, row int64) ([]any, error) {
	key, dest := make([]any, len(s.columns)), make([]any, len(s.columns))
	for i := range key {
		dest[i] = &key[i]
	}
	text := "SELECT " + strings.Join(s.columns, ",") + " FROM " + p.q.table.sql.name + " WHERE " + rowNumber + "=?"
	return key, p.tx.QueryRowContext(ctx, text, row).Scan(dest...)
}

// indexedPage is a page that one query gives.
type indexedPage struct {
	*pageReader
	rows     *sql.Rows
	row      sql.RawBytes
	last     offsetMark // how far it has come
	remember bool       // where it ends
}

func (i *indexedPage) next() ([]byte, error) {
	if !i.rows.Next() {
		if i.remember && i.last.offset > 0 && i.rows.Err() == nil {
			i.store.positions.add(i.key, i.version, offsetMark{i.first + i.last.offset, i.last.row})
		}
		return nil, i.rows.Err()
	}
	i.last.offset++
	err := i.rows.Scan(&i.row, &i.last.row)
	return i.row, err
}

func (i *indexedPage) close() {
	_ = i.rows.Close()
	_ = i.tx.Rollback() // nothing was written
}

// openRanked finds the page in the ranking of the list.
func (p *pageReader) openRanked(ctx context.Context) (rowReader, error) {
	k, err := p.store.rankings.open(ctx, p.key, p.version, func(add func(row int64) error) error { return p.rank(ctx, add) })
	if err != nil {
		return nil, err
	}
	return &rankedPage{pageReader: p, ranking: k, at: p.first, end: p.first + p.q.size}, nil
}

// rank adds the numbers of all rows of the list, in its order.
func (p *pageReader) rank(ctx context.Context, add func(row int64) error) error {
	text, args := p.q.numbers(p.tenant)
	rows, err := p.tx.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var row int64
		if err := rows.Scan(&row); err != nil {
			return err
		}
		if err := add(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

// rankedPage is a page of a ranking, read in slices.
type rankedPage struct {
	*pageReader
	ranking *ranking
	at, end int64 // places still to read
	slice   *wholeList
}

// sliceRows is how many rows are looked up at once.
const sliceRows = 512

func (r *rankedPage) next() ([]byte, error) {
	for {
		if r.slice != nil {
			if row, err := r.slice.next(); row != nil || err != nil {
				return row, err
			}
		}
		numbers, err := r.ranking.read(r.at, min(sliceRows, r.end-r.at))
		if err != nil || numbers == nil {
			return nil, err
		}
		r.at += int64(len(numbers))
		if err := r.loadSlice(numbers); err != nil {
			return nil, err
		}
	}
}

// loadSlice queries rows by their numbers, in that order.
func (r *rankedPage) loadSlice(numbers []int64) error {
	list := []byte{'['}
	for i, n := range numbers {
		if i > 0 {
			list = append(list, ',')
		}
		list = strconv.AppendInt(list, n, 10)
	}
	if r.slice != nil {
		r.slice.close()
	}
	text := "SELECT r." + r.q.column() + " FROM json_each(?) AS n CROSS JOIN " + r.q.table.sql.name + " AS r ON r._row=n.value ORDER BY n.key"
	rows, err := r.tx.Query(text, string(append(list, ']'))) // the transaction ends with the request
	if err != nil {
		return err
	}
	r.slice = &wholeList{rows: rows}
	return nil
}

func (r *rankedPage) close() {
	if r.slice != nil {
		r.slice.close()
	}
	_ = r.store.rankings.release(r.ranking) // a temporary file that was only read
	_ = r.tx.Rollback()                     // nothing was written
}
