package list

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"flytt/internal/api"
)

// fakeRow is a row of a fakeList.
type fakeRow struct {
	id      string
	at      int64 // created_at in ns; api.NoTime: null
	rank    int   // a field that changes
	standby bool  // may go or change
}

// fakeList is a list server in memory, a fetcher without any network. Each
// request sees one moment of it; mutate runs before every one.
type fakeList struct {
	mu     sync.Mutex
	random *rand.Rand
	rows   []fakeRow
	clock  int64
	made   int

	shown       time.Duration   // the unit created_at is shown in
	mutate      func(*fakeList) // nil: nothing changes
	clamp       int             // pages are cut down to it; 0: they are not
	byAsked     bool            // though the offset goes by the size asked for
	shrinks     bool            // now and then a page is cut down
	notFound    bool            // 404 past the end
	ignorePage  bool
	ignoreSize  bool
	ignoreOrder bool
	ignoreLower bool
	refuse      string // a parameter that is answered with 400
	repeat      int    // one page in so many is the page before
	trim        bool   // zeros at the end of a fraction are not shown
	bare        bool   // moments have no zone
	requests    int
	wait        func(*api.PageRequest) // called before the answer, without the lock
}

var fakeEpoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixNano()

func newFake(seed uint64, n int) *fakeList {
	f := &fakeList{random: rand.New(rand.NewPCG(seed, 1)), clock: fakeEpoch, shown: time.Microsecond}
	for range n {
		f.insert(f.clock, false)
		f.clock += f.random.Int64N(2_000_000)
	}
	return f
}

// insert adds a row made at the moment given.
func (f *fakeList) insert(at int64, standby bool) {
	f.made++
	id := fmt.Sprintf("%08x-%04x-4000-8000-%012x", f.random.Uint32(), f.random.Uint32N(1<<16), f.made)
	f.rows = append(f.rows, fakeRow{id: id, at: at, rank: f.random.IntN(50), standby: standby})
}

