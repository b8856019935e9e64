package api_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"flytt/internal/api"
)

var discard = log.New(io.Discard, "", 0)

func TestRetrierWaitsAsLongAsTheAPIAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, api.Config{BaseURL: "https://x.se"})
		p := c.Retrier("POST", path)
		start := time.Now()
		o := api.Outcome{Class: api.NotProcessed, Status: 429, Wait: 20 * time.Second}
		if err := p.Wait(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d < 20*time.Second || d > 23*time.Second {
			t.Errorf("waited %v", d)
		}
	})
}

func TestRetrierGivesUp(t *testing.T) {
	refused := errors.New("connection refused")
	for _, test := range []struct {
		o    api.Outcome
		want time.Duration
		text string
	}{
		{api.Outcome{Class: api.NotSent, Err: refused}, 30 * time.Second, "not sent for 3"},
		{api.Outcome{Class: api.NotProcessed, Err: refused, Wait: time.Minute}, 15 * time.Minute, "busy API for 1"},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newClient(t, api.Config{BaseURL: "https://x.se"})
			p := c.Retrier("POST", path)
			start := time.Now()
			var err error
			for err == nil {
				err = p.Wait(t.Context(), test.o)
			}
			if d := time.Since(start); d < test.want || d > test.want*5/4 {
				t.Errorf("%v: gave up after %v, want %v", test.o.Class, d, test.want)
			}
			var gaveUp *api.GaveUpError
			if !errors.As(err, &gaveUp) || !errors.Is(err, refused) || !strings.Contains(err.Error(), test.text) || gaveUp.Hint() == "" {
				t.Errorf("%v: %v", test.o.Class, err)
			}
		})
	}
}

func TestRetrierEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, api.Config{BaseURL: "https://x.se"})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		err := c.Retrier("POST", path).Wait(ctx, api.Outcome{Class: api.NotProcessed, Wait: time.Minute})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// What says later to one request holds back the others too.
func TestPauseHoldsAllRequests(t *testing.T) {
	for _, status := range []int{429, 403, 503} {
		synctest.Test(t, func(t *testing.T) {
			busy := true
			c := newClient(t, api.Config{BaseURL: "https://x.se", Transport: transport(func(r *http.Request) (*http.Response, error) {
				res := &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("[]"))}
				if busy {
					res.StatusCode = status
					res.Header.Set("Retry-After", "30")
				}
				busy = false
				return res, nil
			})})
			start := time.Now()
			c.BulkWrite(t.Context(), path, body, nil)
			if o := c.BulkWrite(t.Context(), path, body, nil); !o.OK() || time.Since(start) < 30*time.Second {
				t.Errorf("%d: second request: %v after %v", status, o.Class, time.Since(start))
			}
		})
	}
}

func TestStatusErrorHints(t *testing.T) {
	for status, want := range map[int]string{
		401: "FLYTT_CLIENT_SECRET", 403: "may not", 404: "FLYTT_BASE_URL", 405: "--resource", 307: "never followed", 415: "proxy",
	} {
		err := &api.StatusError{Method: "POST", Path: path, Status: status}
		if !strings.Contains(err.Hint(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%d: %v: %s", status, err, err.Hint())
		}
	}
}
