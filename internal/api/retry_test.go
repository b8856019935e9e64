package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const listPath = "/organization/externalclientcontactperson/list/"

// served is an API in memory.
type served func(n int, req *http.Request) (*http.Response, error)

// network counts the requests and hands them to the API.
type network struct {
	serve    served
	requests int
	down     bool // there are no connections
}

func (n *network) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	n.requests++
	if trace := httptrace.ContextClientTrace(req.Context()); !n.down {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	return n.serve(n.requests, req)
}

// respond returns an answer; headers are names and values in turn.
func respond(status int, body string, headers ...string) *http.Response {
	res := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body))}
	for i := 0; i+1 < len(headers); i += 2 {
		res.Header.Set(headers[i], headers[i+1])
	}
	return res
}

func clientOf(t testing.TB, serve served) (*Client, *network) {
	t.Helper()
	n := &network{serve: serve}
	c, err := New(Config{BaseURL: "https://x.se", Transport: n, Credentials: Credentials{
		CustomerID: "1", ApplicationID: "2", ServiceID: "3", ServiceVersionID: "4",
		ClientCT: "5", ClientEntity: "6", ClientSecret: "7",
	}})
	if err != nil {
		t.Fatal(err)
	}
	return c, n
}

func askPage(page int) *PageRequest { return &PageRequest{Path: listPath, Page: page, Size: 500} }

func TestFault10ReadsWaitAsToldThroughAStorm(t *testing.T) {
	for _, status := range []int{429, 503} {
		for _, form := range []string{"seconds", "date"} {
			synctest.Test(t, func(t *testing.T) { readsThroughAStorm(t, status, form) })
		}
	}
}

// TestFault51ForbiddenForAWhile reads through a proxy that limits rates with 403.
func TestFault51ForbiddenForAWhile(t *testing.T) {
	for _, form := range []string{"seconds", "date"} {
		synctest.Test(t, func(t *testing.T) { readsThroughAStorm(t, http.StatusForbidden, form) })
	}
}

// readsThroughAStorm reads from an API that answers with status and a Retry-After of
// some form many times.
func readsThroughAStorm(t *testing.T, status int, form string) {
	t.Helper()
	c, n := clientOf(t, func(n int, _ *http.Request) (*http.Response, error) {
		now := time.Now().UTC()
		after := "20"
		if form == "date" {
			after = now.Add(20 * time.Second).Format(http.TimeFormat)
		}
		if n <= 30 {
			return respond(status, "later", "Retry-After", after, "Date", now.Format(http.TimeFormat)), nil
		}
		return respond(200, `[{"id":"A"}]`), nil
	})
	start := time.Now()
	var p Page
	err := c.Fetch(t.Context(), askPage(1), &p, "")
	if waited := time.Since(start); err != nil || waited < 10*time.Minute || waited > 12*time.Minute {
		t.Errorf("%d, %s: %v after %v", status, form, err, waited)
	}
	if n.requests != 31 || len(p.Objects) != 1 || c.readBudget.spent != 0 {
		t.Errorf("%d, %s: %d requests, %d objects, %d tokens spent", status, form, n.requests, len(p.Objects), c.readBudget.spent)
	}
}

func TestFault11ReadsOutliveRandomFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(1, 2))
		c, n := clientOf(t, func(int, *http.Request) (*http.Response, error) {
			if random.IntN(100) < 5 {
				return respond([]int{500, 502, 503, 504}[random.IntN(4)], "<html>"), nil
			}
			return respond(200, "[]"), nil
		})
		const reads = 4000
		var p Page
		for range reads {
			if err := c.Fetch(t.Context(), askPage(1), &p, ""); err != nil {
				t.Fatal(err)
			}
		}
		if n.requests < reads*103/100 || n.requests > reads*108/100 || c.readBudget.spent > 100 {
			t.Errorf("%d requests for %d reads, %d tokens spent", n.requests, reads, c.readBudget.spent)
		}
	})
}

// TestReadsSpareAServerThatBreaksDown has half of all requests fail: the budget
// ends it, although each read by itself would go through.
func TestReadsSpareAServerThatBreaksDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := clientOf(t, func(n int, _ *http.Request) (*http.Response, error) {
			return respond(200+n%2*300, "[]"), nil
		})
		var p Page
		var err error
		for err == nil {
			err = c.Fetch(t.Context(), askPage(1), &p, "")
		}
		var gaveUp *GaveUpError
		if !errors.As(err, &gaveUp) || !gaveUp.Unanswered || !strings.Contains(err.Error(), "too many requests fail") {
			t.Error(err)
		}
		if n.requests < 200 || n.requests > 300 {
			t.Errorf("ended after %d requests", n.requests)
		}
	})
}

