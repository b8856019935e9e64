package api

import (
	"bytes"
	"context"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/jsonscan"
)

// How long one request of a probe may take, and how long it waits before the
// only repetition.
const (
	probeTimeout = 20 * time.Second
	probePause   = 5 * time.Second
)

// reply is an exchange and what it brought.
type reply struct {
	Exchange
	body []byte
	cut  bool             // there was more than was wanted
	rows []jsontext.Value // the objects of a list, as far as it was read
	wait time.Duration    // that the API asked for; -1: it did not
}

// refusal reports whether the API understood the request and did not want it.
func (r *reply) refusal() bool { return r.Err == nil && Refuses(r.Status) }

// list asks for the list with parameters given as names and values in turn.
func (b *prober) list(ctx context.Context, pairs ...string) *reply {
	return b.listUpTo(ctx, b.client.config.MaxAnswer, pairs...)
}

// listUpTo is list for an answer of which no more than limit bytes are wanted.
func (b *prober) listUpTo(ctx context.Context, limit int64, pairs ...string) *reply {
	query := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		query.Add(pairs[i], pairs[i+1])
	}
	r := b.get(ctx, &request{path: b.o.Path + "list/", query: query.Encode()}, limit)
	if r.Err == nil && r.Status/100 == 2 {
		r.readRows()
	}
	return r
}

// get asks once, and once more if there was no answer or the API was busy.
func (b *prober) get(ctx context.Context, what *request, limit int64) *reply {
	what.method = http.MethodGet
	for try := 1; ; try++ {
		b.p.Requests++
		r := b.client.exchange(ctx, what, limit)
		b.note(r)
		again := turnsAway(r.Status, r.wait >= 0) || r.Status >= 500 || r.Err != nil && !hopeless(r.Err)
		if !again || try == 2 || ctx.Err() != nil || r.wait > probePause {
			return r
		}
		wait := r.wait
		if wait < 0 {
			wait = probePause / 10
		}
		if b.client.config.Drain.Sleep(ctx, wait) != nil {
			return r
		}
	}
}

// note keeps what r shows besides its content.
func (b *prober) note(r *reply) {
	if turnsAway(r.Status, r.wait >= 0) || r.Status == http.StatusServiceUnavailable {
		b.p.Busy++
		b.p.RetryAfter = b.p.RetryAfter || r.wait >= 0
	}
	if r.Err != nil {
		b.silent++
	}
	if r.Status/100 == 2 && (b.p.Fastest == 0 || r.Took < b.p.Fastest) {
		b.p.Fastest = r.Took
	}
	if r.Status == http.StatusBadRequest && b.refused == nil {
		b.refused = r
	}
}

// exchange makes one request and reads at most limit bytes of the answer.
func (c *Client) exchange(ctx context.Context, what *request, limit int64) *reply {
	r := &reply{wait: -1}
	if r.Err = c.turn(ctx); r.Err != nil {
		return r
	}
	ctx, stop := context.WithTimeout(ctx, probeTimeout)
	defer stop()
	sent := c.now()
	res, err := c.transport.RoundTrip(c.newRequest(ctx, what, nil))
	if err != nil {
		r.Err = explain(ctx, err)
		return r
	}
	defer res.Body.Close()
	headers := c.now()
	r.read(ctx, res, limit, headers)
	r.Took = c.now().Sub(sent)
	r.clock(res.Header, sent, headers)
	return r
}

// read takes what is wanted of an answer.
func (r *reply) read(ctx context.Context, res *http.Response, limit int64, now time.Time) {
	r.Status, r.Protocol, r.Compressed = res.StatusCode, res.Proto, res.Uncompressed
	r.ContentType, _, _ = mime.ParseMediaType(res.Header.Get("Content-Type"))
	if wait, told := retryAfter(res.Header, now); told {
		r.wait = wait
	}
	body, err := io.ReadAll(io.LimitReader(&markSkipper{body: res.Body}, limit+1))
	if int64(len(body)) > limit {
		body, r.cut = body[:limit], true
	}
	r.body = body
	if err != nil {
		r.Err = explain(ctx, err)
	}
}

// clock compares the server's clock with ours. A header tells whole seconds, of
// a moment between sent and received.
func (r *reply) clock(h http.Header, sent, received time.Time) {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	r.Dated = true
	r.Skew = date.Add(time.Second / 2).Sub(sent.Add(received.Sub(sent) / 2))
}

// readRows splits a list into its objects. Of one that was cut it takes those
// that came whole.
func (r *reply) readRows() {
	if r.cut {
		r.rows = wholeObjects(r.body)
		return
	}
	if len(bytes.TrimSpace(r.body)) == 0 {
		return // JSON Lines without a line
	}
	rows, err := listOf(nil, r.body, len(r.body))
	if err != nil {
		r.Problem = err.Error()
	}
	for _, row := range rows {
		r.rows = append(r.rows, row)
	}
}

// wholeObjects returns the objects of an array or of JSON Lines up to where the
// body is cut.
func wholeObjects(body []byte) (rows []jsontext.Value) {
	d := jsontext.NewDecoder(bytes.NewReader(body))
	if d.PeekKind() == '[' {
		_, _ = d.ReadToken()
	}
	for d.PeekKind() == '{' {
		v, err := d.ReadValue()
		if err != nil {
			break
		}
		rows = append(rows, v.Clone())
	}
	return rows
}

// idsOf returns the ids of rows, leaving out rows without one.
func idsOf(rows []jsontext.Value) []string {
	var ids []string
	for _, row := range rows {
		if id := idOf(row); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

func idOf(row jsontext.Value) string { return string(jsonscan.Text(jsonscan.Member(row, "id"))) }
