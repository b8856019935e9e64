package api

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// ErrNotFound is a StatusError of status 404.
var ErrNotFound = errors.New("not found")

// StatusError is an answer that stops a run: it is about the credentials, the address
// or the client, not about rows. For a read it is any answer but success.
type StatusError struct {
	Method string
	Path   string
	Status int
	Names  []string // the parameters of the request that the answer finds fault with
}

// Error returns the request and the status.
func (e *StatusError) Error() string {
	s := fmt.Sprintf("%s %s: the API answered %d %s", e.Method, e.Path, e.Status, http.StatusText(e.Status))
	if len(e.Names) > 0 {
		s += ", about " + strings.Join(e.Names, ", ")
	}
	return s
}

// Is reports whether target is ErrNotFound and the status 404.
func (e *StatusError) Is(target error) bool {
	return target == ErrNotFound && e.Status == http.StatusNotFound
}

// Hint says what to do about it.
func (e *StatusError) Hint() string {
	switch {
	case e.Status == http.StatusUnauthorized:
		return "the API does not know these credentials; check the seven FLYTT_ variables, FLYTT_CLIENT_SECRET first"
	case e.Status == http.StatusForbidden:
		return "the credentials are known but may not do this; ask for access to the resource, or check FLYTT_CUSTOMER_ID"
	case e.Status == http.StatusNotFound || e.Status == http.StatusMethodNotAllowed:
		return "no such list at this address; check FLYTT_BASE_URL and --resource"
	case IsRefusal(e.Status):
		return "the API does not take the filters, the order or the parameters that were asked for"
	case e.Status >= 300 && e.Status < 400:
		return "the server redirects the request, which is never followed; check FLYTT_BASE_URL"
	}
	return "the server does not take this kind of request; check FLYTT_BASE_URL and any proxy on the way"
}

// GaveUpError says that a request could not be delivered in time. It was not processed.
type GaveUpError struct {
	Method string
	Path   string
	After  time.Duration // 0: there was no point in trying again
	Busy   bool          // the API was reached and kept asking to retry later
	// Unanswered says that the request, a read, was sent and got no usable answer.
	Unanswered bool
	Err        error // why the last attempt failed
}

// Error returns the request, how long it was tried, and the last cause.
func (e *GaveUpError) Error() string {
	what := "not sent"
	switch {
	case e.Busy:
		what = "turned away by a busy API"
	case e.Unanswered:
		what = "no answer of use"
	}
	if e.After == 0 {
		return fmt.Sprintf("%s %s: %s: %v", e.Method, e.Path, what, e.Err)
	}
	return fmt.Sprintf("%s %s: %s for %s: %v", e.Method, e.Path, what, e.After.Round(time.Second), e.Err)
}

// Unwrap returns why the last attempt failed.
func (e *GaveUpError) Unwrap() error { return e.Err }

// Hint says what to do about it.
func (e *GaveUpError) Hint() string {
	switch {
	case e.Busy:
		return "the API asks for fewer requests; try again later, or with a lower --rate and --concurrency"
	case e.Unanswered:
		return "the API, or a proxy on the way to it, is in trouble; try again later"
	}
	return cmp.Or(CertificateHint(e.Err), "check FLYTT_BASE_URL, the network and the proxy settings")
}

// cause is why an exchange failed, in words that cannot hold a part of a row or a URL.
// It wraps the original error.
type cause struct {
	text string
	err  error
}

func (c *cause) Error() string { return c.text }
func (c *cause) Unwrap() error { return c.err }

var (
	errIdle    = errors.New("the answer came too slowly")
	errTooLong = errors.New("the answer is too long")
	errProxy   = errors.New("the address in HTTP_PROXY or HTTPS_PROXY is not a URL")
)

// Explain turns an error of net/http into one that may be shown: it holds no part of a
// URL. Only kinds of errors that are known to be about hosts and system calls keep their
// text: others quote what the server sent.
func Explain(ctx context.Context, err error) error {
	if why := context.Cause(ctx); why != nil && ctx.Err() != nil {
		if errors.Is(why, context.DeadlineExceeded) {
			return &cause{"the exchange took too long", why}
		}
		return why
	}
	var urlError *url.Error // would print the query
	if errors.As(err, &urlError) {
		err = urlError.Err
	}
	switch {
	case speaksOfHosts(err):
		return err
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return &cause{"the connection ended before the answer did", err}
	case errors.Is(err, errIdle) || errors.Is(err, errTooLong) || errors.Is(err, errProxy):
		return err
	case errors.Is(err, http.ErrSchemeMismatch):
		return &cause{"the server speaks http, not https", err}
	}
	if code, ok := streamReset(err); ok {
		return &cause{fmt.Sprintf("the server reset the stream (HTTP/2 code %d)", code), err}
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return &cause{"no answer in time", err}
	}
	return &cause{"the exchange broke off", err}
}

func speaksOfHosts(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	var number syscall.Errno
	return errors.As(err, &op) || errors.As(err, &dns) || errors.As(err, &number) || untrusted(err)
}

// hopeless reports whether a retry cannot help unless somebody changes a setting.
func hopeless(err error) bool {
	var dns *net.DNSError
	var record tls.RecordHeaderError
	return untrusted(err) || errors.Is(err, http.ErrSchemeMismatch) || errors.Is(err, errProxy) ||
		errors.As(err, &record) || errors.As(err, &dns) && dns.IsNotFound
}

// streamError has the fields of net/http's own HTTP/2 stream error, which
// errors.As fills for any struct that has them.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (streamError) Error() string { return "stream error" }

const refusedStream = 0x7 // RFC 9113, section 7

// streamReset returns the code by which an HTTP/2 stream was reset.
func streamReset(err error) (code uint32, ok bool) {
	var reset streamError
	if errors.As(err, &reset) {
		return reset.Code, true
	}
	return 0, false
}

// refusedText is the message of net/http for a refused stream whose body it would have
// to send again: net/http drops the original error. No text of the server comes before
// or within the match.
var refusedText = regexp.MustCompile(`^http2: Transport: cannot retry err \[stream error: stream ID \d+; REFUSED_STREAM[;\]]`)

// isRefusedStream reports whether the server refused the HTTP/2 stream, which it may
// only do before it has processed anything of it (RFC 9113, section 8.7).
func isRefusedStream(err error) bool {
	code, ok := streamReset(err)
	return ok && code == refusedStream || refusedText.MatchString(err.Error())
}
