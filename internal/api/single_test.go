package api_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"golang.org/x/net/http2"

	"flytt/internal/api"
)

const collection = "/organization/externalclientcontactperson/"

func TestSingleRequestsAsTheyAreSent(t *testing.T) {
	var got []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		got = append(got, r.Method+" "+r.RequestURI+" "+string(data))
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		_, _ = io.WriteString(w, ` {"id":"A"}`)
	}))
	defer s.Close()
	c := newClient(t, api.Config{BaseURL: s.URL})
	defer c.Close()
	ctx := t.Context()
	o, err := c.Get(ctx, collection, "A b?å%2F#", nil)
	if err != nil || string(o.Body) != ` {"id":"A"}` {
		t.Errorf("%v, %s", err, o.Body)
	}
	for _, o := range []api.Outcome{
		c.Create(ctx, collection, []byte(`{"name":"x"}`), nil),
		c.Update(ctx, collection, "A", []byte(`{"name":"y"}`), nil),
		c.Delete(ctx, collection, "A"),
	} {
		if !o.OK() || o.Problem("POST", collection, nil) != nil {
			t.Errorf("%+v", o)
		}
	}
	want := []string{
		"GET " + collection + "A%20b%3F%C3%A5%252F%23/ ",
		"POST " + collection + ` {"name":"x"}`,
		"PATCH " + collection + `A/ {"name":"y"}`,
		"DELETE " + collection + "A/ ",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q", got)
	}
}

func TestSingleRequestsRefuseIDs(t *testing.T) {
	c := newClient(t, api.Config{BaseURL: "https://x.se", Transport: transport(func(*http.Request) (*http.Response, error) {
		t.Error("a request was made")
		return nil, io.EOF
	})})
	ctx := t.Context()
	for _, id := range []string{"", ".", "..", "a/b", "../x", `a\b`, "a\nb", strings.Repeat("x", 300)} {
		if _, err := c.Get(ctx, collection, id, nil); err == nil || id != "" && len(id) > 2 && strings.Contains(err.Error(), id) {
			t.Errorf("%q: %v", id, err)
		}
		for _, o := range []api.Outcome{c.Update(ctx, collection, id, body, nil), c.Delete(ctx, collection, id)} {
			if o.Class != api.NotSent || o.Err == nil {
				t.Errorf("%q: %+v", id, o)
			}
			if c.Retrier("PATCH", collection).Wait(ctx, o) == nil {
				t.Errorf("%q: sent again", id)
			}
		}
	}
}

func TestGetIsRepeatedAndStrict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := []string{`{"id":`, "<html>", `[{"id":"A"}]`, `{"id":"A"}`}
		n := 0
		c := newClient(t, api.Config{BaseURL: "https://x.se", Transport: transport(func(*http.Request) (*http.Response, error) {
			n++
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answers[n-1]))}, nil
		})})
		if o, err := c.Get(t.Context(), collection, "A", nil); err != nil || string(o.Body) != answers[3] {
			t.Errorf("%v, %s", err, o.Body)
		}
	})
}

func TestGetOfNothing(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	c := newClient(t, api.Config{BaseURL: s.URL})
	_, err := c.Get(t.Context(), collection, "secret", nil)
	if !errors.Is(err, api.ErrNotFound) || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}

func TestProblemOfAWrite(t *testing.T) {
	sent := []byte(`{"name":"Ek","ssn":"198501022399"}`)
	answered := func(status int, body string) api.Outcome {
		return api.Outcome{Class: api.Answered, Status: status, Body: []byte(body)}
	}
	for name, test := range map[string]struct {
		o    api.Outcome
		want string
		is   error
	}{
		"refused":       {answered(400, `{"ssn":["198501022399 is wrong"],"other":["x"]}`), "PATCH " + collection + ": the API refuses the record with 400 Bad Request, because of ssn", nil},
		"refused whole": {answered(422, `Ek is not wanted`), "PATCH " + collection + ": the API refuses the record with 422 Unprocessable Entity", nil},
		"not there":     {answered(404, ""), "PATCH " + collection + ": the API answered 404 Not Found", api.ErrNotFound},
		"denied":        {answered(403, ""), "PATCH " + collection + ": the API answered 403 Forbidden", nil},
		"in doubt":      {api.Outcome{Err: io.EOF}, "PATCH " + collection + ": whether the API did it is not known: EOF", api.ErrInDoubt},
		"not sent":      {api.Outcome{Class: api.NotSent, Err: io.EOF}, "PATCH " + collection + ": not sent: EOF", io.EOF},
		"busy":          {api.Outcome{Class: api.NotProcessed, Err: io.EOF}, "PATCH " + collection + ": not processed: EOF", io.EOF},
	} {
		err := test.o.Problem("PATCH", collection, sent)
		if err == nil || err.Error() != test.want || test.is != nil && !errors.Is(err, test.is) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var refused *api.RefusedError
	o := answered(400, `{"ssn":["is wrong"]}`)
	if err := o.Problem("PATCH", collection, sent); !errors.As(err, &refused) || len(refused.Refusals) != 1 || refused.Refusals[0].Message != "is wrong" {
		t.Errorf("%+v", refused)
	}
}

// TestDeleteIsMadeOnce has connections that break when the request is in: a
// request without a body would be repeated by net/http, and looks unsent.
func TestDeleteIsMadeOnce(t *testing.T) {
	var commits atomic.Int32
	l := listen(t)
	rawServer(t, l, answers(&commits, response("200 OK"), ""))
	c := newClient(t, api.Config{BaseURL: "http://" + l.Addr().String()})
	for i, want := range []api.Class{api.Answered, api.InDoubt} {
		if o := c.Delete(t.Context(), collection, "A"); o.Class != want {
			t.Errorf("attempt %d: got %v, want %v (%v)", i, o.Class, want, o.Err)
		}
	}
	if commits.Load() != 2 {
		t.Errorf("%d commits for 2 attempts", commits.Load())
	}
	for code, want := range map[http2.ErrCode]api.Class{http2.ErrCodeProtocol: api.InDoubt, http2.ErrCodeRefusedStream: api.NotSent} {
		commits.Store(0)
		c := newClient(t, resetServer(t, code, &commits))
		if o := c.Delete(t.Context(), collection, "A"); o.Class != want || commits.Load() != 1 {
			t.Errorf("%v: %v after %d commits, want %v (%v)", code, o.Class, commits.Load(), want, o.Err)
		}
		c.Close()
	}
	closed := listen(t)
	closed.Close()
	c = newClient(t, api.Config{BaseURL: "http://" + closed.Addr().String()})
	if o := c.Delete(t.Context(), collection, "A"); o.Class != api.NotSent {
		t.Errorf("closed port: %v", o.Class)
	}
}

// TestDeleteHasNoBody looks at the request on the wire.
func TestDeleteHasNoBody(t *testing.T) {
	l := listen(t)
	seen := make(chan *http.Request, 1)
	rawServer(t, l, func(conn net.Conn) {
		if req, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			seen <- req
			_, _ = io.WriteString(conn, response("200 OK"))
		}
	})
	c := newClient(t, api.Config{BaseURL: "http://" + l.Addr().String()})
	if o := c.Delete(t.Context(), collection, "A"); !o.OK() {
		t.Fatal(o.Err)
	}
	if req := <-seen; req.ContentLength != 0 || len(req.TransferEncoding) > 0 || req.Header.Get("Content-Type") != "" {
		t.Errorf("%d bytes, %v, %v", req.ContentLength, req.TransferEncoding, req.Header)
	}
}
