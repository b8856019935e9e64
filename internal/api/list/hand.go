package list

import (
	"bytes"
	"io"

	"flytt/internal/api"
	"flytt/internal/jsonscan"

	"github.com/go-json-experiment/json/jsontext"
)

// parcel is what one call of Next hands out of a page.
type parcel struct {
	dst       []byte
	n         int
	breaks    bool // there are line breaks within the page
	low, high int  // the objects made first and last; -1: there is none
}

func newParcel(dst []byte, p *api.Page) parcel {
	breaks := bytes.IndexByte(p.Data, '\n') >= 0 || bytes.IndexByte(p.Data, '\r') >= 0
	return parcel{dst: dst, breaks: breaks, low: -1, high: -1}
}

// put adds object i of p on a line of its own.
func (o *parcel) put(p *api.Page, i int) {
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

// arrived takes note of a page with rows in it.
func (r *Rows) arrived(p *api.Page) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now.ServerTime.IsZero() {
		r.now.ServerTime = p.Date
	}
	if len(p.Objects) > 0 {
		r.now.Pages++
		r.now.PageSize = max(r.now.PageSize, len(p.Objects))
	}
}

// account takes note of rows that are handed out.
func (r *Rows) account(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now.Rows += int64(n)
	r.now.Requests = r.crew.requests.Load()
}

// span takes note of when the rows of a parcel were made.
func (r *Rows) span(o *parcel, p *api.Page) {
	if o.low < 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if at := p.Objects[o.low].Created; r.now.First == "" || at < r.firstAt {
		r.firstAt, r.now.First = at, r.createdText(p, o.low)
	}
	if at := p.Objects[o.high].Created; r.now.Last == "" || at >= r.lastAt {
		r.lastAt, r.now.Last = at, r.createdText(p, o.high)
	}
}

// createdText returns when object i of p was made, as the API wrote it.
func (r *Rows) createdText(p *api.Page, i int) string {
	return string(jsonscan.Text(jsonscan.Member(p.Object(i), r.options.Created)))
}

// wanted reports whether one more row is wanted, and counts it.
func (r *Rows) wanted() bool {
	if r.options.Limit == 0 {
		return true
	}
	if r.left == 0 {
		return false
	}
	r.left--
	return true
}

// full reports whether the limit is reached.
func (r *Rows) full() bool { return r.options.Limit > 0 && r.left == 0 }

func (r *Rows) note(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now.Notes = append(r.now.Notes, text)
}

func (r *Rows) count(duplicates, drifts int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now.Duplicates += duplicates
	r.now.Drifts += drifts
}

// doubt keeps the first reason for which the reading is not proved complete.
func (r *Rows) doubt(d doubt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now.Doubt == "" {
		r.now.Doubt, r.now.Hint = d.why, d.hint
	}
}

// end ends the reading, and it is complete if nothing is in doubt.
func (r *Rows) end() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now.Complete = r.now.Doubt == ""
	return io.EOF
}
