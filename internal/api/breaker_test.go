package api

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"flytt/internal/drain"
)

var errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}

// openGate lets the fakes wait: nobody drains a server.
var openGate *drain.Gate

// weary is a server in memory: each answer takes some time, and it counts what is
// under way at once.
type weary struct {
	mu       sync.Mutex
	takes    time.Duration
	serve    func(req *http.Request) *http.Response // nil answer: no connection
	flying   int
	most     int // in flight since it was last asked for
	requests int
	gets     int
}

func (b *weary) RoundTrip(req *http.Request) (*http.Response, error) {
	b.mu.Lock()
	b.flying++
	b.requests++
	if req.Method == http.MethodGet {
		b.gets++
	}
	b.most = max(b.most, b.flying)
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		b.flying--
		b.mu.Unlock()
	}()
	if err := openGate.Sleep(req.Context(), b.takes); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	res := b.serve(req)
	if res == nil {
		return nil, errRefused
	}
	return res, nil
}

// peak returns the most requests that were in flight since it was last called.
func (b *weary) peak() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer func() { b.most = b.flying }()
	return b.most
}

func (b *weary) client(t testing.TB, config Config) *Client {
	t.Helper()
	config.BaseURL, config.Transport = "https://x.se", b
	config.Credentials = Credentials{CustomerID: "1", ApplicationID: "2", ServiceID: "3", ServiceVersionID: "4", ClientCT: "5", ClientEntity: "6", ClientSecret: "7"}
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// deliverAll has workers deliver writes one after the other until each has made n,
// and returns the first error.
func deliverAll(ctx context.Context, c *Client, workers, n int) error {
	errs := make(chan error, workers)
	for range workers {
		go func() {
			for range n {
				o, err := c.Deliver(ctx, http.MethodPost, listPath, func() Outcome {
					return c.BulkWrite(ctx, listPath, []byte("[]"), nil)
				})
				if err == nil && !o.OK() {
					err = fmt.Errorf("%v: %w", o.Class, o.Err)
				}
				if err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	var first error
	for range workers {
		if err := <-errs; first == nil {
			first = err
		}
	}
	return first
}

// TestFault10Storm has a server turn away everything for ten minutes, and then
// all that is more than two at once for a while: each write goes through, what
// is in flight falls to one, and climbs again when the server is well.
func TestFault10Storm(t *testing.T) {
	for _, form := range []string{"seconds", "date"} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			later := func() *http.Response {
				now, after := time.Now().UTC(), "20"
				if form == "date" {
					after = now.Add(20 * time.Second).Format(http.TimeFormat)
				}
				return respond(429, "later", "Retry-After", after, "Date", now.Format(http.TimeFormat))
			}
			b := &weary{takes: time.Second}
			b.serve = func(*http.Request) *http.Response {
				if since := time.Since(start); since > 30*time.Second && since < 10*time.Minute {
					return later()
				}
				return respond(200, "[]")
			}
			c := b.client(t, Config{Concurrency: 8, GiveUpAfter: time.Minute})
			done := make(chan error)
			go func() { done <- deliverAll(t.Context(), c, 8, 200) }()

			time.Sleep(29 * time.Second)
			if got := b.peak(); got != 8 {
				t.Errorf("%s: %d requests at once before the storm, want 8", form, got)
			}
			time.Sleep(5 * time.Minute)
			b.peak()
			time.Sleep(4 * time.Minute)
			if got := b.peak(); got != 1 {
				t.Errorf("%s: %d requests at once in the storm, want 1", form, got)
			}
			time.Sleep(3 * time.Minute)
			b.peak()
			time.Sleep(10 * time.Second)
			if got := b.peak(); got != 8 {
				t.Errorf("%s: %d requests at once after the storm, want 8", form, got)
			}
			if err := <-done; err != nil {
				t.Errorf("%s: %v", form, err)
			}
			if c.writeBudget.spent != 0 {
				t.Errorf("%s: %d tokens spent, and being told to wait costs none", form, c.writeBudget.spent)
			}
			if extra := b.requests - 8*200; extra > 8+30*2 {
				t.Errorf("%s: %d requests were turned away in ten minutes of 20 s", form, extra)
			}
		})
	}
}

// TestFault04RefusedForAWhile has nobody listen for three seconds.
func TestFault04RefusedForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		b := &weary{}
		b.serve = func(*http.Request) *http.Response {
			if time.Since(start) < 3*time.Second {
				return nil
			}
			return respond(200, "[]")
		}
		c := b.client(t, Config{Concurrency: 4})
		c.reached.Store(true) // the address was right before
		if err := deliverAll(t.Context(), c, 4, 5); err != nil {
			t.Error(err)
		}
		if waited := time.Since(start); waited < 3*time.Second || waited > 10*time.Second {
			t.Errorf("it took %v", waited)
		}
	})
}

