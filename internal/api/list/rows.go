package list

import (
	"cmp"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"flytt/internal/api"
)

// Options says how a list is read. Each zero field has the default named beside it.
type Options struct {
	PageSize    int   // rows asked for at a time; 500
	Concurrency int   // requests at once; 4
	Limit       int64 // rows to hand out; 0: all

	// Created names a date-time field that the API sets once, when it creates a record,
	// and by which the list can be ordered and filtered (gte, lte). Records never move
	// in that order, so a reading can be proved complete while records are added and
	// deleted. "": there is no such field.
	Created string

	// SingleResponse reads the whole list in one answer, without pages, and hands it
	// out as it comes.
	SingleResponse bool
}

// Account says how a reading went. What is not known yet is zero.
type Account struct {
	Rows       int64 // handed out
	Requests   int64 // made, those repeated after a failure counted once
	Pages      int64 // with rows in them
	Duplicates int64 // rows that came again and were dropped
	Drifts     int64 // pages that did not follow on from the page before, because the list had changed

	// Complete says that it is proved that every record that was in the list during the
	// whole reading was handed out exactly once; with a limit, every record up to the
	// last one handed out. It is set when Next returns io.EOF.
	Complete bool
	Doubt    string // why it is not proved; holds no value of a row
	Hint     string // what to do about it; holds no value of a row

	ServerTime  time.Time // the Date of the first answer; zero if it had none
	First, Last string    // the smallest and largest Created handed out, as the API wrote them
	PageSize    int       // rows of the largest page that came
	Notes       []string  // other remarks about the reading
}

// Rows reads a list from beginning to end. It requests pages ahead, at most Concurrency
// at once and as many again waiting, and hands them out in order. Next and Close are
// for one goroutine.
type Rows struct {
	from         Fetcher
	list         *Query
	options      Options
	pool         *workerPool // nil before the first Next
	reader       reader      // the way of reading that the list allows
	largest      int         // rows of the largest page that came
	resized      bool        // the page size was adapted to what the server sends
	left         int64       // rows still wanted, if there is a limit
	skipGapCheck bool        // tests only: takes every page to follow on from the one before

	err             error // what Next returns from now on
	mu              sync.Mutex
	status          Account // guarded by mu
	firstAt, lastAt int64   // the moments of status.First and status.Last
}

// reader is a way to read a list. next appends about a page of rows, or none, and
// returns io.EOF with the last ones.
type reader interface {
	next(ctx context.Context, dst []byte) (data []byte, n int, err error)
}

// Fetcher reads pages of a list; *api.Client is one and documents the methods. It has
// done all useful retries before it returns an error.
type Fetcher interface {
	Fetch(ctx context.Context, r *api.PageRequest, p *api.Page, created string) error
	Stream(ctx context.Context, r *api.PageRequest, created string, emit func(*api.Page) error) error
}

var _ Fetcher = (*api.Client)(nil)

const defaultPageSize = 500

// Open returns a reader of what q asks for. Nothing is requested before the first Next.
// q must not be changed while it is read.
func Open(from Fetcher, q *Query, o Options) *Rows {
	o.PageSize = max(cmp.Or(o.PageSize, defaultPageSize), 1)
	o.Concurrency = max(cmp.Or(o.Concurrency, 4), 1)
	if o.Limit > 0 {
		o.PageSize = int(min(int64(o.PageSize), o.Limit))
	}
	return &Rows{from: from, list: q, options: o, left: o.Limit}
}

var errClosed = errors.New("the reading was closed")

// Next appends the next whole objects to dst, each on a line of its own, about
// a page of them, and returns dst with them and how many they are. It returns
// io.EOF, and no object, after the last. Any other error ends the reading and
// shows no value. The end of ctx ends Next at once; the ctx of the first call
// bounds all requests.
func (r *Rows) Next(ctx context.Context, dst []byte) (data []byte, n int, err error) {
	if r.err == nil && ctx.Err() != nil {
		r.err = context.Cause(ctx)
	}
	if r.err == nil && r.pool == nil {
		r.pool = startWorkers(ctx, r.from, r.options)
		r.chooseReader()
	}
	for r.err == nil {
		data, n, r.err = r.reader.next(ctx, dst)
		r.countRows(n)
		r.err = r.fallback(ctx, r.err)
		if n > 0 {
			return data, n, nil
		}
	}
	return dst, 0, r.err
}

// chooseReader sets the reader that the options ask for.
func (r *Rows) chooseReader() {
	if r.options.SingleResponse {
		r.reader = newSingleResponse(r, "the list was read in one answer, which is taken as one moment")
	} else if b := newByCreated(r); b != nil {
		r.reader = b
	} else {
		r.reader = newPlain(r, r.stableOrder())
	}
}

// fallback sets another reader if err says that the list does not support the current
// one. It returns err if there is no other.
func (r *Rows) fallback(ctx context.Context, err error) error {
	var not *creationOrderError
	var long *oversizedPage
	switch {
	case err == nil || err == io.EOF:
	case errors.As(err, &not):
		r.addNote("not read by " + r.options.Created + ": " + not.why)
		r.reader = newPlain(r, not.order)
		return nil
	case errors.As(err, &long) && r.Account().Rows == 0:
		return r.readWithoutPages(ctx, long)
	}
	return err
}

// Account returns how the reading has gone so far. It is safe at any time, from
// any goroutine.
func (r *Rows) Account() Account {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.status
	a.Notes = append([]string(nil), a.Notes...)
	return a
}

// Close ends the reading and waits for every goroutine of it.
func (r *Rows) Close() error {
	if r.pool != nil {
		r.pool.shutdown()
		r.countRows(0) // requests made ahead in vain count, too
	}
	if r.err == nil {
		r.err = errClosed
	}
	return nil
}
