package main

import (
	"bufio"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// list is the canned rows, each with a comma behind it, in the order they were
// made: row i at start plus i steps.
type list struct {
	data []byte
	ends []int // where each row ends, its comma not counted
	ids  []int // where the id of each row begins
}

var start = time.Date(2024, 1, 1, 6, 0, 0, 0, time.UTC)

const (
	step     = 7 * time.Millisecond
	idLength = 36
	moment   = "2006-01-02T15:04:05.000000Z"
)

var (
	firstNames = []string{"Åsa", "Björn", "Cecilia", "Daniel", "Elin", "Fredrik", "Göran", "Hanna", "Ingrid", "Johan", "Karin"}
	lastNames  = []string{"Andersson", "Öberg", "Lindström", "Åkesson", "Nyström", "Håkansson", "Ek"}
	titles     = []string{"Styrelseordförande", "Förvaltare", "Kontaktperson", "Ekonomiansvarig", "Fastighetsskötare"}
)

// newList makes n rows. Equal n give equal rows.
func newList(n int) *list {
	l := &list{data: make([]byte, 0, n*470), ends: make([]int, 0, n), ids: make([]int, 0, n)}
	for i := range n {
		l.add(uint64(i))
	}
	return l
}

// add appends row i.
func (l *list) add(i uint64) {
	mixed := (i + 1) * 0x9E3779B97F4A7C15
	first, last := firstNames[mixed>>8%uint64(len(firstNames))], lastNames[mixed>>16%uint64(len(lastNames))]
	l.data = append(l.data, `{"id":"`...)
	l.ids = append(l.ids, len(l.data))
	l.data = fmt.Appendf(l.data, `%08x-%04x-4%03x-8%03x-%012x","name":"%s %s","external_client":{"id":"%08x-1111-4111-8111-111111111111"},`,
		mixed>>32, mixed>>16&0xffff, mixed>>4&0xfff, mixed>>52, i, first, last, mixed>>40)
	l.data = fmt.Appendf(l.data, `"title":"%s","ssn":null,"org_no":null,"custom_id":"K-%07d","first_name":"%s","last_name":"%s","corporate_name":null,`,
		titles[mixed>>24%uint64(len(titles))], i, first, last)
	l.data = fmt.Appendf(l.data, `"email":"kontakt.%d@example.com","phone_number":"+4670%07d","organization":null,"created_at":"`, i, mixed%10_000_000)
	l.data = start.Add(time.Duration(i)*step).AppendFormat(l.data, moment)
	l.data = append(l.data, `","tags":[],"customer_columns":{}}`...)
	l.ends = append(l.ends, len(l.data))
	l.data = append(l.data, ',')
}

// rows returns the rows from i to j, with commas between them.
func (l *list) rows(i, j int) []byte {
	begin := 0
	if i > 0 {
		begin = l.ends[i-1] + 1
	}
	return l.data[begin:l.ends[j-1]]
}

// query is what the list was asked for.
type query struct {
	from, to    int // the rows, to not included
	down        bool
	slim, jsonl bool
}

// ServeHTTP answers a request.
func (l *list) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, err := l.query(r.URL.Query())
	if err != nil {
		http.Error(w, `{"detail":"a parameter cannot be read"}`, http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	out := bufio.NewWriterSize(w, 64<<10)
	defer out.Flush()
	if q.plain() {
		l.array(w, out, q)
		return
	}
	l.each(out, q)
}

// plain reports whether the answer is a stretch of the rows as they lie.
func (q *query) plain() bool { return !q.down && !q.slim && !q.jsonl && q.from < q.to }

// array sends a stretch of the rows.
func (l *list) array(w http.ResponseWriter, out *bufio.Writer, q *query) {
	rows := l.rows(q.from, q.to)
	w.Header().Set("Content-Length", strconv.Itoa(len(rows)+len("[]")))
	_ = out.WriteByte('[')
	_, _ = out.Write(rows)
	_ = out.WriteByte(']')
}

// each sends the rows one by one.
func (l *list) each(out *bufio.Writer, q *query) {
	open, between, end := "[", ",", "]"
	if q.jsonl {
		open, between, end = "", "\n", "\n"
	}
	_, _ = out.WriteString(open)
	for n := range q.to - q.from {
		if n > 0 {
			_, _ = out.WriteString(between)
		}
		i := q.from + n
		if q.down {
			i = q.to - 1 - n
		}
		l.row(out, i, q.slim)
	}
	_, _ = out.WriteString(end)
}

func (l *list) row(out *bufio.Writer, i int, slim bool) {
	if !slim {
		_, _ = out.Write(l.rows(i, i+1))
		return
	}
	_, _ = out.WriteString(`{"id":"`)
	_, _ = out.Write(l.data[l.ids[i] : l.ids[i]+idLength])
	_, _ = out.WriteString(`"}`)
}

// query reads the parameters.
func (l *list) query(v url.Values) (*query, error) {
	q := &query{to: len(l.ends), slim: v.Get("_slim") == "true", jsonl: v.Get("_jsonl") == "true",
		down: strings.HasPrefix(v.Get("_order_by"), "-")}
	for operator, bound := range map[string]func(first int, exact bool){
		"gte": func(first int, _ bool) { q.from = max(q.from, first) },
		"gt":  func(first int, exact bool) { q.from = max(q.from, first+count(exact)) },
		"lte": func(first int, exact bool) { q.to = min(q.to, first+count(exact)) },
		"lt":  func(first int, _ bool) { q.to = min(q.to, first) },
	} {
		text := v.Get("created_at__" + operator)
		if text == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return nil, err
		}
		bound(position(t))
	}
	q.to = max(q.to, q.from)
	return q, q.page(v.Get("_page"), v.Get("_page_size"))
}

func count(exact bool) int {
	if exact {
		return 1
	}
	return 0
}

// position returns the first row that was made at t or later, and whether it was
// made at t.
func position(t time.Time) (first int, exact bool) {
	since := t.Sub(start)
	if since < 0 {
		return 0, false
	}
	return int((since + step - 1) / step), since%step == 0
}

// page narrows q to a page.
func (q *query) page(page, size string) error {
	if page == "" && size == "" {
		return nil
	}
	n, err := strconv.Atoi(page)
	if err != nil {
		return err
	}
	rows, err := strconv.Atoi(size)
	if err != nil {
		return err
	}
	skip := min(max(n-1, 0)*max(rows, 0), q.to-q.from)
	rows = min(max(rows, 0), q.to-q.from-skip)
	if q.down {
		q.to -= skip
		q.from = q.to - rows
		return nil
	}
	q.from += skip
	q.to = q.from + rows
	return nil
}
