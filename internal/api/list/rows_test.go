package list

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"flytt/internal/api"
)

// byCreatedOptions reads by created_at in pages of ten.
var byCreatedOptions = Options{PageSize: 10, Concurrency: 4, Created: "created_at"}

func newTestList(order ...string) *Query {
	l := NewQuery("/x/list/", nil)
	if len(order) > 0 {
		if err := l.OrderBy(order...); err != nil {
			panic(err)
		}
	}
	return l
}

func TestRowsComeInOrder(t *testing.T) {
	f := newFake(1, 95)
	r := Open(f, newTestList(), byCreatedOptions)
	got := readToEnd(t, r)
	f.check(t, got, f.still())
	if !slices.Equal(got.ids, f.still()) {
		t.Error("not in the order they were made")
	}
	if err := r.Close(); err != nil { // requests made ahead are over then
		t.Error(err)
	}
	a := r.Account()
	if !a.Complete || a.Rows != 95 || a.PageSize != 10 || a.ServerTime.Unix() != 1e9 || a.Duplicates+a.Drifts != 0 ||
		a.First != "2026-03-01T12:00:00.000000Z" || a.Last <= a.First || a.Requests != int64(f.requests) {
		t.Errorf("%+v, %d requests", a, f.requests)
	}
}

func TestRowsOfAnEmptyList(t *testing.T) {
	for _, o := range []Options{{}, {Created: "created_at"}, {SingleResponse: true}} {
		got := readFake(t, newFake(1, 0), nil, o)
		if got.err != nil || len(got.ids) > 0 || !got.account.Complete || got.account.First != "" {
			t.Errorf("%+v: %v, %+v", o, got.err, got.account)
		}
	}
}

func TestRowsOfFewRecordsCostFewRequests(t *testing.T) {
	for n, most := range map[int]int{0: 4, 1: 12, 5: 12} {
		f := newFake(2, n)
		if readFake(t, f, nil, Options{Created: "created_at"}); f.requests > most {
			t.Errorf("%d rows: %d requests, want at most %d", n, f.requests, most)
		}
	}
}

