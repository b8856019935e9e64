package api_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"flytt/internal/api"
)

const path = "/organization/externalclientcontactperson/list/"

var body = []byte(`[{"name":"Ada 198501022399"}]`)

// rawServer accepts connections and has handle speak on each, until the test
// ends.
func rawServer(t testing.TB, listener net.Listener, handle func(net.Conn)) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			wg.Go(func() {
				defer conn.Close()
				handle(conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// answers returns a handler that reads each request of a connection whole and
// answers it with text, as it is; it closes the connection after the last.
func answers(commits *atomic.Int32, texts ...string) func(net.Conn) {
	return func(conn net.Conn) {
		r := bufio.NewReader(conn)
		for _, text := range texts {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, req.Body); err != nil {
				return
			}
			commits.Add(1)
			if _, err := io.WriteString(conn, text); err != nil {
				return
			}
		}
	}
}

func response(status string, headers ...string) string {
	return "HTTP/1.1 " + status + "\r\nContent-Length: 2\r\n" + strings.Join(append(headers, "", ""), "\r\n") + "{}"
}

func TestOutcomeOfAnAnswer(t *testing.T) {
	const date = "Date: Mon, 05 Jan 2026 10:00:00 GMT"
	tests := []struct {
		answer string
		class  api.Class
		wait   time.Duration
	}{
		{response("200 OK"), api.Answered, 0},
		{response("201 Created"), api.Answered, 0},
		{response("207 Multi-Status"), api.Answered, 0},
		{response("301 Moved Permanently", "Location: https://x/"), api.Answered, 0},
		{response("307 Temporary Redirect", "Location: https://x/"), api.Answered, 0},
		{response("400 Bad Request"), api.Answered, 0},
		{response("401 Unauthorized"), api.Answered, 0},
		{response("403 Forbidden"), api.Answered, 0},
		{response("403 Forbidden", "Retry-After: soon"), api.Answered, 0},
		{response("403 Forbidden", "Retry-After: 7"), api.NotProcessed, 7 * time.Second},
		{response("403 Forbidden", date, "Retry-After: Mon, 05 Jan 2026 10:00:09 GMT"), api.NotProcessed, 9 * time.Second},
		{response("401 Unauthorized", "Retry-After: 7"), api.Answered, 0},
		{response("404 Not Found"), api.Answered, 0},
		{response("405 Method Not Allowed"), api.Answered, 0},
		{response("408 Request Timeout"), api.InDoubt, 0},
		{response("409 Conflict"), api.Answered, 0},
		{response("413 Too Large"), api.Answered, 0},
		{response("422 Unprocessable"), api.Answered, 0},
		{response("423 Locked"), api.Answered, 0},
		{response("424 Failed Dependency"), api.InDoubt, 0},
		{response("429 Slow"), api.NotProcessed, 0},
		{response("429 Slow", "Retry-After: 7"), api.NotProcessed, 7 * time.Second},
		{response("429 Slow", "Retry-After: 99999"), api.NotProcessed, 5 * time.Minute},
		{response("429 Slow", "Retry-After: 99999999999"), api.NotProcessed, 5 * time.Minute},
		{response("429 Slow", "Retry-After: soon"), api.NotProcessed, 0},
		{response("429 Slow", date, "Retry-After: Mon, 05 Jan 2026 10:00:09 GMT"), api.NotProcessed, 9 * time.Second},
		{response("429 Slow", date, "Retry-After: Mon, 05 Jan 2026 09:00:00 GMT"), api.NotProcessed, 0},
		{response("500 Oops"), api.InDoubt, 0},
		{response("502 Bad Gateway"), api.InDoubt, 0},
		{response("503 Unavailable"), api.InDoubt, 0},
		{response("503 Unavailable", "Retry-After: soon"), api.InDoubt, 0},
		{response("503 Unavailable", "Retry-After: 3"), api.NotProcessed, 3 * time.Second},
		{response("503 Unavailable", "Retry-After: 99999999999"), api.NotProcessed, 5 * time.Minute},
		{response("504 Gateway Timeout", "Retry-After: 3"), api.InDoubt, 0},
		{"", api.InDoubt, 0},
		{"HTTP/1.1 200 OK\r\n", api.InDoubt, 0},
		{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{}", api.InDoubt, 0},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[{}\r\n", api.InDoubt, 0},
		{"HTTP/1.1 400 Bad\r\nContent-Length: 100\r\n\r\n[{}", api.Answered, 0},
		{"198501022399\r\n\r\n", api.InDoubt, 0},
	}
	for _, test := range tests {
		var commits atomic.Int32
		l := listen(t)
		rawServer(t, l, answers(&commits, test.answer))
		o := newClient(t, api.Config{BaseURL: "http://" + l.Addr().String()}).BulkWrite(t.Context(), path, body, nil)
		if o.Class != test.class || o.Wait != test.wait {
			t.Errorf("%.40q: got %v after %v, want %v after %v (%v)", test.answer, o.Class, o.Wait, test.class, test.wait, o.Err)
		}
		if (o.Err == nil) != (test.class == api.Answered) {
			t.Errorf("%.40q: error %v", test.answer, o.Err)
		}
		if o.Err != nil && strings.Contains(o.Err.Error(), "1985") {
			t.Errorf("%.40q: %q shows what the server sent", test.answer, o.Err)
		}
		if commits.Load() != 1 {
			t.Errorf("%.40q: sent %d times", test.answer, commits.Load())
		}
	}
}

func TestRequestAsItIsSent(t *testing.T) {
	var got *http.Request
	var text []byte
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		text, _ = io.ReadAll(r.Body)
	}))
	defer s.Close()
	c := newClient(t, api.Config{BaseURL: s.URL})
	if o := c.BulkWrite(t.Context(), path, body, nil); !o.OK() {
		t.Fatal(o.Err)
	}
	if got.Method != "POST" || got.RequestURI != path || string(text) != string(body) || got.ContentLength != int64(len(body)) {
		t.Errorf("got %s %s %s", got.Method, got.RequestURI, text)
	}
	for _, name := range []string{"CUSTOMER-ID", "APPLICATION-ID", "SERVICE-ID", "SERVICE-VERSION-ID", "CLIENT-CT", "CLIENT-ENTITY", "CLIENT-SECRET"} {
		if got.Header.Get("X-PIGELLO-"+name) != canary {
			t.Errorf("header X-PIGELLO-%s not sent", name)
		}
	}
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key", "Cookie"} {
		if got.Header.Get(name) != "" {
			t.Errorf("header %s sent", name)
		}
	}
}

