package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Sandbox serves the API. It is an http.Handler, safe for concurrent use.
type Sandbox struct {
	options Options
	headers []header
	store   *store
	tables  map[string]*table // by path
	tenants map[string]int64  // by customer id

	plan     plan
	late     *lateWrites
	arrived  atomic.Int64 // requests
	inFlight atomic.Int64
	ending   chan struct{} // closed when a server that Start made stops, or s is closed
	end      func()        // closes it

	mu        sync.Mutex
	last      int64               // the latest created_at in use, in microseconds
	listeners []*pausableListener // where s listens
	cutUntil  time.Time           // until then, requests through other listeners are cut off
}

// New opens a sandbox. Its database is the file o.DB, made with mode 0600 if it
// is not there; or, with o.DB empty, a private temporary one that Close
// removes. Close releases it.
func New(o Options) (*Sandbox, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	if err := o.Check(); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	s := &Sandbox{options: o, headers: o.Credentials.headers(), tables: map[string]*table{}, tenants: map[string]int64{}}
	s.plan.seed, s.late, s.ending = o.FaultSeed, newLateWrites(), make(chan struct{})
	s.end = sync.OnceFunc(func() { close(s.ending) })
	s.Inject(o.Faults...)
	if s.store, err = openStore(o.DB); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	if err := s.prepare(); err != nil {
		return nil, fmt.Errorf("sandbox: %w", errors.Join(err, s.store.close()))
	}
	return s, nil
}

// prepare makes the tenants and the tables.
func (s *Sandbox) prepare() error {
	for _, customer := range append([]string{s.headers[0].value}, s.options.Tenants...) {
		id, err := s.store.tenant(customer)
		if err != nil {
			return err
		}
		s.tenants[customer] = id
	}
	for _, r := range s.options.Resources {
		t, err := newTable(r, &s.options)
		if err != nil {
			return err
		}
		if s.tables[r.Path] != nil {
			return fmt.Errorf("resource %s: path %s is another resource's", r.Name, r.Path)
		}
		if err := s.store.create(t); err != nil {
			return err
		}
		s.tables[r.Path] = t
	}
	return nil
}

// Close releases the database. Requests after it, and those under way, fail;
// late commits still to come are lost.
func (s *Sandbox) Close() error {
	s.end()
	s.late.stop()
	if err := s.store.close(); err != nil {
		return fmt.Errorf("sandbox: close: %w", err)
	}
	return nil
}

// stampFrom reserves n consecutive values of created_at, in microseconds, from the time
// t on, and returns the first. None of them was used before.
func (s *Sandbox) stampFrom(t time.Time, n int) int64 {
	now := t.UnixMicro()
	s.mu.Lock()
	defer s.mu.Unlock()
	first := max(now, s.last+1)
	s.last = first + int64(n) - 1
	return first
}

// stopTimeout is how long stop waits for requests under way.
const stopTimeout = 5 * time.Second

// Start serves s on addr (host:port; port 0 is any free one) until stop is called, over
// HTTP/1.1 and, for clients that start with it, cleartext HTTP/2. It returns the base
// URL for clients on this machine. stop waits for running requests, at most five
// seconds, and for the server's goroutine; answers that faults delay end at once. It
// does not close s.
func (s *Sandbox) Start(addr string) (baseURL string, stop func() error, err error) {
	d, err := s.openListener(addr)
	if err != nil {
		return "", nil, fmt.Errorf("sandbox: %w", err)
	}
	var serving errgroup.Group
	serving.Go(func() error { return d.server.Serve(d) })
	stop = sync.OnceValue(func() error {
		s.end()
		s.removeListener(d)
		return shutdown(d.server, &serving)
	})
	return "http://" + reachable(d.Addr()), stop, nil
}

func shutdown(server *http.Server, serving *errgroup.Group) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	if serveErr := serving.Wait(); !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	if err != nil {
		return fmt.Errorf("sandbox: stop: %w", err)
	}
	return nil
}

// reachable returns addr with the loopback address in place of "any address".
func reachable(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// route finds the table of a path, and what the rest of the path means: "" the
// collection, "list" the list, anything else the id of a row.
func (s *Sandbox) route(path string) (t *table, rest string) {
	if t := s.tables[path]; t != nil {
		return t, ""
	}
	base, slash := strings.CutSuffix(path, "/")
	i := strings.LastIndexByte(base, '/')
	if !slash || i < 0 {
		return nil, ""
	}
	return s.tables[path[:i+1]], base[i+1:]
}