func TestReadsGiveUp(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	for name, test := range map[string]struct {
		serve served
		after time.Duration
		tries int // at most; waits are random, so about a dozen in 30 s
		want  string
	}{
		"dead": {func(int, *http.Request) (*http.Response, error) { return nil, refused }, 30 * time.Second, 20, "not sent for 3"},
		"down": {func(int, *http.Request) (*http.Response, error) { return respond(502, ""), nil }, 30 * time.Second, 20, "no answer of use for 3"},
		"busy": {func(int, *http.Request) (*http.Response, error) { return respond(429, ""), nil }, 15 * time.Minute, 300, "turned away by a busy API for 15m"},
		"slow": {func(_ int, req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}, 10 * time.Minute, 2, "no answer of use for 5m"},
		"no such host": {func(int, *http.Request) (*http.Response, error) {
			return nil, &net.DNSError{Err: "no such host", Name: "x.se", IsNotFound: true}
		}, 0, 1, "not sent"},
		"HTML":    {func(int, *http.Request) (*http.Response, error) { return respond(200, "<html>secret"), nil }, 0, 4, "answer 200: the answer is not JSON"},
		"denied":  {func(int, *http.Request) (*http.Response, error) { return respond(401, "secret"), nil }, 0, 1, "401 Unauthorized"},
		"moved":   {func(int, *http.Request) (*http.Response, error) { return respond(302, ""), nil }, 0, 1, "302 Found"},
		"refused": {func(int, *http.Request) (*http.Response, error) { return respond(400, "secret"), nil }, 0, 1, "400 Bad Request"},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, n := clientOf(t, test.serve)
			n.down = strings.HasPrefix(test.want, "not sent")
			start := time.Now()
			var p Page
			err := c.Fetch(t.Context(), askPage(1), &p, "")
			d := time.Since(start)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %v", name, err)
			}
			if d < test.after || d > test.after*5/4+3*time.Second || n.requests > test.tries {
				t.Errorf("%s: gave up after %v and %d requests", name, d, n.requests)
			}
		})
	}
}

// TestReadsAreRepeated has one bad exchange before a good one.
func TestReadsAreRepeated(t *testing.T) {
	cut := func(body string) *http.Response {
		res := respond(200, "")
		res.Body = io.NopCloser(io.MultiReader(strings.NewReader(body), readerFunc(func([]byte) (int, error) { return 0, io.ErrUnexpectedEOF })))
		return res
	}
	for name, bad := range map[string]func() (*http.Response, error){
		"not sent":  func() (*http.Response, error) { return nil, errors.New("refused") },
		"EOF":       func() (*http.Response, error) { return nil, io.EOF },
		"408":       func() (*http.Response, error) { return respond(408, ""), nil },
		"423":       func() (*http.Response, error) { return respond(423, `{"detail":"Locked."}`), nil },
		"500":       func() (*http.Response, error) { return respond(500, ""), nil },
		"503":       func() (*http.Response, error) { return respond(503, "", "Retry-After", "1"), nil },
		"reset":     func() (*http.Response, error) { return cut(`[{"id":"A"},{"id":`), nil },
		"cut JSON":  func() (*http.Response, error) { return respond(200, `[{"id":"A"},{"i`), nil },
		"cut lines": func() (*http.Response, error) { return respond(200, `{"id":"A"}`+"\n"+`{"id":`), nil },
		"text":      func() (*http.Response, error) { return respond(200, "be right back"), nil },
		"failure":   func() (*http.Response, error) { return respond(200, `{"detail":"later"}`), nil },
	} {
		synctest.Test(t, func(t *testing.T) {
			c, n := clientOf(t, func(n int, _ *http.Request) (*http.Response, error) {
				if n == 1 {
					return bad()
				}
				return respond(200, `[{"id":"B"}]`), nil
			})
			var p Page
			err := c.Fetch(t.Context(), askPage(1), &p, "")
			if err != nil || n.requests != 2 || len(p.Objects) != 1 || string(p.ID(0)) != "B" {
				t.Errorf("%s: %v, %d requests, %s", name, err, n.requests, p.Data)
			}
		})
	}
}

func TestReadsEndWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := clientOf(t, func(int, *http.Request) (*http.Response, error) {
			return respond(429, "", "Retry-After", "300"), nil
		})
		ctx, cancel := context.WithCancelCause(t.Context())
		enough := errors.New("enough")
		time.AfterFunc(time.Second, func() { cancel(enough) })
		start := time.Now()
		var p Page
		if err := c.Fetch(ctx, askPage(1), &p, ""); !errors.Is(err, enough) || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// TestNothingOfAQueryIsShown looks at the error and at what was logged.
func TestNothingOfAQueryIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := clientOf(t, func(int, *http.Request) (*http.Response, error) {
			return respond(502, "198501022399"), nil
		})
		var log strings.Builder
		c.log = newTestLog(&log)
		a := askPage(1)
		a.Query = url.Values{"ssn": {"198501022399"}}
		var p Page
		err := c.Fetch(t.Context(), a, &p, "")
		all := fmt.Sprint(err, log.String())
		if !strings.Contains(all, "502") || strings.Contains(all, "1985") || strings.Contains(all, "ssn") {
			t.Error(all)
		}
	})
}
