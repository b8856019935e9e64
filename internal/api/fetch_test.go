package api

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func newTestLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

func TestFetchAsksAndNotes(t *testing.T) {
	var queries []string
	c, _ := clientOf(t, func(_ int, req *http.Request) (*http.Response, error) {
		queries = append(queries, req.URL.Path+"?"+req.URL.RawQuery)
		return respond(200, "["+record(1)+"]", "Date", "Sat, 31 Jan 2026 09:30:00 GMT"), nil
	})
	a := &PageRequest{Path: listPath, Page: 3, Size: 7, IDsOnly: true, Query: url.Values{
		"name__icontains!": {"å&b"}, "created_at__gte": {"2027"}, "_order_by": {"-name,id"}, "_search": {"x y"}, "_slim": {"true"}, "_jsonl": {"true"}}}
	var p Page
	if err := c.Fetch(t.Context(), a, &p, "created_at"); err != nil {
		t.Fatal(err)
	}
	want := listPath + "?_jsonl=true&_order_by=-name%2Cid&_page=3&_page_size=7&_search=x+y&_slim=true&created_at__gte=2027&name__icontains%21=%C3%A5%26b"
	if len(queries) != 1 || queries[0] != want {
		t.Errorf("asked\n%s, want\n%s", queries, want)
	}
	o := p.Objects[0]
	if !p.Date.Equal(time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)) || o.Created != 1769851800000001000 || o.CreatedUnit != 1000 {
		t.Errorf("%v %+v", p.Date, o)
	}
	a.Size = 0
	if q := a.query(); strings.Contains(q, "_page") || !strings.Contains(q, "gte=2027") || len(a.Query) != 6 {
		t.Errorf("without pages: %s", q)
	}
}

func TestFetchMeetsTheEnd(t *testing.T) {
	c, _ := clientOf(t, func(int, *http.Request) (*http.Response, error) {
		return respond(404, `{"detail":"Invalid page."}`), nil
	})
	p := Page{Data: []byte("old"), Objects: make([]Object, 1)}
	if err := c.Fetch(t.Context(), askPage(2), &p, ""); err != nil || len(p.Objects) != 0 {
		t.Errorf("page 2: %v, %+v", err, p)
	}
	if err := c.Fetch(t.Context(), askPage(1), &p, ""); !errors.Is(err, ErrNotFound) {
		t.Errorf("page 1: %v, %+v", err, p)
	}
}

func TestFetchOfAServerWithoutPages(t *testing.T) {
	all := "[" + strings.Join(records(2000), ",") + "]"
	c, n := clientOf(t, func(int, *http.Request) (*http.Response, error) { return respond(200, all), nil })
	var p Page
	a := askPage(1)
	a.Size = 10
	if err := c.Fetch(t.Context(), a, &p, ""); !errors.Is(err, ErrOversized) || n.requests != 1 || len(p.Objects) != 120 {
		t.Errorf("%v after %d requests, %d objects", err, n.requests, len(p.Objects))
	}
	a.Size = 0
	if err := c.Fetch(t.Context(), a, &p, ""); err != nil || len(p.Objects) != 2000 {
		t.Errorf("%v, %d objects", err, len(p.Objects))
	}
}

// TestRefusedListNamesParameters has an API that quotes a value beside the name.
func TestRefusedListNamesParameters(t *testing.T) {
	c, _ := clientOf(t, func(int, *http.Request) (*http.Response, error) {
		return respond(400, `{"name__icontains":["no such operator for Ek"],"detail":"_page_sizes, created_at__gte: not in use","other":1}`), nil
	})
	a := askPage(1)
	a.Query = url.Values{"name__icontains!": {"Ek"}, "created_at__gte": {"2026"}, "created_at": {"x"}}
	var p Page
	err := c.Fetch(t.Context(), a, &p, "")
	want := "GET " + listPath + ": the API answered 400 Bad Request, about created_at__gte, name__icontains"
	var status *StatusError
	if !errors.As(err, &status) || err.Error() != want || !strings.Contains(status.Hint(), "filters") {
		t.Errorf("%v", err)
	}
}