func TestFault19RedirectOfAWriteIsNotFollowed(t *testing.T) {
	var bytesSeen atomic.Int32
	other := listen(t)
	rawServer(t, other, func(conn net.Conn) {
		n, _ := conn.Read(make([]byte, 1))
		bytesSeen.Add(int32(n) + 1)
	})
	for _, status := range []string{"301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"} {
		for _, scheme := range []string{"http://", "https://"} {
			var commits atomic.Int32
			l := listen(t)
			rawServer(t, l, answers(&commits, response(status, "Location: "+scheme+other.Addr().String()+"/")))
			c := newClient(t, api.Config{BaseURL: "http://" + l.Addr().String()})
			if o := c.BulkWrite(t.Context(), path, body, nil); o.Class != api.Answered || !api.IsFatalStatus(o.Status) {
				t.Errorf("%s: %+v", status, o)
			}
		}
	}
	if bytesSeen.Load() != 0 {
		t.Error("the other host was spoken to")
	}
}

func TestFault04NotSentWhenNoConnection(t *testing.T) {
	l := listen(t)
	addr := l.Addr().String()
	l.Close()
	o := newClient(t, api.Config{BaseURL: "http://" + addr}).BulkWrite(t.Context(), path, body, nil)
	if o.Class != api.NotSent || !strings.Contains(o.Err.Error(), "refused") {
		t.Errorf("closed port: %v, %v", o.Class, o.Err)
	}

	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = discard
	s.StartTLS()
	defer s.Close()
	o = newClient(t, api.Config{BaseURL: s.URL}).BulkWrite(t.Context(), path, body, nil)
	if o.Class != api.NotSent || !strings.Contains(o.Err.Error(), "certificate") {
		t.Errorf("untrusted certificate: %v, %v", o.Class, o.Err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o = newClient(t, api.Config{BaseURL: s.URL}).BulkWrite(ctx, path, body, nil)
	if o.Class != api.NotSent || !errors.Is(o.Err, context.Canceled) {
		t.Errorf("cancelled before: %v, %v", o.Class, o.Err)
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = discard
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	s.StartTLS()
	defer s.Close()
	c := newClient(t, api.Config{BaseURL: s.URL, RootCAs: pool(s)})
	if o := c.BulkWrite(t.Context(), path, body, nil); o.Class != api.NotSent {
		t.Errorf("TLS 1.1: %v, %v", o.Class, o.Err)
	}
}

func pool(s *httptest.Server) *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(s.Certificate())
	return p
}

// A server may close a connection just as a request is written on it. net/http
// must not repeat the request by itself.
func TestFault05KeepAliveCloseCommitsOnce(t *testing.T) {
	var commits atomic.Int32
	l := listen(t)
	rawServer(t, l, answers(&commits, response("200 OK"), ""))
	c := newClient(t, api.Config{BaseURL: "http://" + l.Addr().String()})
	for i, want := range []api.Class{api.Answered, api.InDoubt} {
		if o := c.BulkWrite(t.Context(), path, body, nil); o.Class != want {
			t.Errorf("attempt %d: got %v, want %v (%v)", i, o.Class, want, o.Err)
		}
	}
	if commits.Load() != 2 {
		t.Errorf("%d commits for 2 attempts", commits.Load())
	}
}

// resetServer speaks HTTP/2 and resets every stream with code after it has read
// its whole body.
func resetServer(t *testing.T, code http2.ErrCode, commits *atomic.Int32) api.Config {
	s := httptest.NewUnstartedServer(nil) // for its certificate
	s.StartTLS()
	t.Cleanup(s.Close)
	config := s.TLS.Clone()
	config.NextProtos = []string{"h2"}
	l := tls.NewListener(listen(t), config)
	rawServer(t, l, func(conn net.Conn) {
		if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
			return
		}
		f := http2.NewFramer(conn, conn)
		f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		_ = f.WriteSettings()
		for {
			frame, err := f.ReadFrame()
			if err != nil {
				return
			}
			switch frame := frame.(type) {
			case *http2.SettingsFrame:
				if !frame.IsAck() {
					_ = f.WriteSettingsAck()
				}
			case *http2.DataFrame:
				if frame.StreamEnded() {
					commits.Add(1)
					_ = f.WriteRSTStream(frame.StreamID, code)
				}
			}
		}
	})
	return api.Config{BaseURL: "https://" + l.Addr().String(), RootCAs: pool(s)}
}

func TestFault05HTTP2ResetCommitsOnce(t *testing.T) {
	for code, want := range map[http2.ErrCode]api.Class{
		http2.ErrCodeProtocol:      api.InDoubt,
		http2.ErrCodeInternal:      api.InDoubt,
		http2.ErrCodeCancel:        api.InDoubt,
		http2.ErrCodeRefusedStream: api.NotSent,
	} {
		var commits atomic.Int32
		c := newClient(t, resetServer(t, code, &commits))
		for i, attempt := range []func() api.Outcome{
			func() api.Outcome { return c.BulkWrite(t.Context(), path, body, nil) },
			func() api.Outcome { return c.Create(t.Context(), path, body, nil) },
			func() api.Outcome { return c.Update(t.Context(), path, "A-1", body, nil) },
		} {
			if o := attempt(); o.Class != want {
				t.Errorf("%v: got %v, want %v (%v)", code, o.Class, want, o.Err)
			}
			if commits.Load() != int32(i+1) {
				t.Errorf("%v: %d commits for %d attempts", code, commits.Load(), i+1)
			}
		}
		c.Close()
	}
}

func TestCancelAfterTheBodyIsInDoubt(t *testing.T) {
	l := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	rawServer(t, l, func(conn net.Conn) {
		req, err := http.ReadRequest(bufio.NewReader(conn))
		if err == nil {
			_, _ = io.Copy(io.Discard, req.Body)
		}
		cancel()
		_, _ = conn.Read(make([]byte, 1))
	})
	o := newClient(t, api.Config{BaseURL: "http://" + l.Addr().String()}).BulkWrite(ctx, path, body, nil)
	if o.Class != api.InDoubt || !errors.Is(o.Err, context.Canceled) {
		t.Errorf("got %v, %v", o.Class, o.Err)
	}
}

func TestFault18SlowAnswersAreInDoubt(t *testing.T) {
	tests := map[string]struct {
		config api.Config
		speak  func(net.Conn)
	}{
		"no header": {api.Config{HeaderTimeout: 50 * time.Millisecond}, func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 1))
		}},
		"stalled body": {api.Config{IdleTimeout: 50 * time.Millisecond}, func(conn net.Conn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{")
			_, _ = conn.Read(make([]byte, 1))
		}},
		"a byte at a time":           {api.Config{IdleTimeout: 100 * time.Millisecond}, drip},
		"a byte at a time, in total": {api.Config{TotalTimeout: 100 * time.Millisecond}, drip},
	}
	for name, test := range tests {
		l := listen(t)
		rawServer(t, l, func(conn net.Conn) {
			req, err := http.ReadRequest(bufio.NewReader(conn))
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			test.speak(conn)
		})
		test.config.BaseURL = "http://" + l.Addr().String()
		start := time.Now()
		o := newClient(t, test.config).BulkWrite(t.Context(), path, body, nil)
		if o.Class != api.InDoubt || time.Since(start) > 5*time.Second {
			t.Errorf("%s: got %v after %v (%v)", name, o.Class, time.Since(start), o.Err)
		}
	}
}

