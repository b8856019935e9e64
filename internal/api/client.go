package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Client speaks to one API with one set of credentials. It is safe for concurrent use.
type Client struct {
	config      Config
	base        *url.URL
	header      http.Header
	transport   http.RoundTripper
	rateLimiter *rate.Limiter
	clock       serverClock
	pause       pause
	writes      *concurrencyLimiter // limits the writes in flight
	breaker     circuitBreaker
	readBudget  retryBudget // of reads
	writeBudget retryBudget // of writes
	reached     atomic.Bool // a connection was established once, so the address is right
	now         func() time.Time
	log         *slog.Logger
}

// New returns a client. It checks the configuration and connects to nothing.
func New(config Config) (*Client, error) {
	config = config.withDefaults()
	base, err := ParseBaseURL(config.BaseURL)
	if err != nil {
		return nil, err
	}
	if err := config.Credentials.Validate(); err != nil {
		return nil, err
	}
	if config.Rate < 0 {
		return nil, errors.New("rate: less than 0 requests per second")
	}
	c := &Client{config: config, base: base, transport: config.Transport, now: time.Now, log: config.Log}
	c.writes = newConcurrencyLimiter(config.Concurrency, config.Drain, config.Log)
	c.rateLimiter = rate.NewLimiter(rate.Inf, 1)
	if config.Rate > 0 {
		c.rateLimiter.SetLimit(rate.Limit(config.Rate))
	}
	if c.transport == nil {
		c.transport = newTransport(&config)
	}
	c.header = http.Header{}
	c.header.Set("Accept", "application/json")
	c.header.Set("User-Agent", config.UserAgent)
	config.Credentials.setHeaders(c.header)
	return c, nil
}

// newTransport returns the HTTP transport. It is used without an http.Client, which
// would follow redirects and print URLs.
func newTransport(config *Config) *http.Transport {
	dialer := &net.Dialer{Timeout: config.DialTimeout, KeepAlive: 15 * time.Second}
	return &http.Transport{
		Proxy:                 proxy,
		DialContext:           dialer.DialContext,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: config.RootCAs},
		TLSHandshakeTimeout:   config.TLSTimeout,
		ResponseHeaderTimeout: config.HeaderTimeout,
		ForceAttemptHTTP2:     true,
		HTTP2:                 &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
		MaxIdleConnsPerHost:   config.Concurrency,
		// A write on a connection that the server is just closing is in doubt:
		// better to leave first. Common servers close after 2 to 60 s.
		IdleConnTimeout: time.Second,
		ReadBufferSize:  64 << 10,
		WriteBufferSize: 64 << 10,
	}
}

// proxy is http.ProxyFromEnvironment with errors that do not show the proxy's
// password.
func proxy(req *http.Request) (*url.URL, error) {
	u, err := http.ProxyFromEnvironment(req)
	if err != nil {
		return nil, errProxy
	}
	return u, nil
}

// Format prints the address and nothing else, whatever the verb: the client
// holds the credentials.
func (c *Client) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "api client of %s", c.Host()) }

// Host returns the host, and the port if there is one, that the client speaks
// to.
func (c *Client) Host() string { return c.base.Host }

// BaseURL returns the scheme and the host that the client speaks to.
func (c *Client) BaseURL() string { return c.base.String() }

// Loopback reports whether the API is on this machine.
func (c *Client) Loopback() bool { return Loopback(c.base) }