func TestStreamHandsOutPagesOnce(t *testing.T) {
	lines := strings.Join(records(2345), "\n")
	broken := readerFunc(func([]byte) (int, error) { return 0, io.ErrUnexpectedEOF })
	for name, test := range map[string]struct {
		answers  []*http.Response
		objects  int
		requests int
		want     string
	}{
		"whole":         {[]*http.Response{respond(200, lines)}, 2345, 1, ""},
		"empty":         {[]*http.Response{respond(200, "")}, 0, 1, ""},
		"busy first":    {[]*http.Response{respond(503, "", "Retry-After", "1"), respond(200, lines)}, 2345, 2, ""},
		"cut early":     {[]*http.Response{respond(200, `[{"id"`), respond(200, lines)}, 2345, 2, ""},
		"cut late":      {[]*http.Response{respond(200, lines+`{"id`)}, 2000, 1, errCut.Error()},
		"broken late":   {[]*http.Response{{StatusCode: 200, Body: io.NopCloser(io.MultiReader(strings.NewReader(lines), broken))}}, 2000, 1, "the connection ended"},
		"not there":     {[]*http.Response{respond(404, "")}, 0, 1, "404"},
		"not processed": {[]*http.Response{respond(401, "")}, 0, 1, "401"},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, n := clientOf(t, func(n int, _ *http.Request) (*http.Response, error) { return test.answers[n-1], nil })
			got := 0
			a := askPage(1)
			a.Size = 1000
			err := c.Stream(t.Context(), a, "", func(p *Page) error {
				got += len(p.Objects)
				return nil
			})
			if got != test.objects || n.requests != test.requests || (err == nil) != (test.want == "") ||
				err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: %d objects, %d requests, %v", name, got, n.requests, err)
			}
		})
	}
}

func TestStreamEndsWithTheError(t *testing.T) {
	full := errors.New("disk full")
	c, n := clientOf(t, func(int, *http.Request) (*http.Response, error) { return respond(200, record(1)), nil })
	err := c.Stream(t.Context(), askPage(1), "", func(*Page) error { return full })
	if err != full || n.requests != 1 {
		t.Errorf("%v after %d requests", err, n.requests)
	}
}

// drip is a body that comes n bytes at a time, each after a pause.
type drip struct {
	io.Reader
	ctx   context.Context
	n     int
	pause time.Duration
}

func (d *drip) Read(p []byte) (int, error) {
	if err := openGate.Sleep(d.ctx, d.pause); err != nil {
		return 0, err
	}
	return d.Reader.Read(p[:min(d.n, len(p))])
}

func (d *drip) Close() error { return nil }

// TestSlowReadersAreWaitedForAndSlowServersAreNot takes a minute over each page
// of a server that is fast, and then reads from one that is slow.
func TestSlowReadersAreWaitedForAndSlowServersAreNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pause := time.Second
		c, n := clientOf(t, func(_ int, req *http.Request) (*http.Response, error) {
			res := respond(200, "")
			body := strings.NewReader(strings.Join(records(3000), "\n"))
			res.Body = &drip{Reader: body, ctx: req.Context(), n: 20_000, pause: pause}
			if pause > time.Second {
				res.Body = &drip{Reader: body, ctx: req.Context(), n: 1, pause: pause}
			}
			return res, nil
		})
		slow := func(*Page) error { time.Sleep(time.Minute); return nil }
		if err := c.Stream(t.Context(), askPage(1), "", slow); err != nil {
			t.Error(err)
		}
		pause = 2 * time.Second
		var p Page
		err := c.Fetch(t.Context(), askPage(1), &p, "")
		if !errors.Is(err, errIdle) || n.requests > 1+unreadableTries {
			t.Errorf("%v after %d requests", err, n.requests)
		}
	})
}