func TestRowsOfAServerWithHabits(t *testing.T) {
	for name, test := range map[string]struct {
		habit func(*fakeList)
		list  *Query
		whole bool   // the list is read in one answer
		err   string // or this
		doubt string // or the reading is in doubt
		note  string
	}{
		"cuts pages":                      {habit: func(f *fakeList) { f.clamp = 3 }},
		"cuts pages, counts as asked":     {habit: func(f *fakeList) { f.clamp, f.byAsked = 3, true }},
		"404 at the end":                  {habit: func(f *fakeList) { f.notFound = true }},
		"repeats a page now and then":     {habit: func(f *fakeList) { f.repeat = 6 }},
		"shrinks pages now and then":      {habit: func(f *fakeList) { f.shrinks = true }},
		"ignores _page":                   {habit: func(f *fakeList) { f.ignorePage = true }, note: "ignores _page"},
		"ignores _page and the size":      {habit: func(f *fakeList) { f.ignoreSize = true }, note: "one answer"},
		"ignores _order_by":               {habit: func(f *fakeList) { f.ignoreOrder = true }, note: "ignores _order_by"},
		"ignores created_at__gte":         {habit: func(f *fakeList) { f.ignoreLower = true }, note: "ignores created_at__gte"},
		"refuses created_at__gte":         {habit: func(f *fakeList) { f.refuse = "created_at__gte" }, note: "answered 400"},
		"has rows of no moment":           {habit: func(f *fakeList) { f.rows[40].at = api.NoTime }, note: "without created_at"},
		"refuses _order_by":               {habit: func(f *fakeList) { f.refuse = "_order_by" }, err: "400"},
		"own order":                       {habit: func(*fakeList) {}, list: newTestList("-rank")},
		"own order, cuts pages":           {habit: func(f *fakeList) { f.clamp, f.byAsked = 4, true }, list: newTestList("-rank")},
		"own order, shrinks":              {habit: func(f *fakeList) { f.shrinks = true }, list: newTestList("rank"), doubt: "lengths"},
		"own order, ignores _page":        {habit: func(f *fakeList) { f.ignorePage = true }, list: newTestList("rank"), err: "ignores _page"},
		"own order, ignores all paging":   {habit: func(f *fakeList) { f.ignoreSize = true }, list: newTestList("rank"), note: "one answer"},
		"own order, ignores _page, short": {habit: func(f *fakeList) { f.ignorePage = true; f.rows = f.rows[:7] }, list: newTestList("rank"), doubt: "ignores _page"},
		"own order, ignored":              {habit: func(f *fakeList) { f.ignoreOrder = true }, list: newTestList("rank")},
		"one moment":                      {habit: oneMoment},
		"one moment, cuts pages":          {habit: func(f *fakeList) { oneMoment(f); f.clamp = 4 }},
		"one moment, ignores _page":       {habit: func(f *fakeList) { oneMoment(f); f.ignorePage = true }, doubt: "more rows were made at one moment"},
		"one moment, ignores _order_by":   {habit: func(f *fakeList) { oneMoment(f); f.ignoreOrder = true }, note: "ignores _order_by"},
		"moments in seconds":              {habit: func(f *fakeList) { f.shown = time.Second }},
		"moments without zeros": {habit: func(f *fakeList) {
			for i := range f.rows {
				f.rows[i].at = fakeEpoch
				if i%3 == 0 {
					f.rows[i].at += int64(i) * 1000
				}
			}
			f.trim = true
		}},
		"moments of no zone": {habit: func(f *fakeList) { f.bare = true }},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(3, 95)
			test.habit(f)
			got := readFake(t, f, test.list, byCreatedOptions)
			missing := f.check(t, got, f.still())
			a := got.account
			switch {
			case test.err != "":
				if got.err == nil || !strings.Contains(got.err.Error(), test.err) || a.Complete {
					t.Errorf("error %v, want %q", got.err, test.err)
				}
				return
			case got.err != nil:
				t.Error(got.err)
			case test.doubt != "":
				if !strings.Contains(a.Doubt, test.doubt) {
					t.Errorf("doubt %q, want %q", a.Doubt, test.doubt)
				}
			case missing > 0 || !a.Complete:
				t.Errorf("%d rows are missing, %+v", missing, a)
			}
			if !strings.Contains(strings.Join(a.Notes, "; "), test.note) || test.note == "" && test.doubt == "" && len(a.Notes) > 0 {
				t.Errorf("notes %q, want %q", a.Notes, test.note)
			}
		})
	}
}

func oneMoment(f *fakeList) {
	for i := range f.rows {
		f.rows[i].at = fakeEpoch
	}
}

// A row that leaves between two pages pulls the ones behind it forward.
func TestRowsAcrossADeletion(t *testing.T) {
	for at := range 60 {
		f := newFake(4, 95)
		gone := f.rows[2].id
		f.mutate = func(f *fakeList) {
			if f.requests == at {
				f.rows = slices.DeleteFunc(f.rows, func(r fakeRow) bool { return r.id == gone })
			}
		}
		still := slices.DeleteFunc(f.still(), func(id string) bool { return id == gone })
		got := readFake(t, f, nil, byCreatedOptions)
		if f.check(t, got, still); got.err != nil || !got.account.Complete {
			t.Errorf("at request %d: %v, %+v", at, got.err, got.account)
		}
	}
}

func TestRowsInOwnOrderAreInDoubtWhenTheListChanges(t *testing.T) {
	f := newFake(4, 95)
	f.mutate = func(f *fakeList) {
		if f.requests == 6 {
			f.rows = f.query(url.Values{"_order_by": {"rank,id"}})[1:]
		}
	}
	got := readFake(t, f, newTestList("rank"), Options{PageSize: 10, Concurrency: 1})
	if got.err != nil || got.account.Complete || !strings.Contains(got.account.Doubt, "changed") {
		t.Errorf("%v, %+v", got.err, got.account)
	}
}

