package probe

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/api"
	"flytt/internal/jsonscan"
)

// longestPause is the longest wait before the only repetition of a request.
const longestPause = 5 * time.Second

// reply is the answer to a request.
type reply struct {
	*api.Reply
	rows []jsontext.Value // the objects of a list, as far as it was read
}

// isRefusal reports whether the API understood the request and refused it.
func (r *reply) isRefusal() bool { return r.Err == nil && api.IsRefusal(r.Status) }

// list requests the list with parameters given as names and values in turn.
func (b *prober) list(ctx context.Context, pairs ...string) *reply {
	return b.listUpTo(ctx, 0, pairs...)
}

// listUpTo is list for an answer of which at most limit bytes are wanted; 0: as many as
// the client allows.
func (b *prober) listUpTo(ctx context.Context, limit int64, pairs ...string) *reply {
	query := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		query.Add(pairs[i], pairs[i+1])
	}
	r := b.get(ctx, api.GetRequest{Path: b.options.Path + "list/", Query: query.Encode(), Limit: limit})
	if r.Err == nil && r.Status/100 == 2 {
		r.readRows()
	}
	return r
}

// get makes a request, and repeats it once if there was no answer or the API was busy.
func (b *prober) get(ctx context.Context, what api.GetRequest) *reply {
	for try := 1; ; try++ {
		b.result.Requests++
		r := &reply{Reply: b.client.Exchange(ctx, what)}
		b.record(r)
		if !r.Repeatable() || try == 2 || ctx.Err() != nil || r.Wait > longestPause {
			return r
		}
		wait := r.Wait
		if wait < 0 {
			wait = longestPause / 10
		}
		if b.client.Sleep(ctx, wait) != nil {
			return r
		}
	}
}

// record records what r shows besides its content.
func (b *prober) record(r *reply) {
	if r.AsksToRetryLater() || r.Status == http.StatusServiceUnavailable {
		b.result.Busy++
		b.result.RetryAfter = b.result.RetryAfter || r.Wait >= 0
	}
	if r.Err != nil {
		b.unanswered++
	}
	if r.Status/100 == 2 && (b.result.Fastest == 0 || r.Took < b.result.Fastest) {
		b.result.Fastest = r.Took
	}
	if r.Status == http.StatusBadRequest && b.firstRefusal == nil {
		b.firstRefusal = r
	}
}

// readRows splits a list into its objects. If the list was cut, it takes the complete
// ones.
func (r *reply) readRows() {
	if r.Cut {
		r.rows = completeObjects(r.Body)
		return
	}
	if len(bytes.TrimSpace(r.Body)) == 0 {
		return // JSON Lines without a line
	}
	rows, err := r.Objects()
	if err != nil {
		r.Problem = err.Error()
	}
	r.rows = rows
}

// completeObjects returns the objects of an array or of JSON Lines, up to where the
// body is cut.
func completeObjects(body []byte) (rows []jsontext.Value) {
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