// TestFault11Writes has one write in twenty fail: what is in doubt is not sent
// again, and nothing else is held up.
func TestFault11Writes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(3, 4))
		b := &weary{takes: 10 * time.Millisecond}
		b.serve = func(req *http.Request) *http.Response {
			if req.Method == http.MethodPost && random.IntN(100) < 5 {
				return respond([]int{500, 502, 504}[random.IntN(3)], "<html>")
			}
			return respond(200, "[]")
		}
		c := b.client(t, Config{Concurrency: 4})
		const writes = 4000
		doubts := 0
		for range writes {
			o, err := c.Deliver(t.Context(), http.MethodPost, listPath, func() Outcome {
				return c.BulkWrite(t.Context(), listPath, []byte("[]"), nil)
			})
			if err != nil {
				t.Fatal(err)
			}
			if o.Class == InDoubt {
				doubts++
			}
		}
		if posts := b.requests - b.gets; posts != writes || doubts < writes*3/100 || doubts > writes*7/100 {
			t.Errorf("%d requests for %d writes, %d in doubt", posts, writes, doubts)
		}
		if b.gets > writes/100 {
			t.Errorf("%d probes: one failure in twenty is no outage", b.gets)
		}
	})
}

// TestFault12DownForTenMinutes has the API be gone for ten minutes: one caller
// asks for it, the others wait, and everything goes through.
func TestFault12DownForTenMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		b := &weary{}
		b.serve = func(*http.Request) *http.Response {
			if since := time.Since(start); since > time.Second && since < 10*time.Minute {
				return nil
			}
			return respond(200, "[]")
		}
		b.takes = 100 * time.Millisecond
		c := b.client(t, Config{Concurrency: 8, GiveUpAfter: 15 * time.Minute})
		if err := deliverAll(t.Context(), c, 8, 50); err != nil {
			t.Error(err)
		}
		if waited := time.Since(start); waited > 11*time.Minute {
			t.Errorf("it took %v", waited)
		}
		// Probes come ever less often, up to 20 s apart, and from one at a time.
		if failed := b.requests - 8*50; failed < 20 || failed > 150 {
			t.Errorf("%d requests beyond those that went through", failed)
		}
		if c.writeBudget.spent > budgetSize/2 {
			t.Errorf("%d tokens spent", c.writeBudget.spent)
		}
	})
}

// TestFault12DownForEver has the API never come back: all callers give up as one.
func TestFault12DownForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		b := &weary{}
		b.serve = func(*http.Request) *http.Response {
			if time.Since(start) > time.Second {
				return nil
			}
			return respond(200, "[]")
		}
		b.takes = 100 * time.Millisecond
		c := b.client(t, Config{Concurrency: 8, GiveUpAfter: 10 * time.Minute})
		err := deliverAll(t.Context(), c, 8, 1000)
		var gaveUp *GaveUpError
		if !errors.As(err, &gaveUp) || !strings.Contains(err.Error(), "refused") {
			t.Errorf("%v", err)
		}
		if waited := time.Since(start); waited < 10*time.Minute || waited > 12*time.Minute {
			t.Errorf("gave up after %v", waited)
		}
		again := time.Now()
		if err := deliverAll(t.Context(), c, 8, 10); !errors.As(err, &gaveUp) || time.Since(again) > time.Second {
			t.Errorf("what comes after that waits %v: %v", time.Since(again), err)
		}
	})
}

func TestWritesThatAreNotSentCostTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &weary{serve: func(*http.Request) *http.Response { return nil }}
		c := b.client(t, Config{GiveUpAfter: time.Hour})
		p := c.Retrier(http.MethodPost, listPath)
		for range 10 {
			if err := p.Wait(t.Context(), Outcome{Class: NotSent, Err: errRefused}); err != nil && !c.reached.Load() {
				break
			}
		}
		c.writeBudget.spent = budgetSize - retryCost
		c.reached.Store(true)
		p = c.Retrier(http.MethodPost, listPath)
		if err := p.Wait(t.Context(), Outcome{Class: NotSent, Err: errRefused}); err != nil || c.breaker.blocking() != nil {
			t.Errorf("the last tokens: %v", err)
		}
		if err := p.Wait(t.Context(), Outcome{Class: NotSent, Err: errRefused}); err != nil || c.breaker.blocking() == nil {
			t.Errorf("without tokens the API is sent to before it shows life (%v)", err)
		}
		p.finish(Outcome{Class: Answered})
		if c.writeBudget.spent != budgetSize {
			t.Errorf("%d tokens spent", c.writeBudget.spent)
		}
	})
}

func TestWaitUntilUpAsksOnce(t *testing.T) {
	for _, test := range []struct {
		status  int
		body    string
		headers []string
		fails   bool
	}{
		{200, "[]", nil, false}, {200, ` {"results":[]}`, nil, false}, {404, "", nil, false}, {400, "", nil, false},
		{429, "", nil, false}, {401, "", nil, true}, {403, "", nil, true}, {302, "", nil, true},
		{403, "", []string{"Retry-After", "2"}, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := &weary{serve: func(*http.Request) *http.Response { return respond(test.status, test.body, test.headers...) }}
			c := b.client(t, Config{})
			err := c.WaitUntilUp(t.Context(), listPath)
			var status *StatusError
			if test.fails != (err != nil) || test.fails && (!errors.As(err, &status) || status.Status != test.status) || b.requests != 1 {
				t.Errorf("%d: %v after %d requests", test.status, err, b.requests)
			}
		})
	}
}

// TestAnHTMLPageDoesNotProveThatTheAPIIsUp has a proxy answer every read with a page of HTML.
func TestAnHTMLPageDoesNotProveThatTheAPIIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		b := &weary{serve: func(*http.Request) *http.Response {
			if time.Since(start) > 5*time.Minute {
				return respond(200, "[]")
			}
			return respond(200, "<html>we are working on it</html>")
		}}
		c := b.client(t, Config{GiveUpAfter: 10 * time.Minute})
		if err := c.WaitUntilUp(t.Context(), listPath); err != nil || time.Since(start) < 5*time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// TestTheProberIsReplaced has the caller that probes on behalf of the others
// leave: another takes its place.
func TestTheProberIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		b := &weary{serve: func(*http.Request) *http.Response {
			if time.Since(start) < time.Minute {
				return nil
			}
			return respond(200, "[]")
		}}
		c := b.client(t, Config{GiveUpAfter: 10 * time.Minute})
		c.reached.Store(true)
		c.breaker.recordFailure(Outcome{Class: NotSent, Err: errRefused}, true, time.Now())
		leaves, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		first := make(chan error)
		go func() { first <- c.waitForBreaker(leaves, http.MethodPost, listPath) }()
		synctest.Wait()
		second := make(chan error)
		go func() { second <- c.waitForBreaker(t.Context(), http.MethodPost, listPath) }()
		if err := <-first; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the first: %v", err)
		}
		if err := <-second; err != nil || time.Since(start) < time.Minute {
			t.Errorf("the second: %v after %v", err, time.Since(start))
		}
	})
}

// TestOneFailureDoesNotOpenTheCircuit has attempts fail now and then, and in a row.
func TestOneFailureDoesNotOpenTheCircuit(t *testing.T) {
	var l circuitBreaker
	now := time.Now()
	for range 10 {
		for range failuresToOpen - 1 {
			l.recordFailure(Outcome{Class: InDoubt}, false, now)
		}
		if l.blocking() != nil {
			t.Fatalf("an outage after %d failures", failuresToOpen-1)
		}
		l.recordSuccess()
	}
	for range failuresToOpen {
		l.recordFailure(Outcome{Class: InDoubt}, false, now)
	}
	if l.blocking() == nil {
		t.Errorf("no outage after %d failures in a row", failuresToOpen)
	}
}

// TestBackoffIsBounded holds the waits to what is promised: within 20 s, and not
// all the same.
func TestBackoffIsBounded(t *testing.T) {
	seen := map[string]bool{}
	for n := 1; n < 100; n++ {
		d := backoff(n)
		if d < 0 || d >= maxBackoff {
			t.Errorf("backoff %d is %v", n, d)
		}
		seen[strconv.FormatInt(int64(d), 10)] = true
	}
	if len(seen) < 90 {
		t.Errorf("%d different waits of 99", len(seen))
	}
}
