package sandbox

import (
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	htmlType = "text/html; charset=utf-8"
	textType = "text/plain; charset=utf-8"
)

// page is what proxies say.
func page(title string) []byte {
	title = html.EscapeString(title)
	return fmt.Appendf(nil, "<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>%s</h1></center>\r\n</body>\r\n</html>\r\n", title, title)
}

// reply answers in place of the sandbox. The request is read to its end first,
// or a client that is still sending might not see the answer.
func (x *exchange) reply(status int, contentType string, body []byte) error {
	x.drain()
	x.w.Header().Set("Content-Type", contentType)
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body) // the client is gone: nobody to tell
	return errDone
}

// drain reads what is left of the request. Only then is it noticed that a client
// goes away.
func (x *exchange) drain() { _, _ = io.Copy(io.Discard, x.r.Body) }

// answering makes an answer with a status: a page where a gateway would give it,
// a detail where the API would.
func answering(status int) func(*exchange) error {
	return func(x *exchange) error {
		text := http.StatusText(status)
		switch status {
		case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return x.reply(status, htmlType, page(fmt.Sprint(status, " ", text)))
		}
		return x.reply(status, jsonType, failf(status, "%s.", text).detail())
	}
}

// page answers 200 and HTML.
func (x *exchange) page() error { return x.reply(http.StatusOK, htmlType, page("Welcome")) }

// reset cuts the connection, over HTTP/1 with a TCP reset.
func (x *exchange) reset() error {
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	x.dead = conn // until the request is logged
	return errDone
}

// kill closes a connection with a reset.
func kill(conn net.Conn) {
	inner := conn
	for {
		wrapped, ok := inner.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		inner = wrapped.NetConn()
	}
	if tcp, ok := inner.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = inner.Close()
}

// hang never answers.
func (x *exchange) hang() error {
	x.drain()
	x.sleep(-1)
	return x.reset()
}

// sleep waits for d, without end if it is negative, and reports whether the
// client is still there. It ends early when the server stops.
func (x *exchange) sleep(d time.Duration) bool {
	var over <-chan time.Time
	if d >= 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		over = t.C
	}
	select {
	case <-over:
		return true
	case <-x.r.Context().Done():
	case <-x.box.ending:
	}
	return false
}