// Rows made while the list is read are left out: the reading ends.
func TestRowsEndWhileTheListGrows(t *testing.T) {
	f := newFake(5, 50)
	f.clock += 1e9
	f.mutate = func(f *fakeList) {
		for range 20 {
			f.insert(f.clock, true)
			f.clock += 1e6
		}
	}
	got := readFake(t, f, nil, byCreatedOptions)
	if f.check(t, got, f.still()); !got.account.Complete || got.account.Drifts != 0 {
		t.Errorf("%+v", got.account)
	}
}

func TestRowsKeepToTheBoundsOfTheList(t *testing.T) {
	for _, filter := range []string{"gte", "gt", "lte", "lt"} {
		for _, value := range []string{"2026-03-01T12:00:00.040000Z", "2026-03-01T13:00:00.040000+01:00", "2026-03-01"} {
			f := newFake(6, 95)
			l := newTestList()
			if err := l.Filter("created_at", filter, false, value); err != nil {
				t.Fatal(err)
			}
			r := Open(f, l, byCreatedOptions)
			b := newByCreated(r)
			if b == nil {
				t.Fatal("not read by created_at")
			}
			if value == "2026-03-01" {
				if own := "created_at__" + filter; b.bounds.lower == own || b.bounds.upper == own {
					t.Errorf("%s is sent twice", own)
				}
				continue
			}
			want := f.wanted(l)
			got := readToEnd(t, r)
			r.Close()
			if f.check(t, got, want); !got.account.Complete || len(got.ids) != len(want) || len(want) == 0 || len(want) == 95 {
				t.Errorf("%s: %d of %d rows, %+v", filter, len(got.ids), len(want), got.account)
			}
		}
	}
}

func TestRowsLimit(t *testing.T) {
	for _, o := range []Options{byCreatedOptions, {PageSize: 10}, {SingleResponse: true}} {
		for _, limit := range []int64{1, 9, 10, 11, 50, 94, 95, 96} {
			f := newFake(7, 95)
			o.Limit = 0
			all := readFake(t, f, nil, o)
			o.Limit = limit
			got := readFake(t, f, nil, o)
			if got.err != nil || !got.account.Complete || !slices.Equal(got.ids, all.ids[:min(limit, 95)]) {
				t.Errorf("%+v: %d rows, %v, %+v", o, len(got.ids), got.err, got.account)
			}
		}
	}
}

func TestRowsAskForNoMoreAtOnceThanTheyMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(8, 300)
		var now, most int
		f.wait = func(*api.PageRequest) {
			f.mu.Lock()
			now++
			most = max(most, now)
			f.mu.Unlock()
			time.Sleep(time.Second)
			f.mu.Lock()
			now--
			f.mu.Unlock()
		}
		began := time.Now()
		got := readFake(t, f, nil, Options{PageSize: 10, Concurrency: 3, Created: "created_at"})
		if most != 3 || !got.account.Complete {
			t.Errorf("%d requests at once, %+v", most, got.account)
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("it took %v for %d requests of a second, three at once", took, f.requests)
		}
	})
}

func TestRowsEndWithTheContext(t *testing.T) {
	for _, o := range []Options{byCreatedOptions, {PageSize: 10}, {SingleResponse: true}} {
		f := newFake(9, 95)
		ctx, cancel := context.WithCancelCause(t.Context())
		r := Open(f, newTestList(), o)
		if _, n, err := r.Next(ctx, nil); n == 0 || err != nil {
			t.Fatal(n, err)
		}
		why := errors.New("enough")
		cancel(why)
		if _, n, err := r.Next(ctx, nil); n != 0 || !errors.Is(err, why) {
			t.Errorf("%d rows, %v", n, err)
		}
		if err := r.Close(); err != nil || r.Account().Complete {
			t.Errorf("%v, %+v", err, r.Account())
		}
	}
}

