package api

import (
	"cmp"
	"context"
	"crypto/x509"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// exchangeTimeout is how long one exchange may take.
const exchangeTimeout = 20 * time.Second

// GetRequest describes one GET whose answer is examined whatever it is.
type GetRequest struct {
	Path  string // ending in a slash
	ID    string // of a record within the collection at Path; may be empty
	Query string // encoded
	Limit int64  // bytes of the answer that are wanted; 0: MaxAnswer of the Config
}

// Exchange is how one request went.
type Exchange struct {
	Status      int           // 0: there was no answer
	Protocol    string        // HTTP/2.0
	Compressed  bool          // the answer came compressed
	ContentType string        // without parameters
	Took        time.Duration // until the whole answer, or as much as was wanted, had arrived
	Skew        time.Duration // how far the server's clock is ahead of ours, give or take a second; see Dated
	Dated       bool          // the answer had a Date header
	Problem     string        // what was wrong with the answer, if Err is nil
	Err         error         // why there was none
}

// OK reports whether the request was answered with success, in JSON.
func (e *Exchange) OK() bool { return e.Err == nil && e.Status/100 == 2 && e.Problem == "" }

// Reply is an exchange with the body of its answer.
type Reply struct {
	Exchange
	Body []byte
	Cut  bool          // the answer was longer than wanted
	Wait time.Duration // how long the API asked to wait; -1: it did not ask
}

// AsksToRetryLater reports whether the API did not process the request and may do so later.
func (r *Reply) AsksToRetryLater() bool { return asksToRetryLater(r.Status, r.Wait >= 0) }

// Repeatable reports whether asking again may bring another answer.
func (r *Reply) Repeatable() bool {
	return r.AsksToRetryLater() || r.Status >= 500 || r.Err != nil && !hopeless(r.Err)
}

// Objects splits the body, which was read completely, into the objects of a list.
func (r *Reply) Objects() (objects []jsontext.Value, err error) {
	list, err := listOf(nil, r.Body, len(r.Body))
	for _, object := range list {
		objects = append(objects, object)
	}
	return objects, err
}

// Exchange makes one request, when it is its turn, and reads as much of the answer as
// is wanted. It never repeats the request.
func (c *Client) Exchange(ctx context.Context, g GetRequest) *Reply {
	r := &Reply{Wait: -1}
	if r.Err = c.waitTurn(ctx); r.Err != nil {
		return r
	}
	ctx, stop := context.WithTimeout(ctx, exchangeTimeout)
	defer stop()
	sent := c.now()
	what := &request{method: http.MethodGet, path: g.Path, id: g.ID, query: g.Query}
	res, err := c.transport.RoundTrip(c.newRequest(ctx, what, nil))
	if err != nil {
		r.Err = Explain(ctx, err)
		return r
	}
	defer res.Body.Close()
	headers := c.now()
	r.read(ctx, res, cmp.Or(g.Limit, c.config.MaxAnswer), headers)
	r.Took = c.now().Sub(sent)
	r.clock(res.Header, sent, headers)
	return r
}

// read takes what is wanted of an answer.
func (r *Reply) read(ctx context.Context, res *http.Response, limit int64, now time.Time) {
	r.Status, r.Protocol, r.Compressed = res.StatusCode, res.Proto, res.Uncompressed
	r.ContentType, _, _ = mime.ParseMediaType(res.Header.Get("Content-Type"))
	if wait, told := retryAfter(res.Header, now); told {
		r.Wait = wait
	}
	body, err := io.ReadAll(io.LimitReader(&markSkipper{body: res.Body}, limit+1))
	if int64(len(body)) > limit {
		body, r.Cut = body[:limit], true
	}
	r.Body = body
	if err != nil {
		r.Err = Explain(ctx, err)
	}
}

// clock compares the server's clock with ours. A Date header has whole seconds, and is
// from a moment between sent and received.
func (r *Reply) clock(h http.Header, sent, received time.Time) {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	r.Dated = true
	r.Skew = date.Add(time.Second / 2).Sub(sent.Add(received.Sub(sent) / 2))
}

// Sleep waits for d. It ends early, with an error, when ctx ends or no more
// requests are to be made.
func (c *Client) Sleep(ctx context.Context, d time.Duration) error {
	return c.config.Drain.Sleep(ctx, d)
}

// Route is the network path from the client to the API.
type Route struct {
	API, Proxy              *url.URL // without a path; Proxy is nil if there is none
	DialTimeout, TLSTimeout time.Duration
	RootCAs                 *x509.CertPool // whom to trust; nil: the system's
}

// Route returns the network path to the API. The error says that the address of the
// proxy is invalid.
func (c *Client) Route() (Route, error) {
	through, err := proxy(&http.Request{URL: c.base})
	return Route{c.base, through, c.config.DialTimeout, c.config.TLSTimeout, c.config.RootCAs}, err
}
