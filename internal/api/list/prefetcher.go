package list

import "net/url"

// prefetcher requests the pages of one query ahead and keeps them in order.
type prefetcher struct {
	rows       *Rows
	extra      url.Values
	size       int
	idsOnly    bool
	last       int // no page after it is requested; 0: there is no such bound
	first      int // the number of the page of jobs[0]
	jobs       []*job
	expectMore bool // pages came full: more can be expected
	ended      bool // a page came empty: nothing can be expected after it
}

func (r *Rows) newPrefetcher(extra url.Values, size int, wide bool) *prefetcher {
	return &prefetcher{rows: r, extra: extra, size: size, first: 1, expectMore: wide}
}

// fill requests as many pages as may be in flight or waiting: only one as long as it is
// not known whether there are more.
func (l *prefetcher) fill() {
	l.rows.pool.collect()
	l.updateExpectation()
	ahead := 1
	if l.expectMore {
		ahead = 2 * l.rows.pool.workers
	}
	for !l.ended && len(l.jobs) < ahead && l.rows.pool.room() > ahead+2 {
		number := l.first + len(l.jobs)
		if l.last > 0 && number > l.last {
			return
		}
		l.jobs = append(l.jobs, l.rows.pool.submit(listRequest{list: l.rows.list, extra: l.extra, page: number, size: l.size, idsOnly: l.idsOnly}))
	}
}

// head returns the first page if it has come.
func (l *prefetcher) head() *job {
	if len(l.jobs) == 0 || !l.jobs[0].done {
		return nil
	}
	return l.jobs[0]
}

// exhausted reports whether all pages up to the last were popped.
func (l *prefetcher) exhausted() bool { return l.last > 0 && l.first > l.last }

// updateExpectation decides from the pages that came whether more can be expected.
func (l *prefetcher) updateExpectation() {
	for i, j := range l.jobs {
		if !j.done || j.err != nil {
			continue
		}
		n := len(j.page.Objects)
		l.ended = l.ended || n == 0
		l.expectMore = n >= l.size || l.first+i > 1 && n >= l.rows.largest
		l.rows.largest = max(l.rows.largest, n)
	}
}

// pop releases the first page.
func (l *prefetcher) pop() {
	l.rows.pool.release(l.jobs[0])
	l.jobs = append(l.jobs[:0], l.jobs[1:]...)
	l.first++
}

// restartAt releases all pages; the next one requested has the given number.
func (l *prefetcher) restartAt(number int) {
	for _, j := range l.jobs {
		l.rows.pool.release(j)
	}
	l.jobs, l.first, l.ended = l.jobs[:0], number, false
}
