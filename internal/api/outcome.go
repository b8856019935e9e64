package api

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Class is what an attempt proves. The zero Class is InDoubt: an attempt is in doubt
// unless something else is proved.
type Class uint8

const (
	InDoubt      Class = iota // the API may have applied it, in whole or in part
	NotSent                   // no byte of the body left this process, or the server refused the stream
	NotProcessed              // the API refused to process it for now: see asksToRetryLater
	Answered                  // the API said what it did
)

var classNames = [...]string{"in_doubt", "not_sent", "not_processed", "answered"}

// String returns the class in snake_case.
func (c Class) String() string { return classNames[c] }

// Outcome is how one attempt ended.
type Outcome struct {
	Class  Class
	Status int           // 0: there was no answer
	Body   []byte        // of an answer; may be cut short unless the status is 2xx
	Wait   time.Duration // NotProcessed: how long the API asks to wait; 0: it did not say
	Err    error         // what went wrong; nil if Answered

	// Overlapped says that other writes of the client were in flight at the same time
	// as this one.
	Overlapped bool

	refusedStream bool   // by an HTTP/2 server: not sent, but the server is there
	permitRound   uint64 // the round of the concurrency limiter in which the write was sent
}

// OK reports whether the API answered with success.
func (o *Outcome) OK() bool { return o.Class == Answered && o.Status/100 == 2 }

// fatalStatuses are the statuses by which a server refuses a request because of its
// sender, its address or its form: nothing was written, and no row is to blame.
var fatalStatuses = map[int]bool{
	http.StatusUnauthorized:                true,
	http.StatusPaymentRequired:             true,
	http.StatusForbidden:                   true,
	http.StatusNotFound:                    true,
	http.StatusMethodNotAllowed:            true,
	http.StatusNotAcceptable:               true,
	http.StatusProxyAuthRequired:           true,
	http.StatusGone:                        true,
	http.StatusLengthRequired:              true,
	http.StatusRequestURITooLong:           true,
	http.StatusUnsupportedMediaType:        true,
	http.StatusMisdirectedRequest:          true,
	http.StatusUpgradeRequired:             true,
	http.StatusRequestHeaderFieldsTooLarge: true,
	http.StatusUnavailableForLegalReasons:  true,
}

// IsFatalStatus reports whether status is about the credentials, the address or the
// client: the run must stop, and no row is to blame. Redirects are among these, because
// they are never followed.
func IsFatalStatus(status int) bool { return status/100 == 3 || fatalStatuses[status] }

// IsRefusal reports whether status says that the API has read the rows and does not
// accept all of them, or not now.
func IsRefusal(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusLocked:
		return true
	}
	return false
}

// asksToRetryLater reports whether status says that the API did not process the request
// but may do so later; retryAfter says that there is a valid Retry-After header.
// Proxies that limit rates answer 403 with Retry-After.
func asksToRetryLater(status int, retryAfter bool) bool {
	switch status {
	case http.StatusTooManyRequests:
		return true
	case http.StatusForbidden, http.StatusServiceUnavailable:
		return retryAfter
	}
	return false
}

// classify returns the outcome that the answer res proves. body is its body, read until
// bodyErr.
func (c *Client) classify(res *http.Response, body []byte, bodyErr error) Outcome {
	o := Outcome{Status: res.StatusCode, Body: body}
	wait, told := retryAfter(res.Header, c.now())
	switch {
	case o.Status/100 == 2 && bodyErr != nil:
		o.Err = fmt.Errorf("answer %d: %w", o.Status, bodyErr)
	case asksToRetryLater(o.Status, told):
		o.Class, o.Wait = NotProcessed, wait
		o.Err = fmt.Errorf("the API answered %d %s", o.Status, http.StatusText(o.Status))
	case o.Status/100 == 2, IsFatalStatus(o.Status), IsRefusal(o.Status), o.Status == http.StatusRequestEntityTooLarge:
		o.Class = Answered
	default:
		o.Err = fmt.Errorf("the API answered %d %s", o.Status, http.StatusText(o.Status))
	}
	return o
}

// StatusText returns a status as 404 Not Found.
func StatusText(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}

// maxRetryAfter bounds how long an API can make a client wait: a wrong clock must not
// stop a run for a year.
const maxRetryAfter = 5 * time.Minute

// retryAfter returns how long the header asks to wait, at most maxRetryAfter, and
// whether it asks at all (RFC 9110, section 10.2.3). A date is compared with the
// server's own clock if the answer shows it.
func retryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	v := h.Get("Retry-After")
	if v == "" {
		return 0, false
	}
	// A number beyond all bounds comes with an error, and is the largest there is.
	if seconds, err := strconv.ParseUint(v, 10, 32); err == nil || errors.Is(err, strconv.ErrRange) {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter), true
	}
	until, err := http.ParseTime(v)
	if err != nil {
		return 0, false
	}
	if server, err := http.ParseTime(h.Get("Date")); err == nil {
		now = server
	}
	return min(max(until.Sub(now), 0), maxRetryAfter), true
}