// fetch answers a request.
func (f *fakeList) Fetch(ctx context.Context, a *api.PageRequest, p *api.Page, created string) error {
	if f.wait != nil {
		f.wait(a)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests++
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if f.mutate != nil {
		f.mutate(f)
	}
	q := a.Query
	p.Reset()
	p.Date = time.Unix(1e9, 0)
	if f.refuse != "" && q.Has(f.refuse) {
		return &api.StatusError{Method: http.MethodGet, Path: a.Path, Status: http.StatusBadRequest}
	}
	rows := f.slice(f.query(q), a)
	if len(rows) == 0 && a.Page > 1 && f.notFound {
		return nil
	}
	for i := range rows {
		if n := 2*a.Size + 100; a.Size > 0 && i == n {
			return api.ErrOversized
		}
		f.render(p, &rows[i], a, created)
	}
	return nil
}

func (f *fakeList) Stream(ctx context.Context, a *api.PageRequest, created string, emit func(*api.Page) error) error {
	f.mu.Lock()
	rows := slices.Clone(f.query(a.Query))
	f.mu.Unlock()
	var p api.Page
	for i := range rows {
		f.render(&p, &rows[i], a, created)
		if len(p.Objects) == 10 || i == len(rows)-1 {
			if err := emit(&p); err != nil {
				return err
			}
			p.Reset()
		}
	}
	return nil
}

// query returns the rows that the filters leave, in order.
func (f *fakeList) query(q url.Values) []fakeRow {
	low, high := f.limits(q)
	var out []fakeRow
	for _, r := range f.rows {
		if low == api.NoTime && high == api.NoTime || r.at != api.NoTime && r.at >= low && (high == api.NoTime || r.at <= high) {
			out = append(out, r)
		}
	}
	if f.ignoreOrder {
		return out
	}
	terms := strings.Split(q.Get("_order_by"), ",")
	slices.SortStableFunc(out, func(a, b fakeRow) int {
		for _, t := range terms {
			if c := compareFake(&a, &b, t); c != 0 {
				return c
			}
		}
		return 0
	})
	return out
}

// limits returns the first and the last moment that the filters leave; api.NoTime
// is not a limit.
func (f *fakeList) limits(q url.Values) (low, high int64) {
	low, high = api.NoTime, api.NoTime
	for name, v := range q {
		field, operator, _ := strings.Cut(name, "__")
		if field != "created_at" || f.ignoreLower && operator[0] == 'g' {
			continue
		}
		layout := "2006-01-02T15:04:05.999999999Z07:00"
		if f.bare {
			layout = "2006-01-02T15:04:05.999999999"
		}
		t, err := time.Parse(layout, v[0])
		if len(v) != 1 || err != nil {
			panic("created_at: " + strings.Join(v, " ")) // never from the reader
		}
		switch at := t.UnixNano(); operator {
		case "gte":
			low = max(low, at)
		case "gt":
			low = max(low, at+1)
		case "lte":
			high = tighter(high, at)
		case "lt":
			high = tighter(high, at-1)
		}
	}
	return low, high
}

func tighter(high, at int64) int64 {
	if high == api.NoTime {
		return at
	}
	return min(high, at)
}

func compareFake(a, b *fakeRow, term string) int {
	field, down := strings.CutPrefix(term, "-")
	c := 0
	switch field {
	case "created_at":
		c = cmp.Compare(a.at, b.at)
	case "id":
		c = cmp.Compare(a.id, b.id)
	case "rank":
		c = cmp.Compare(a.rank, b.rank)
	}
	if down {
		return -c
	}
	return c
}

// slice returns the page asked for.
func (f *fakeList) slice(rows []fakeRow, a *api.PageRequest) []fakeRow {
	if f.ignoreSize {
		return rows
	}
	number, size := a.Page, a.Size
	if f.ignorePage {
		number = 1
	}
	if f.repeat > 0 && number > 1 && f.random.IntN(f.repeat) == 0 {
		number--
	}
	if f.clamp > 0 {
		size = min(size, f.clamp)
	}
	if f.shrinks && f.random.IntN(4) == 0 {
		size = max(size/2, 1)
	}
	step := size
	if f.byAsked {
		step = a.Size
	}
	start := min((number-1)*step, len(rows))
	return rows[start:min(start+size, len(rows))]
}

func (f *fakeList) render(p *api.Page, r *fakeRow, a *api.PageRequest, created string) {
	o := api.Object{Start: uint32(len(p.Data)), Created: api.NoTime}
	p.Data = append(p.Data, `{"id":"`...)
	o.IDStart = uint32(len(p.Data))
	p.Data = append(p.Data, r.id...)
	o.IDEnd = uint32(len(p.Data))
	p.Data = append(p.Data, '"')
	if !a.IDsOnly && r.at != api.NoTime {
		shown := r.at - r.at%int64(f.shown)
		layout := map[time.Duration]string{time.Second: "", time.Millisecond: ".000", time.Microsecond: ".000000", 1: ".000000000"}[f.shown]
		text := time.Unix(0, shown).UTC().Format("2006-01-02T15:04:05" + layout)
		if f.trim {
			text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
			text += strings.Repeat("0", max(0, len("2026-03-01T12:00:00")-len(text)))
		}
		if !f.bare {
			text += "Z"
		}
		p.Data = fmt.Appendf(p.Data, ",\n \"created_at\": \"%s\"", text)
		if created == "created_at" {
			o.Created, o.CreatedUnit = shown, unitOf(text)
		}
	}
	p.Data = append(p.Data, '}')
	o.End = uint32(len(p.Data))
	p.Objects = append(p.Objects, o)
}

// unitOf returns the ns of the unit that a moment is told in.
func unitOf(text string) int64 {
	_, fraction, _ := strings.Cut(strings.TrimSuffix(text, "Z"), ".")
	switch n := len(fraction); {
	case n == 0:
		return 1e9
	case n <= 3:
		return 1e6
	case n <= 6:
		return 1e3
	}
	return 1
}

// fakeReading is what a whole reading brought.
type fakeReading struct {
	ids     []string
	account Account
	err     error
}

// readFake reads all of f as o says.
func readFake(t testing.TB, f *fakeList, l *Query, o Options) fakeReading {
	t.Helper()
	if l == nil {
		l = NewQuery("/x/list/", nil)
	}
	r := Open(f, l, o)
	defer r.Close()
	return readToEnd(t, r)
}

func readToEnd(t testing.TB, r *Rows) fakeReading {
	t.Helper()
	var out fakeReading
	var buf []byte
	for {
		data, n, err := r.Next(t.Context(), buf[:0])
		if err != nil {
			out.account = r.Account()
			if !errors.Is(err, io.EOF) {
				out.err = err
			}
			return out
		}
		lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
		if n == 0 || len(lines) != n {
			t.Fatalf("%d rows on %d lines", n, len(lines))
		}
		for _, line := range lines {
			_, rest, _ := strings.Cut(line, `"id":"`)
			id, _, _ := strings.Cut(rest, `"`)
			out.ids = append(out.ids, id)
		}
		buf = data
	}
}

// check holds got to what a reading promises: no row twice; and if it says that
// it is complete, every row that stood still.
func (f *fakeList) check(t testing.TB, got fakeReading, still []string) (missing int) {
	t.Helper()
	seen := map[string]bool{}
	for _, id := range got.ids {
		if seen[id] {
			t.Fatalf("row %s came twice: %+v", id, got.account)
		}
		seen[id] = true
	}
	for _, id := range still {
		if !seen[id] {
			missing++
		}
	}
	a := got.account
	switch {
	case got.err != nil:
	case a.Complete == (a.Doubt != ""):
		t.Fatalf("complete %v, doubt %q", a.Complete, a.Doubt)
	case a.Complete && missing > 0:
		t.Fatalf("%d of %d rows that stood still are missing, and the reading says it is complete: %+v", missing, len(still), a)
	case a.Rows != int64(len(got.ids)):
		t.Fatalf("account tells of %d rows, %d came", a.Rows, len(got.ids))
	}
	return missing
}

// still returns the rows that do not move.
func (f *fakeList) still() (ids []string) {
	for _, r := range f.rows {
		if !r.standby {
			ids = append(ids, r.id)
		}
	}
	return ids
}
