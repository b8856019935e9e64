package sandbox_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"flytt/internal/sandbox"
)

// question is what a list is asked for, pages aside.
type question struct {
	filters []filter
	order   []string
}

// values returns the parameters.
func (q question) values() url.Values {
	v := url.Values{}
	for _, f := range q.filters {
		v.Add(f.name(), f.operand)
	}
	if q.order != nil {
		v.Set("_order_by", strings.Join(q.order, ","))
	}
	return v
}

// answer works out the ids.
func (q question) answer(rows []row) []string { return ids(ordered(rows, q.order), q.filters...) }

// orderable are orders that an index is in, then single terms of others.
var (
	indexedOrders = []string{"", "created_at,id", "-created_at,-id", "created_at", "-created_at", "id", "-id,name", "created_at,-id"}
	terms         = []string{"name", "-name", "-email", "custom_id", "-created_at", "created_at", "id", "-organization", "ssn", "title"}
)

// ask draws a question.
func ask(random *rand.Rand, rows []row) question {
	var q question
	if random.IntN(2) == 0 {
		if order := indexedOrders[random.IntN(len(indexedOrders))]; order != "" {
			q.order = strings.Split(order, ",")
		}
	} else {
		for range 1 + random.IntN(3) {
			q.order = append(q.order, terms[random.IntN(len(terms))])
		}
	}
	var all []filter
	eachFilter(func(field, operator string) { all = append(all, filter{field: field, operator: operator}) })
	for range random.IntN(4) {
		f := all[random.IntN(len(all))]
		if random.IntN(3) == 0 { // more often of the field that lists are ordered by
			f = filter{field: "created_at", operator: []string{"gt", "gte", "lt", "lte", ""}[random.IntN(5)]}
		}
		from := operands(random, rows, f.field, f.operator)
		f.operand, f.negated = from[random.IntN(len(from))], random.IntN(2) == 0
		q.filters = append(q.filters, f)
	}
	return q
}

// paged asks for a page.
func paged(t testing.TB, s http.Handler, v url.Values, page, size int) []string {
	v = url.Values(http.Header(v).Clone())
	v.Set("_page", strconv.Itoa(page))
	v.Set("_page_size", strconv.Itoa(size))
	return slim(t, s, v)
}

// TestAnyListPageByPage asks for any filters, orders and sizes: the pages, asked
// for at once and in any order, are the whole answer, which is the right one.
func TestAnyListPageByPage(t *testing.T) {
	s, rows := modelled(t, 150)
	random := rand.New(rand.NewPCG(8, 9))
	for range 250 {
		q := ask(random, rows)
		want := q.answer(rows)
		if got := slim(t, s, q.values()); !slices.Equal(got, want) {
			t.Fatalf("%v: %d rows, want %d", q.values(), len(got), len(want))
		}
		size := 1 + random.IntN(60)
		pages := make([][]string, len(want)/size+2)
		var group sync.WaitGroup
		limit := make(chan struct{}, 4)
		for _, i := range random.Perm(len(pages)) {
			limit <- struct{}{}
			group.Go(func() {
				defer func() { <-limit }()
				pages[i] = paged(t, s, q.values(), i+1, size)
			})
		}
		group.Wait()
		if got := slices.Concat(pages...); !slices.Equal(got, want) {
			t.Fatalf("%v by %d: the pages are not the list", q.values(), size)
		}
	}
}

// TestWritesMoveLaterPages writes between the requests for pages: each page is
// cut out of the list as it stands at that moment.
func TestWritesMoveLaterPages(t *testing.T) {
	s, rows := modelled(t, 60)
	random := rand.New(rand.NewPCG(6, 7))
	var questions []question
	for range 12 {
		questions = append(questions, ask(random, rows))
	}
	questions = append(questions, question{}, question{order: []string{"created_at", "id"}}, question{order: []string{"name"}})
	for range 800 {
		switch random.IntN(12) {
		case 0:
			wantStatus(t, do(s, "POST", base, spelt(random)), http.StatusCreated)
		case 1:
			i := random.IntN(len(rows))
			wantStatus(t, do(s, "DELETE", base+rows[i]["id"].(string)+"/", ""), http.StatusNoContent)
		case 2:
			i := random.IntN(len(rows))
			wantStatus(t, do(s, "PATCH", base+rows[i]["id"].(string)+"/", `{"name":"Åsa","email":null}`), http.StatusOK)
		}
		rows = listed(t, s)
		q := questions[random.IntN(len(questions))]
		const size = 7
		want := q.answer(rows)
		page := 1 + random.IntN(len(want)/size+1)
		want = want[min((page-1)*size, len(want)):min(page*size, len(want))]
		if got := paged(t, s, q.values(), page, size); !slices.Equal(got, want) {
			t.Fatalf("%v page %d: %v, want %v", q.values(), page, got, want)
		}
	}
}

