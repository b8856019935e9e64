package list

import (
	"bytes"
	"io"

	"flytt/internal/api"
	"flytt/internal/jsonscan"

	"github.com/go-json-experiment/json/jsontext"
)

// pageRows collects the rows of a page that one call of Next hands out.
type pageRows struct {
	dst       []byte
	n         int
	breaks    bool // there are line breaks within the page
	low, high int  // the objects created first and last; -1: there is none
}

func newPageRows(dst []byte, p *api.Page) pageRows {
	breaks := bytes.IndexByte(p.Data, '\n') >= 0 || bytes.IndexByte(p.Data, '\r') >= 0
	return pageRows{dst: dst, breaks: breaks, low: -1, high: -1}
}

// add adds object i of p on a line of its own.
func (o *pageRows) add(p *api.Page, i int) {
	v := p.Object(i)
	if o.breaks && bytes.ContainsAny(v, "\n\r") {
		o.dst = append(o.dst, compact(v)...)
	} else {
		o.dst = append(o.dst, v...)
	}
	o.dst = append(o.dst, '\n')
	o.n++
	at := p.Objects[i].Created
	if at == api.NoTime {
		return
	}
	if o.low < 0 || at < p.Objects[o.low].Created {
		o.low = i
	}
	if o.high < 0 || at >= p.Objects[o.high].Created {
		o.high = i
	}
}

// compact returns v, which is valid, without white space between its tokens.
func compact(v []byte) []byte {
	c := jsontext.Value(bytes.Clone(v))
	if err := c.Compact(); err != nil {
		return bytes.ReplaceAll(bytes.ReplaceAll(v, []byte("\n"), []byte(" ")), []byte("\r"), []byte(" "))
	}
	return c
}

// countPage adds a page to the account.
func (r *Rows) countPage(p *api.Page) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.status.ServerTime.IsZero() {
		r.status.ServerTime = p.Date
	}
	if len(p.Objects) > 0 {
		r.status.Pages++
		r.status.PageSize = max(r.status.PageSize, len(p.Objects))
	}
}

// countRows adds n rows that are handed out to the account.
func (r *Rows) countRows(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.Rows += int64(n)
	r.status.Requests = r.pool.requests.Load()
}

// recordSpan records when the first and the last of the rows were created.
func (r *Rows) recordSpan(o *pageRows, p *api.Page) {
	if o.low < 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if at := p.Objects[o.low].Created; r.status.First == "" || at < r.firstAt {
		r.firstAt, r.status.First = at, r.createdText(p, o.low)
	}
	if at := p.Objects[o.high].Created; r.status.Last == "" || at >= r.lastAt {
		r.lastAt, r.status.Last = at, r.createdText(p, o.high)
	}
}

// createdText returns when object i of p was created, as the API wrote it.
func (r *Rows) createdText(p *api.Page, i int) string {
	return string(jsonscan.Text(jsonscan.Member(p.Object(i), r.options.Created)))
}

// reserveRow reports whether the limit allows one more row, and counts it.
func (r *Rows) reserveRow() bool {
	if r.options.Limit == 0 {
		return true
	}
	if r.left == 0 {
		return false
	}
	r.left--
	return true
}

func (r *Rows) limitReached() bool { return r.options.Limit > 0 && r.left == 0 }

func (r *Rows) addNote(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.Notes = append(r.status.Notes, text)
}

func (r *Rows) addCounts(duplicates, drifts int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.Duplicates += duplicates
	r.status.Drifts += drifts
}

// setDoubt records why the reading is not proved complete; the first reason stays.
func (r *Rows) setDoubt(d doubt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.status.Doubt == "" {
		r.status.Doubt, r.status.Hint = d.why, d.hint
	}
}

// endReading ends the reading. It is complete if nothing is in doubt.
func (r *Rows) endReading() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.Complete = r.status.Doubt == ""
	return io.EOF
}