// TestFault19RedirectOfAReadIsNotFollowed has a server that sends every request to
// another one, which must not see a byte.
func TestFault19RedirectOfAReadIsNotFollowed(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://"+other.Addr().String()+listPath)
			w.WriteHeader(status)
		}))
		c, _ := clientOf(t, nil)
		c.transport, c.base.Scheme, c.base.Host = newTransport(&c.config), "http", s.Listener.Addr().String()
		var p Page
		_, one := c.Get(t.Context(), "/x/", "A", nil)
		for _, err := range []error{c.Fetch(t.Context(), askPage(1), &p, ""), c.Stream(t.Context(), askPage(1), "", nil), one} {
			var e *StatusError
			if !errors.As(err, &e) || e.Status != status {
				t.Errorf("%d: %v", status, err)
			}
		}
		c.Close()
		s.Close()
	}
	if err := other.(*net.TCPListener).SetDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if conn, err := other.Accept(); err == nil {
		conn.Close()
		t.Error("the other server was spoken to")
	}
}

func TestMoment(t *testing.T) {
	want := time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC).UnixNano()
	for s, test := range map[string][2]int64{
		"2026-01-31T09:30:00Z":            {want, 1e9},
		"2026-01-31 09:30:00":             {want, 1e9},
		"2026-01-31t10:30:00+01:00":       {want, 1e9},
		"2026-01-31T04:00:00.000-0530":    {want, 1e6},
		"2026-01-31T09:30:00.5Z":          {want + 5e8, 1e6},
		"2026-01-31T09:30:00.000001+00":   {want + 1e3, 1e3},
		"2026-01-31T09:30:00.123456Z":     {want + 123456e3, 1e3},
		"2026-01-31T09:30:00,123456789Z":  {want + 123456789, 1},
		"2026-01-31T09:30:00.1234567891Z": {want + 123456789, 1},
		"1969-12-31T23:59:59Z":            {-1e9, 1e9},
	} {
		if ns, unit, ok := moment([]byte(s)); !ok || ns != test[0] || unit != test[1] {
			t.Errorf("%s: %d, %d, %v", s, ns, unit, ok)
		}
	}
	for _, s := range []string{"", "2026-01-31", "2026-01-31T09:30", "2026-13-31T09:30:00Z", "2026-01-31T09:30:00.Z", "2026-01-31T09:30:00x",
		"2026-01-31T09:30:00+1", "x026-01-31T09:30:00Z", "2026-01-31T09:61:00Z", "0001-01-01T00:00:00Z", "2026-01-31T09:30:00+25:00", "31/01/2026 09:30:00"} {
		if ns, _, ok := moment([]byte(s)); ok || ns != NoTime {
			t.Errorf("%s: taken", s)
		}
	}
}

func FuzzMoment(f *testing.F) {
	f.Add("2026-01-31T09:30:00.123456Z")
	f.Add("2026-01-31T09:30:00+01:00")
	f.Fuzz(func(t *testing.T, s string) {
		want, err := time.Parse(time.RFC3339Nano, s)
		if err != nil || want.Year() < 1701 || want.Year() > 2199 {
			_, _, _ = moment([]byte(s))
			return
		}
		if ns, _, ok := moment([]byte(s)); !ok || ns != want.UnixNano() {
			t.Errorf("%s: %d, %v, want %d", s, ns, ok, want.UnixNano())
		}
	})
}

// BenchmarkFetch reads pages of 500 objects from a server on this machine.
func BenchmarkFetch(b *testing.B) {
	body := []byte(strings.Join(records(500), "\n"))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
	defer s.Close()
	c, _ := clientOf(b, nil)
	c.transport, c.base.Scheme, c.base.Host = newTransport(&c.config), "http", s.Listener.Addr().String()
	defer c.Close()
	var p Page
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Fetch(b.Context(), askPage(1), &p, "created_at"); err != nil || len(p.Objects) != 500 {
			b.Fatal(err)
		}
	}
}