// TestManyListsAtOnce asks for more lists than positions and rankings are kept
// of, by several readers.
func TestManyListsAtOnce(t *testing.T) {
	s, rows := modelled(t, 100)
	var group sync.WaitGroup
	for reader := range 4 {
		random := rand.New(rand.NewPCG(uint64(reader), 1))
		group.Go(func() {
			for range 60 {
				q := ask(random, rows)
				want := q.answer(rows)
				page := 1 + random.IntN(len(want)/10+1)
				want = want[min((page-1)*10, len(want)):min(page*10, len(want))]
				if got := paged(t, s, q.values(), page, 10); !slices.Equal(got, want) {
					t.Errorf("%v page %d: %d rows, want %d", q.values(), page, len(got), len(want))
				}
			}
		})
	}
	group.Wait()
}

// TestPagesAreOfOneTenant checks that what is known of a list of one tenant is
// not taken for another's.
func TestPagesAreOfOneTenant(t *testing.T) {
	s := open(t, sandbox.Options{Tenants: []string{"other"}})
	for i := range 20 {
		r := request("POST", base, person(strconv.Itoa(i), ""))
		if i%2 == 1 {
			r.Header.Set("X-PIGELLO-CUSTOMER-ID", "other")
		}
		wantStatus(t, serve(s, r), http.StatusCreated)
	}
	for _, order := range []string{"", "&_order_by=created_at,id", "&_order_by=name"} {
		for page := 1; page <= 4; page++ {
			for _, tenant := range []string{"sandbox", "other"} {
				r := request("GET", fmt.Sprintf("%slist/?_page=%d&_page_size=3%s", base, page, order), "")
				r.Header.Set("X-PIGELLO-CUSTOMER-ID", tenant)
				for _, o := range serve(s, r).array(t) {
					if n, _ := strconv.Atoi(o["name"].(string)); (n%2 == 1) != (tenant == "other") {
						t.Errorf("%s page %d: %s sees row %d", order, page, tenant, n)
					}
				}
			}
		}
	}
}

// TestRankingsLeaveNoFiles pages through lists no index has in order.
func TestRankingsLeaveNoFiles(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	s, err := sandbox.New(sandbox.Options{DB: filepath.Join(t.TempDir(), "x.db"), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	seed(t, s, contacts, 50, 1)
	for _, order := range terms {
		paged(t, s, url.Values{"_order_by": {order}}, 3, 10)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%d files left", len(left))
	}
}

// forget writes and undoes, so that the sandbox forgets what it knows of
// lists.
func forget(b *testing.B, s *sandbox.Sandbox) {
	id := do(s, "POST", base, person("A", "")).object(b)["id"].(string)
	wantStatus(b, do(s, "DELETE", base+id+"/", ""), http.StatusNoContent)
}

// BenchmarkPages reads a list in pages of 500. A row takes as long in a long
// list as in a short one.
func BenchmarkPages(b *testing.B) {
	s := open(b, sandbox.Options{})
	rows := 0
	for _, size := range []int{20_000, 80_000} {
		for ; rows < size; rows += chunkRows {
			do(s, "POST", base+"list/", chunk())
		}
		for _, order := range []string{"", "created_at,id", "name"} {
			v := url.Values{}
			if order != "" {
				v.Set("_order_by", order)
			}
			b.Run(fmt.Sprintf("rows=%d/order=%s", size, order), func(b *testing.B) {
				for b.Loop() {
					forget(b, s)
					for page := 1; page <= size/500; page++ {
						do(s, "GET", fmt.Sprintf("%slist/?_page=%d&_page_size=500&%s", base, page, v.Encode()), "")
					}
				}
				b.ReportMetric(float64(b.N)*float64(size)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}