func TestRowsEndWhileWaiting(t *testing.T) {
	f := &stuckList{}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	r := Open(f, newTestList(), byCreatedOptions)
	if _, _, err := r.Next(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	r.Close()
}

// stuckList never answers.
type stuckList struct{}

func (*stuckList) Fetch(ctx context.Context, _ *api.PageRequest, _ *api.Page, _ string) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

func (s *stuckList) Stream(ctx context.Context, a *api.PageRequest, created string, _ func(*api.Page) error) error {
	return s.Fetch(ctx, a, nil, created)
}

func TestRowsCanBeClosedAtAnyTime(t *testing.T) {
	for _, o := range []Options{byCreatedOptions, {PageSize: 10}, {SingleResponse: true}} {
		for after := range 6 {
			r := Open(newFake(10, 95), newTestList(), o)
			for range after {
				if _, _, err := r.Next(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
			}
			r.Close()
			if _, n, err := r.Next(t.Context(), nil); n != 0 || !errors.Is(err, errClosed) {
				t.Errorf("after Close: %d rows, %v", n, err)
			}
		}
	}
}

func TestRowsPassErrorsOn(t *testing.T) {
	f := newFake(11, 95)
	failing := &failingList{fakeList: f, from: 7}
	for _, o := range []Options{byCreatedOptions, {PageSize: 10}} {
		failing.requests = 0
		r := Open(failing, newTestList(), o)
		got := readToEnd(t, r)
		r.Close()
		var status *api.StatusError
		if !errors.As(got.err, &status) || status.Status != http.StatusUnauthorized || got.account.Complete {
			t.Errorf("%v, %+v", got.err, got.account)
		}
		if _, _, err := r.Next(t.Context(), nil); !errors.As(err, &status) {
			t.Errorf("the error does not stay: %v", err)
		}
	}
}

// failingList answers 401 from a request on.
type failingList struct {
	*fakeList
	from int
}

func (f *failingList) Fetch(ctx context.Context, a *api.PageRequest, p *api.Page, created string) error {
	err := f.fakeList.Fetch(ctx, a, p, created)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.requests >= f.from {
		return &api.StatusError{Method: http.MethodGet, Path: a.Path, Status: http.StatusUnauthorized}
	}
	return err
}

func TestRowsAccountIsSafeAtAnyTime(t *testing.T) {
	r := Open(newFake(12, 95), newTestList(), byCreatedOptions)
	defer r.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for r.Account().Rows < 95 {
			time.Sleep(10 * time.Microsecond)
		}
	}()
	for {
		if _, _, err := r.Next(t.Context(), nil); err == io.EOF {
			break
		}
	}
	<-done
}

func TestIDSet(t *testing.T) {
	var s idSet
	seen := map[idKey]bool{}
	f := newFake(13, 5000)
	for range 2 {
		for i := range f.rows {
			k := keyOfID([]byte(f.rows[i].id))
			if s.has(k) != seen[k] || s.add(k) == seen[k] || !s.has(k) {
				t.Fatal("the set is wrong")
			}
			seen[k] = true
		}
	}
	if s.has(idKey{}) || !s.add(idKey{}) || s.add(idKey{}) || !s.has(idKey{}) {
		t.Error("the zero key")
	}
	if bytes := 16 * len(s.slots); bytes > 32*5000 {
		t.Errorf("%d bytes for 5000 ids", bytes)
	}
}

func TestKeysOfIDs(t *testing.T) {
	const id = "3c6ef372-fe94-4f82-83c6-00000000000a"
	if keyOfID([]byte(id)) != keyOfID([]byte(strings.ToUpper(id))) {
		t.Error("case tells UUIDs apart")
	}
	ids := []string{id, "3c6ef372-fe94-4f82-83c6-00000000000b", "3c6ef372-fe94-4f82-83c6-00000000000g", "17", "18", "a", "A", strings.ReplaceAll(id, "-", "")}
	seen := map[idKey]string{}
	for _, id := range ids {
		k := keyOfID([]byte(id))
		if other, ok := seen[k]; ok {
			t.Errorf("%s and %s are the same", id, other)
		}
		seen[k] = id
	}
}
