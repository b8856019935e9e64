package bulk

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"flytt/pipeline"
)

// serve runs f on a real socket, with what before does to a connection first:
// it is given the number of the request and may spoil its answer.
func (f *fakeAPI) serve(t *testing.T, spoil func(post int, w http.ResponseWriter, answer []byte) bool) string {
	t.Helper()
	var posts atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		f.ServeHTTP(answer, r)
		if r.Method == http.MethodPost && spoil(int(posts.Add(1)), w, answer.Body.Bytes()) {
			return
		}
		w.WriteHeader(answer.Code)
		_, _ = answer.Body.WriteTo(w)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestBulkCommitThenReset(t *testing.T) {
	f := &fakeAPI{}
	url := f.serve(t, func(post int, w http.ResponseWriter, _ []byte) bool {
		if post != 2 {
			return false
		}
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return false
		}
		_ = conn.(*net.TCPConn).SetLinger(0) // a reset, not an orderly end
		conn.Close()
		return true
	})
	s := bulkTo(t, url, nil, ImportOptions{})
	for i, want := range []string{"5 written", "5 in_doubt", "5 written"} {
		c := bulkChunk(t, s, 5*i, 5)
		if err := s.Write(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		wantFates(t, "reset", c, want)
		f.wantOnce(t, "reset", c)
	}
	if f.posts != 3 {
		t.Errorf("%d requests for 3 chunks", f.posts)
	}
}

func TestBulkCutAnswer(t *testing.T) {
	f := &fakeAPI{}
	url := f.serve(t, func(post int, w http.ResponseWriter, answer []byte) bool {
		w.Header().Set("Content-Length", "100000")
		_, _ = io.Copy(w, bytes.NewReader(answer[:len(answer)/2]))
		return true
	})
	s := bulkTo(t, url, nil, ImportOptions{})
	c := bulkChunk(t, s, 0, 5)
	if err := s.Write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantFates(t, "cut", c, "5 in_doubt")
	if f.posts != 1 {
		t.Errorf("sent %d times", f.posts)
	}
}

func TestFault04ClosedPortThenOpen(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	f := &fakeAPI{}
	s := bulkTo(t, "http://"+addr, nil, ImportOptions{})
	opened := make(chan *http.Server, 1)
	timer := time.AfterFunc(500*time.Millisecond, func() {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Error(err)
			opened <- nil
			return
		}
		server := &http.Server{Handler: f}
		opened <- server
		_ = server.Serve(l)
	})
	defer timer.Stop()
	c := bulkChunk(t, s, 0, 5)
	if err := s.Write(t.Context(), c); err != nil {
		t.Error(err)
	}
	wantFates(t, "opened", c, "5 written")
	f.wantOnce(t, "opened", c)
	if server := <-opened; server != nil {
		server.Close()
	}
}

func TestBulkInterruptedWhileTheAPIWorks(t *testing.T) {
	f := &fakeAPI{}
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	url := f.serve(t, func(int, http.ResponseWriter, []byte) bool {
		cancel()
		<-release
		return false
	})
	s := bulkTo(t, url, nil, ImportOptions{Limits: Limits{MaxBytes: 1 << 10}})
	c := bulkChunk(t, s, 0, 100)
	err := s.Write(ctx, c)
	close(release)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	doubt := 0
	for i, fate := range c.Fates {
		if fate == pipeline.InDoubt {
			doubt++
		} else if fate != pipeline.Pending || f.times(string(c.Keys.Value(i))) != 0 {
			t.Errorf("row %d: %v, there %d times", i, fate, f.times(string(c.Keys.Value(i))))
		}
	}
	if doubt == 0 || doubt != f.sizes[0] {
		t.Errorf("%d rows in doubt, %d sent", doubt, f.sizes[0])
	}
}