// drip sends a body a byte at a time until the other side has had enough.
func drip(conn net.Conn) {
	if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"); err != nil {
		return
	}
	for range 1000 {
		if _, err := conn.Write([]byte(" ")); err != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestLongAnswerIsNotRead(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		chunk := make([]byte, 1<<16)
		for range 1 << 10 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	defer s.Close()
	o := newClient(t, api.Config{BaseURL: s.URL, MaxAnswer: 1 << 20}).BulkWrite(t.Context(), path, body, nil)
	if o.Class != api.InDoubt || len(o.Body) > 1<<20 || cap(o.Body) > 4<<20 {
		t.Errorf("got %v with %d bytes in %d (%v)", o.Class, len(o.Body), cap(o.Body), o.Err)
	}
}

// transport is a network in memory.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestErrorsShowNoQuery(t *testing.T) {
	c := newClient(t, api.Config{BaseURL: "https://x.se", Transport: transport(func(r *http.Request) (*http.Response, error) {
		return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: errors.New("gone: " + r.URL.RawQuery)}
	}), GiveUpAfter: time.Nanosecond})
	_, err := c.FindByKeys(t.Context(), api.Lookup{Path: path, Field: "custom_id", Keys: []string{"K-1985"}})
	if err == nil || strings.Contains(err.Error(), "1985") || strings.Contains(err.Error(), "?") {
		t.Errorf("got %v", err)
	}
}

func TestRequestsKeepTheRate(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	c := newClient(t, api.Config{BaseURL: s.URL, Rate: 50})
	start := time.Now()
	for range 6 {
		c.BulkWrite(t.Context(), path, body, nil)
	}
	if d := time.Since(start); d < 100*time.Millisecond {
		t.Errorf("6 requests at 50 a second took %v", d)
	}
}
