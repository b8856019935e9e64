package list

import "net/url"

// lane asks for the pages of one query ahead and has them in order.
type lane struct {
	*Rows
	extra url.Values
	size  int
	slim  bool
	last  int // no page behind it is asked for; 0: there is no such bound
	first int // the number of pages[0]
	pages []*job
	wide  bool // pages came full: more can be expected
	ended bool // one came empty: nothing can be expected behind it
}

func (r *Rows) newLane(extra url.Values, size int, wide bool) *lane {
	return &lane{Rows: r, extra: extra, size: size, first: 1, wide: wide}
}

// fill asks for as many pages as may be under way or waiting: one alone as long
// as it is not known that more will come.
func (l *lane) fill() {
	l.crew.collect()
	l.look()
	ahead := 1
	if l.wide {
		ahead = 2 * l.crew.workers
	}
	for !l.ended && len(l.pages) < ahead && l.crew.free() > ahead+2 {
		number := l.first + len(l.pages)
		if l.last > 0 && number > l.last {
			return
		}
		l.pages = append(l.pages, l.crew.hand(ask{list: l.list, extra: l.extra, page: number, size: l.size, slim: l.slim}))
	}
}

// head returns the first page if it has come.
func (l *lane) head() *job {
	if len(l.pages) == 0 || !l.pages[0].done {
		return nil
	}
	return l.pages[0]
}

// exhausted reports whether all pages up to the last were taken.
func (l *lane) exhausted() bool { return l.last > 0 && l.first > l.last }

// look sees from the pages that came whether more can be expected.
func (l *lane) look() {
	for i, j := range l.pages {
		if !j.done || j.err != nil {
			continue
		}
		n := len(j.page.Objects)
		l.ended = l.ended || n == 0
		l.wide = n >= l.size || l.first+i > 1 && n >= l.largest
		l.largest = max(l.largest, n)
	}
}

// pop gives back the first page.
func (l *lane) pop() {
	l.crew.release(l.pages[0])
	l.pages = append(l.pages[:0], l.pages[1:]...)
	l.first++
}

// drop gives back all pages, to go on with the page number.
func (l *lane) drop(number int) {
	for _, j := range l.pages {
		l.crew.release(j)
	}
	l.pages, l.first, l.ended = l.pages[:0], number, false
}