// Close closes the connections that are idle. The client can still be used.
func (c *Client) Close() {
	if t, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// BulkWrite makes one attempt to POST body, a JSON array, to path, which ends in a
// slash. The body of the answer is read into the buffer into, which may be nil. The
// outcome says whether the attempt may be repeated; BulkWrite itself never does: see
// Deliver. body is free for reuse when BulkWrite returns.
//
// Like every write it waits first: while the API is down, while the API asks for no
// requests, and for its turn. When the API is busy, fewer writes are in flight at once.
func (c *Client) BulkWrite(ctx context.Context, path string, body, into []byte) Outcome {
	return c.write(ctx, &request{method: http.MethodPost, path: path, body: body, into: into})
}

// request describes one attempt.
type request struct {
	method, path, query string
	id                  string // of a record within the collection at path; may be empty
	body                []byte
	into                []byte
	exclusive           bool // a write: no other write may be in flight at the same time
	// consume, if set, reads the body of a successful answer as it arrives, instead of
	// into. If it returns an error, the answer counts as unreadable.
	consume func(res *http.Response, body io.Reader) error
	// untimed lets the exchange take longer than TotalTimeout, as long as data keeps
	// coming.
	untimed bool
}

// attempt waits for its turn, sends r once, and says what that proves.
func (c *Client) attempt(ctx context.Context, r *request) Outcome {
	if err := c.waitTurn(ctx); err != nil {
		return Outcome{Class: NotSent, Err: err}
	}
	return c.transmit(ctx, r)
}

// write is attempt for a request that changes something: it also waits for a permit.
func (c *Client) write(ctx context.Context, r *request) Outcome {
	given, err := c.acquirePermit(ctx, r)
	if err != nil {
		return Outcome{Class: NotSent, Err: err}
	}
	o := c.transmit(ctx, r)
	o.permitRound = given.round
	o.Overlapped = c.writes.release(given, loadOf(&o))
	if o.Class == Answered {
		c.writeBudget.earn()
	}
	return o
}

// transmit sends r once and updates pause and circuit breaker.
func (c *Client) transmit(ctx context.Context, r *request) Outcome {
	o := c.send(ctx, r)
	if o.Class == NotProcessed {
		c.pause.extend(c.now().Add(o.Wait))
	}
	if ctx.Err() == nil {
		c.recordHealth(&o)
	}
	return o
}

// send sends r once and says what that proves.
func (c *Client) send(ctx context.Context, r *request) Outcome {
	if !r.untimed {
		timed, stop := context.WithTimeout(ctx, c.config.TotalTimeout)
		defer stop()
		ctx = timed
	}
	ctx, abort := context.WithCancelCause(ctx)
	defer abort(nil)

	body := &requestBody{data: r.body}
	defer body.release()
	res, err := c.transport.RoundTrip(c.newRequest(ctx, r, body))
	if err != nil {
		return failedOutcome(ctx, err, body.begun())
	}
	defer res.Body.Close()
	explained := func(err error) error { return Explain(ctx, err) }
	return c.receive(res, &idleReader{body: res.Body, idle: c.config.IdleTimeout, abort: abort, explain: explained}, r)
}

// receive reads the answer res, whose body is to be read through body.
func (c *Client) receive(res *http.Response, body *idleReader, r *request) Outcome {
	defer body.stop()
	c.clock.record(res, c.now())
	text := &markSkipper{body: body}
	if r.consume != nil && res.StatusCode/100 == 2 {
		return c.classify(res, nil, r.consume(res, text))
	}
	data, err := readBody(res, text, r.into, c.config.MaxAnswer)
	return c.classify(res, data, err)
}

// waitTurn waits until a request may be sent.
func (c *Client) waitTurn(ctx context.Context) error {
	if err := c.waitForPause(ctx); err != nil {
		return err
	}
	return c.waitForRate(ctx)
}

// waitForRate waits for the rate at which requests may be sent.
func (c *Client) waitForRate(ctx context.Context) error {
	turn := c.rateLimiter.Reserve()
	wait := turn.Delay()
	if wait == 0 {
		return nil
	}
	err := c.config.Drain.Sleep(ctx, wait)
	if err != nil {
		turn.Cancel()
	}
	return err
}

// waitForPause waits while the API asks for no requests.
func (c *Client) waitForPause(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for wait := c.pause.left(c.now()); wait > 0; wait = c.pause.left(c.now()) {
		if err := c.config.Drain.Sleep(ctx, wait); err != nil {
			return err
		}
	}
	return nil
}

// acquirePermit waits until the write r may be sent, and returns a permit for it.
// Nobody holds a permit while the API is down or asks for no requests: the limit may be
// lower after that.
func (c *Client) acquirePermit(ctx context.Context, r *request) (given permit, err error) {
	for {
		if err := c.waitForBreaker(ctx, r.method, r.path); err != nil {
			return permit{}, err
		}
		if err := c.waitForPause(ctx); err != nil {
			return permit{}, err
		}
		if given, err = c.writes.acquire(ctx, r.exclusive); err != nil {
			return permit{}, err
		}
		if c.pause.left(c.now()) <= 0 && c.breaker.blocking() == nil {
			break
		}
		c.writes.release(given, loadUnknown)
	}
	if err = c.waitForRate(ctx); err != nil {
		c.writes.release(given, loadUnknown)
	}
	return given, err
}

func (c *Client) newRequest(ctx context.Context, r *request, body *requestBody) *http.Request {
	trace := httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		c.reached.Store(true)
		body.connected()
	}}
	u := *c.base
	r.setPath(&u)
	req := &http.Request{Method: r.method, URL: &u, Host: u.Host, Header: c.header.Clone(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
	if len(r.body) > 0 {
		// No GetBody: with it net/http sends a body again when an HTTP/2 server
		// resets the stream, after the server may have acted on it.
		req.Body, req.ContentLength = body, int64(len(r.body))
		req.Header.Set("Content-Type", "application/json")
	} else if r.method == http.MethodDelete {
		req.Body = body // empty: net/http sends a write without a body again
	}
	return req.WithContext(httptrace.WithClientTrace(ctx, &trace))
}

// failedOutcome returns the outcome of an attempt that brought no answer. begun says
// that the server may have received a part of the request.
func failedOutcome(ctx context.Context, err error, begun bool) Outcome {
	o := Outcome{Err: Explain(ctx, err), refusedStream: isRefusedStream(err)}
	if !begun || o.refusedStream {
		o.Class = NotSent
	}
	return o
}

// requestBody is a request body that knows how much of it was read and can be
// withdrawn: net/http may go on reading after it has returned.
type requestBody struct {
	mu   sync.Mutex
	data []byte
	sent int
	over bool
	conn bool // a connection was established for the request
}

var errReleased = errors.New("the request is over")

// Read hands out the next bytes.
func (b *requestBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return 0, errReleased
	}
	if b.sent == len(b.data) {
		return 0, io.EOF
	}
	n := copy(p, b.data[b.sent:])
	b.sent += n
	return n, nil
}

// Close does nothing: the body is released by the attempt it belongs to.
func (b *requestBody) Close() error { return nil }

// connected records that the request has a connection, TLS included. b is nil for
// requests without a body to watch.
func (b *requestBody) connected() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.conn = true
}

// begun withdraws the body and reports whether the server may have received a part of
// the request: bytes of the body were read by the connection, or, if there is no body,
// a connection was established.
func (b *requestBody) begun() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	begun := b.sent > 0 || len(b.data) == 0 && b.conn
	b.withdraw()
	return begun
}

// release withdraws the body: it is not read any more after that.
func (b *requestBody) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.withdraw()
}

func (b *requestBody) withdraw() { b.data, b.over = nil, true }
